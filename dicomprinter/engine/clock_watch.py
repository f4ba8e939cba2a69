"""Notices a clock that jumps, so that a wrong date of a moment does not make every job too old."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_LOG = logging.getLogger("dicomprinter.engine")
_TOLERANCE_SECONDS: Final = 60.0
_DOUBT_SECONDS: Final = 3600.0
_DAY_SECONDS: Final = 86400


class ClockWatch:
    """Compares the clock with one that nobody sets. A clock that was wrong from the start on is not noticed.

    Args:
        clock: the local time.
        steady: seconds that only go forward, `time.monotonic`.
    """

    def __init__(self, clock: Callable[[], datetime], steady: Callable[[], float]) -> None:
        self._clock = clock
        self._steady = steady
        self._difference = clock().timestamp() - steady()
        self._doubt_until = float("-inf")
        self._lock = threading.Lock()

    def look(self) -> datetime:
        """The time; a jump is told to the log. Any thread may call."""
        with self._lock:
            return self._look()

    def _look(self) -> datetime:
        now = self._clock()
        difference = now.timestamp() - self._steady()
        jump, self._difference = difference - self._difference, difference
        if jump > _TOLERANCE_SECONDS:
            self._doubt_until = self._steady() + _DOUBT_SECONDS
            _LOG.warning(
                "the clock was set forward by %s: no job expires for an hour, it may have been a mistake", _text(jump)
            )
        elif jump < -_TOLERANCE_SECONDS:
            self._doubt_until = float("-inf")
            _LOG.warning("the clock was set back by %s: jobs that would wait longer for it go on now", _text(-jump))
        return now

    @property
    def is_trusted(self) -> bool:
        """Whether a job may be taken for too old: the clock has not jumped forward within the last hour."""
        return self._steady() >= self._doubt_until


def _text(seconds: float) -> str:
    days, rest = divmod(round(seconds), _DAY_SECONDS)
    return f"{days} days and {rest} s" if days else f"{rest} s"
