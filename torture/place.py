"""Where an item runs, and how much of it."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """What an item gets.

    Args:
        folder: its own; kept when one of its checks fails.
        short: a sample that takes seconds, for `make test`.
        seed: what chance follows from; the same seed gives the same choices.
        parallel: how many services may run side by side.
        only: rounds whose name has this in it; all when it is empty.
    """

    folder: Path
    short: bool
    seed: int
    parallel: int
    only: str = ""

    def chance(self, *what: object) -> random.Random:
        """A source of chance of its own for each use, so that one more draw here changes nothing there."""
        return random.Random(f"{self.seed} {what}")  # noqa: S311 - it chooses what to break, nothing secret

    def say(self, text: str) -> None:
        """A line of progress."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
