"""Programs of others that an action starts: what is asked for, and what came of it."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dicomprinter.errors import TransientError

MOST_OUTPUT = 1 << 20


@dataclass(frozen=True)
class Call:
    """A program to start. What may hold patient data is no part of its `repr`, nor of what has `Ended`.

    Args:
        command: the program, a full path or a name that PATH finds, and its arguments. No shell reads them: each is one
            argument, whatever it holds.
        folder: where it runs.
        timeout: seconds; then it and all that it has started is killed.
        data: its standard input; it need not read it.
        environment: its variables, beside the few that every program gets.
        passed_on: names of further variables of this process that it gets.
        most_output: how many bytes it may write to standard output.
        on_desktop: it gets the variables that lead to the desktop of this process's session.
        only_computes: it changes nothing outside its folder, so that a dry run starts it as well.
        shown: what messages call it, where the program's path could hold a patient's value.
    """

    command: tuple[str, ...] = field(repr=False)
    folder: Path
    timeout: float
    data: bytes = field(default=b"", repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    passed_on: tuple[str, ...] = ()
    most_output: int = MOST_OUTPUT
    on_desktop: bool = False
    only_computes: bool = False
    shown: str = ""

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.shown or self.command[0]


@dataclass(frozen=True)
class Ended:
    """A program that has ended by itself.

    Args:
        code: its exit code, 0 to 255 under POSIX; Windows' -1 to -128 are 255 to 128 here as well. Negative: the number
            of the signal that has ended it.
        output: what it has written to standard output.
        errors: the end of what it has written to standard error.
    """

    code: int
    output: bytes = field(repr=False)
    errors: bytes = field(repr=False)

    @property
    def how(self) -> str:
        """`exit code 3`, `the signal SIGSEGV`."""
        if self.code >= 0:
            # Windows tells of a crash by such a number, and everybody writes it so.
            return f"exit code {self.code if self.code < 1 << 16 else hex(self.code)}"
        try:
            return f"the signal {signal.Signals(-self.code).name}"
        except ValueError:
            return f"the signal {-self.code}"

    def check(self, program: str) -> None:
        """Raises TransientError when it has failed; the last lines of standard error are private."""
        if self.code != 0:
            raise TransientError(
                f'the program "{program}" ended with {self.how}',
                cause="it says why on standard error, if at all: see the job's history",
                remedy="mend what it misses, then resume the job",
                private=last_lines(self.errors),
                details={"exit_code": self.code},
            )


class Programs(Protocol):
    """Starts programs; a dry run and tests put their own here."""

    def run(self, call: Call) -> Ended | None:
        """Start a program and wait for its end; None when a dry run has started nothing.

        Raises:
            PermanentError: it cannot be started, or writes more than it may.
            TransientError: its time is up, or the system has no room for it.
            Interrupted: the service ends.
        """

    @property
    def desktop(self) -> str:
        """Why a program cannot be shown on an operator's desktop; empty when it can."""

    def close(self) -> None:
        """Kill what runs, and start nothing any more."""


def last_lines(errors: bytes, most: int = 10) -> str:
    """The last lines of what a program has written to standard error, as text."""
    return "\n".join(errors.decode("utf-8", "replace").replace("\0", "").strip().splitlines()[-most:])
