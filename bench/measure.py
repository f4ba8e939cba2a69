"""Timing: what is compared takes turns, so that both have the machine as it is at that moment."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

_LEFT_OUT: Final = ("DCM", "TCP_", "PYTHONDONTWRITEBYTECODE")
"""What the caller's environment says about DCMTK must not change its stock behaviour; an installed program is compiled
once, not each time it starts."""


@dataclass(frozen=True)
class Figure:
    """What one thing took, round by round.

    Args:
        values: one a round.
        unit: `ms`, `jobs/s`, …
    """

    values: tuple[float, ...]
    unit: str = "ms"

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.values)

    def less(self, other: Figure) -> Figure:
        """Each round without the other's median, never below a tenth of a unit."""
        return Figure(tuple(max(0.1, value - other.median) for value in self.values), self.unit)

    def __str__(self) -> str:
        return f"{self.median:.0f} {self.unit}" if self.median >= 20 else f"{self.median:.1f} {self.unit}"


def alternate(
    rounds: int, actions: Mapping[str, Callable[[], object]], *, between: Callable[[], object] = lambda: None
) -> dict[str, Figure]:
    """Milliseconds of each action by the clock, one after the other in every round.

    Args:
        rounds: how often; each action runs once more before, unmeasured. 0 measures that one run.
        actions: by name.
        between: what tidies up after each, unmeasured.
    """
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            elapsed = (time.perf_counter() - start) * 1000
            between()
            if number or rounds == 0:
                taken[name].append(elapsed)
    return {name: Figure(tuple(values)) for name, values in taken.items()}


def processor_ms(action: Callable[[], object], rounds: int) -> Figure:
    """Milliseconds of processor that an action takes, here and in the programs that it runs to their end.

    A machine that others use as well lengthens the clock's time, hardly this one.
    """
    values = []
    for _ in range(max(1, rounds)):
        before = _processor()
        action()
        values.append((_processor() - before) * 1000)
    return Figure(tuple(values))


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def run(*command: object, **options: str) -> None:
    """Run a program to its end; raises when it fails.

    Args:
        command: the program's full path and its arguments.
        options: of the environment.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
    words = [str(word) for word in command]
    done = subprocess.run(  # noqa: S603 - our own command lines
        words, env=environment | options, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)[:200]}\n{(done.stderr or done.stdout).decode(errors='replace')[-2000:]}")
