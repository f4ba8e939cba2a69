"""Circuit breakers: a destination that is down is left alone until it answers again, and costs the others nothing.

After three failures in a row a destination's breaker opens: attempts of jobs fail at once, without a byte on the wire.
C-ECHO asks it at growing intervals. When it answers, one job is let through for a trial: its success closes the
breaker, its failure opens it again for longer. A destination is an address and an AE title.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dicomprinter.actions.base import Connected
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.engine.destination import MOST_FAILURES, Breaker, Destination, Step, probe_seconds, wait_seconds
from dicomprinter.errors import TransientError
from dicomprinter.workflow.nodes import Perform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from dicomprinter.program import Program

_LOG = logging.getLogger("dicomprinter.engine")


class Destinations:
    """Every destination of the configuration, by `AET@host:port`; any thread may call.

    Args:
        clock: the local time, for what is shown and for when jobs wake.
        monotonic: seconds on a clock that nobody sets, for when a destination is asked.
        chance: gives numbers from 0 to 1.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._chance = chance
        self._known: dict[str, Destination] = {}
        self._failed_jobs: dict[str, int] = {}
        self._longest = timedelta()
        self._lock = threading.Lock()
        self._version = 0
        self.on_change: Callable[[], None] = lambda: None
        """Called, by any thread, when another number of jobs may go to a destination than before."""

    # What there is

    def configure(self, program: Program) -> None:
        """Know the destinations of a configuration, and no others; those that are open are asked soon."""
        found = peers(program)
        with self._lock:
            self._longest = program.suspension_time
            for key in [key for key in self._known if key not in found]:
                del self._known[key]
            for key, (peer, names) in found.items():
                destination = self._known.setdefault(key, Destination(peer))
                destination.peer, destination.calls = peer, ", ".join(names)
                if destination.breaker is Breaker.OPEN:
                    self._ask_in(destination, 0.0)
            self._version += 1
        self.on_change()

    def restore(self, saved: Iterable[Any]) -> None:
        """Take over what another process has written; what is damaged, or not configured any more, is passed over."""
        with self._lock:
            for data in saved:
                with suppress(ValueError, LookupError, TypeError):
                    destination = self._known[str(Peer(data["ae_title"], data["host"], data["port"]))]
                    destination.restore(data)
                    if destination.breaker is Breaker.OPEN:
                        self._ask_in(destination, self._left(destination))

    def to_json(self) -> tuple[int, list[dict[str, Any]]]:
        """What `destinations.json` holds, and a number that grows with each change of it."""
        with self._lock:
            return self._version, [self._known[key].to_json() for key in sorted(self._known)]

    def breaker(self, key: str) -> Breaker:
        """A destination's breaker; closed where nothing is known of it."""
        with self._lock:
            destination = self._known.get(key)
            return destination.breaker if destination else Breaker.CLOSED

    def is_healthy(self, key: str) -> bool:
        """Whether the last attempt came to an end, or none was made yet."""
        with self._lock:
            destination = self._known.get(key)
            return destination is None or destination.is_healthy

    def recoveries(self, key: str) -> int:
        """How often the breaker has closed after it was open."""
        with self._lock:
            destination = self._known.get(key)
            return destination.recoveries if destination else 0

    # What jobs meet

    def admit(self, peer: Peer, job_id: str) -> None:
        """Let a job through to a destination.

        Raises:
            TransientError: its breaker is open, or it is being tried with another job.
        """
        with self._lock:
            destination = self._of(peer)
            if destination.breaker is Breaker.OPEN:
                raise _refused(destination)
            if destination.breaker is Breaker.HALF_OPEN:
                if destination.trial not in (None, job_id):
                    raise _refused(destination)
                destination.trial = job_id

    def succeeded(self, peer: Peer, job_id: str, step: Step) -> None:
        """It has confirmed an object, or has answered a query."""
        with self._lock:
            destination = self._of(peer)
            destination.last_success = self._clock()
            self._failed_jobs.pop(job_id, None)
            self._version += 1
            changed = destination.is_answered_by(step) and self._close(destination)
        if changed:
            self.on_change()

    def refused(self, peer: Peer, step: Step) -> None:
        """It has refused something for good: so it lives, and others may go."""
        with self._lock:
            destination = self._of(peer)
            changed = destination.is_answered_by(step) and self._close(destination)
        if changed:
            self.on_change()

    def failed(self, peer: Peer, job_id: str, reason: str, step: Step) -> None:
        """An attempt of a job has failed for a time."""
        with self._lock:
            destination = self._of(peer)
            self._note_failure(destination, reason)
            destination.failed_at = step
            self._failed_jobs[job_id] = self._failed_jobs.get(job_id, 0) + 1
            # What was under way when it opened says nothing new.
            changed = destination.breaker is not Breaker.OPEN
            if changed:
                destination.failures += 1
                if destination.breaker is Breaker.HALF_OPEN or destination.failures >= MOST_FAILURES:
                    self._open(destination)
        if changed:
            self.on_change()

    def wake_at(self, peer: Peer, job_id: str) -> datetime:
        """When a job goes on that this destination's failure has suspended, if nothing happens before."""
        with self._lock:
            destination = self._of(peer)
            if destination.breaker is Breaker.OPEN and destination.next_try:
                return destination.next_try
            failures = max(destination.failures, self._failed_jobs.get(job_id, 0))
            return self._clock() + timedelta(seconds=wait_seconds(failures, self._longest, self._chance()))

    def ended(self, job_id: str, *, waits_on: bool) -> None:
        """A job has stopped running; `waits_on`: for a destination."""
        with self._lock:
            if not waits_on:
                self._failed_jobs.pop(job_id, None)
            tried = [one for one in self._known.values() if one.trial == job_id]
            for destination in tried:
                destination.trial = None
        if tried:
            self.on_change()

    # What the probes find

    def to_ask(self) -> list[Peer]:
        """The open destinations whose time has come; each is named once until its answer is told."""
        with self._lock:
            now = self._monotonic()
            due = [one for one in self._known.values() if one.probe_at is not None and one.probe_at <= now]
            for destination in due:
                destination.probe_at = None
            return [destination.peer for destination in due]

    def seconds_to_next(self) -> float:
        """Until the next destination is to be asked; without end when there is none."""
        with self._lock:
            times = [one.probe_at for one in self._known.values() if one.probe_at is not None]
            return max(0.0, min(times, default=math.inf) - self._monotonic())

    def ask_soon(self, key: str) -> None:
        """Ask an open destination now: a person expects something."""
        with self._lock:
            destination = self._known.get(key)
            if destination is None or destination.breaker is not Breaker.OPEN or destination.probe_at is None:
                return
            self._ask_in(destination, 0.0)
        self.on_change()

    def answered(self, peer: Peer, fault: str) -> None:
        """What became of a C-ECHO; `fault` is empty when the peer lives."""
        with self._lock:
            destination = self._known.get(str(peer))
            if destination is None or destination.breaker is not Breaker.OPEN:
                return
            if fault:
                destination.failures += 1
                self._note_failure(destination, fault)
                self._ask_in(destination, probe_seconds(destination.failures, self._longest, self._chance()))
                _LOG.debug("%s; it is asked again at %s", fault, _clock_text(destination.next_try))
            else:
                destination.breaker, destination.trial = Breaker.HALF_OPEN, None
                destination.next_try = destination.probe_at = None
                self._version += 1
                _LOG.info("%s answers again; one job is sent there for a trial", destination.peer)
        self.on_change()

    # Under the lock

    def _of(self, peer: Peer) -> Destination:
        destination = self._known.setdefault(str(peer), Destination(peer))
        # The last one that was called: another action may use TLS or another AE title of ours.
        destination.peer = peer
        return destination

    def _note_failure(self, destination: Destination, reason: str) -> None:
        destination.last_failure, destination.reason = self._clock(), reason
        self._version += 1

    def _open(self, destination: Destination) -> None:
        destination.breaker, destination.trial = Breaker.OPEN, None
        self._ask_in(destination, probe_seconds(destination.failures, self._longest, self._chance()))
        _LOG.warning(
            "%s: no job is sent there for now: %s; it is asked by C-ECHO from %s on",
            destination.peer,
            destination.reason,
            _clock_text(destination.next_try),
        )

    def _close(self, destination: Destination) -> bool:
        if destination.is_healthy:
            return False
        if destination.breaker is not Breaker.CLOSED:
            destination.recoveries += 1
            _LOG.info("%s works again; the jobs that wait for it go on", destination.peer)
        destination.breaker, destination.failures, destination.trial = Breaker.CLOSED, 0, None
        destination.next_try = destination.probe_at = None
        self._version += 1
        return True

    def _ask_in(self, destination: Destination, seconds: float) -> None:
        destination.probe_at = self._monotonic() + seconds
        destination.next_try = self._clock() + timedelta(seconds=seconds)
        self._version += 1

    def _left(self, destination: Destination) -> float:
        """Seconds until a restored one is asked; its time may be of a clock that was wrong."""
        most = probe_seconds(destination.failures, self._longest, self._chance())
        if destination.next_try is None:
            return 0.0
        return min(max(0.0, (destination.next_try - self._clock()).total_seconds()), most)


def peers(program: Program) -> dict[str, tuple[Peer, list[str]]]:
    """Whom a configuration calls: each destination with the names of the actions that do."""
    found: dict[str, tuple[Peer, list[str]]] = {}
    for perform in (node for node in program.workflow.walk() if isinstance(node, Perform)):
        action = program.actions[perform.action]
        for change in perform.changes:
            action = action.overridden(change)
        if isinstance(action, Connected) and action.peer is not None:
            _, names = found.setdefault(str(action.peer), (action.peer, []))
            if action.name not in names:
                names.append(action.name)
    return found


def _refused(destination: Destination) -> TransientError:
    if destination.breaker is Breaker.HALF_OPEN:
        return TransientError(
            f"{destination.peer} is not called: it was down, and is being tried with another job",
            remedy="the job goes on when that one has come through",
        )
    since = f", the last time at {_clock_text(destination.last_failure)}" if destination.last_failure else ""
    return TransientError(
        f"{destination.peer} is not called: {destination.failures} attempts in a row have failed{since}",
        cause=destination.reason or "",
        remedy=f"it is asked by C-ECHO at {_clock_text(destination.next_try)}, and waiting jobs go on when it answers",
    )


def _clock_text(moment: datetime | None) -> str:
    return moment.strftime("%H:%M:%S") if moment else "any moment"
