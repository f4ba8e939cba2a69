"""A program and all that it starts: killed as one."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MARK: Final = "DICOMPRINTER_RUN"
_ROUNDS: Final = 20
_REAP_SECONDS: Final = 5.0


class ProcessGroup:
    """A program that has been started, in a session of its own (POSIX) or a job object (Windows)."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Start it; raises OSError or ValueError when that cannot be done."""
        # By its environment also a process is known that has made a session of its own.
        self._mark = f"{_MARK}={secrets.token_hex(8)}"
        name, _, value = self._mark.partition("=")
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            from dicomprinter.engine.outside.job_object import SUSPENDED, JobObject  # noqa: PLC0415 - Windows only

            apart = {"creationflags": subprocess.CREATE_NO_WINDOW | SUSPENDED}
        self.process = subprocess.Popen(  # noqa: S603 - what the site's configuration says
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**environment, name: value},
            bufsize=0,
            **apart,
        )
        if sys.platform == "win32":
            self._job = JobObject()
            # It has not run yet, so nothing that it starts is missed.
            self._job.take(self.process)

    def kill(self) -> None:
        """Kill the program and what it has started, as far as the system can tell."""
        self.kill_rest()
        with suppress(OSError):
            self.process.kill()
        if sys.platform == "linux":
            # What is just being started is found in the next round.
            for _ in range(_ROUNDS):
                found = list(_marked(self._mark.encode()))
                if not found:
                    break
                for pid in found:
                    with suppress(OSError):
                        os.kill(pid, signal.SIGKILL)

    def kill_rest(self) -> None:
        """Kill what is left of the group; under POSIX what has made a session of its own stays."""
        if sys.platform == "win32":
            self._job.kill()
        else:
            # EPERM: macOS says so of processes that have ended.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of its pipes, whoever holds their other ends, and of the process, which has ended or been killed."""
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        # One that the system cannot kill now, for a share that is away say, must not hold the job as well.
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_REAP_SECONDS)
        if sys.platform == "win32":
            self._job.close()


def _marked(mark: bytes) -> Iterator[int]:
    """The processes whose environment holds the mark, but for those that have ended."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            # Others' processes do not show theirs; of one that has ended it is empty.
            with suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
