"""How one destination stands: its circuit breaker, and what was last seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from dicomprinter.job.values import moment

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from dicomprinter.dicom.network.peer import Peer


class Step(StrEnum):
    """What an attempt was at."""

    OPEN = "open"
    STORE = "store"
    FIND = "find"
    PRINT = "print"


# After so many failures in a row nothing more goes out.
MOST_FAILURES: Final = 3
_FIRST_WAIT_SECONDS: Final = 2.0
_SHORTEST_PROBE_SECONDS: Final = 1.0
_JITTER: Final = 0.2
_MOST_DOUBLINGS: Final = 30


class Breaker(StrEnum):
    """Whether jobs are let through to a destination."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass
class Destination:
    """A peer that jobs are sent to.

    Args:
        peer: its address and AE title, and how to speak to it.
        calls: the names of the actions that call it.
        breaker: closed lets every job through, open none, half-open one for a trial.
        failures: attempts in a row that failed for a time: of jobs, of the C-ECHO that asks an open one, of trials.
        last_success: when it last confirmed an object or finished a query.
        last_failure: when an attempt of a job or a C-ECHO last failed for a time.
        reason: of the last failure; nothing of the patient.
        next_try: when an open one is asked next; to be shown, what counts is `probe_at`.
        probe_at: the same on the monotonic clock, in seconds; None while nobody is to ask.
        failed_at: where the last failure was: an archive with a full disk still answers queries.
        trial: the job that a half-open one is tried with.
        recoveries: how often the breaker has closed after it was open.
    """

    peer: Peer
    calls: str = ""
    breaker: Breaker = Breaker.CLOSED
    failures: int = 0
    last_success: datetime | None = None
    last_failure: datetime | None = None
    reason: str | None = None
    next_try: datetime | None = None
    probe_at: float | None = None
    failed_at: Step = Step.OPEN
    trial: str | None = None
    recoveries: int = 0

    @property
    def is_healthy(self) -> bool:
        """Whether the last attempt came to an end, or none was made yet."""
        return self.breaker is Breaker.CLOSED and self.failures == 0

    def is_answered_by(self, step: Step) -> bool:
        """Whether an answer at this step shows that what failed works again."""
        return self.failed_at in (Step.OPEN, step)

    def to_json(self) -> dict[str, Any]:
        """As it goes into `destinations.json`."""
        return {
            "ae_title": self.peer.ae_title,
            "host": self.peer.host,
            "port": self.peer.port,
            "calls": self.calls,
            "breaker": self.breaker.value,
            "failures": self.failures,
            "last_success": _text(self.last_success),
            "last_failure": _text(self.last_failure),
            "reason": self.reason,
            "next_try": _text(self.next_try),
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: it is damaged; nothing is taken over.
        """
        breaker, failures = Breaker(data["breaker"]), data["failures"]
        reason = data["reason"]
        success, failure, next_try = (
            None if data[key] is None else moment(data[key]) for key in ("last_success", "last_failure", "next_try")
        )
        if not isinstance(failures, int) or failures < 0 or not isinstance(reason, str | None):
            raise TypeError
        # A trial is over with the process that made it.
        self.breaker = Breaker.OPEN if breaker is Breaker.HALF_OPEN else breaker
        self.failures, self.reason = failures, reason
        self.last_success, self.last_failure, self.next_try = success, failure, next_try


def wait_seconds(failures: int, longest: timedelta, random: float) -> float:
    """How long to wait after some failures in a row: short at first, doubling, never longer than `longest`.

    Args:
        failures: from 1.
        longest: SuspensionTime.
        random: from 0 to 1; spreads the waits by a fifth to either side, so that not all come at one moment.
    """
    most = longest.total_seconds() / (1 + _JITTER)
    doubled = _FIRST_WAIT_SECONDS * 2.0 ** min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return min(doubled, most) * (1 - _JITTER + 2 * _JITTER * random)


def probe_seconds(failures: int, longest: timedelta, random: float) -> float:
    """How long until an open destination is asked again; with a SuspensionTime of 0 it is not asked without a pause."""
    return max(wait_seconds(failures, longest, random), _SHORTEST_PROBE_SECONDS)


def _text(time: datetime | None) -> str | None:
    return time.isoformat(timespec="milliseconds") if time else None
