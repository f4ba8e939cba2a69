"""Looks at the jobs that wait: wakes them, obeys operators, moves what is too old to `expired/`.

To look at ten thousand folders takes long, so they come in turns. One whose time has come, or for which a bell has been
rung (engine/bells.py), does not wait for its turn.
"""

from __future__ import annotations

import heapq
import logging
import math
import threading
import time
from collections import deque
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from dicomprinter.engine.bells import rung
from dicomprinter.engine.commands import apply
from dicomprinter.engine.matches import take_file
from dicomprinter.engine.restore import restore, wishes
from dicomprinter.engine.ticket import Ticket
from dicomprinter.errors import DicomPrinterError, SpoolError
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.glance import check_dataset, glance
from dicomprinter.job.match import match_file
from dicomprinter.job.parts import State
from dicomprinter.job.record import DamagedJobError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from dicomprinter.engine.clock_watch import ClockWatch
    from dicomprinter.engine.recovery import Recovery
    from dicomprinter.engine.spool import Spool
    from dicomprinter.job.job import Job
    from dicomprinter.program import Program

_LOG = logging.getLogger("dicomprinter.engine")
_COMMAND_SECONDS = 1.0
# So many folders are looked at each time: up to this number of jobs, a file of a stranger's is seen within a second.
_AT_ONCE = 500
_CLOCK_TOLERANCE = timedelta(minutes=1)


class Scheduler:
    """Holds the tickets of the jobs that wait; `run` is the work of a thread.

    Args:
        spool: where the jobs are.
        clock: the local time, and whether it has jumped.
        program: gives the current configuration.
        recovery: says which jobs that wait for a destination go on.
        take_up: gets the ticket of a job that was touched: it waits on, or is ready.
        wake: gets the ticket of a job whose time, or whose destination, has come.
        discard: takes a discarded job away.
        stopping: set when the engine ends.
    """

    def __init__(
        self,
        spool: Spool,
        clock: ClockWatch,
        program: Callable[[], Program],
        recovery: Recovery,
        *,
        take_up: Callable[[Ticket], None],
        wake: Callable[[Ticket], None],
        discard: Callable[[Job], None],
        stopping: threading.Event,
    ) -> None:
        self._spool = spool
        self._clock = clock
        self._program = program
        self._recovery = recovery
        self._take_up = take_up
        self._wake = wake
        self._discard = discard
        self._stopping = stopping
        self._waiting: dict[str, Ticket] = {}
        # Each id that waits is in here once, also for a while after it has gone its way.
        self._turns: deque[str] = deque()
        self._has_turn: set[str] = set()
        self._due: list[tuple[datetime, str, int, Ticket]] = []
        self._added = 0
        self._unread: set[str] = set()
        self._lock = threading.Lock()
        self._look = threading.Event()
        # When it comes round next, on the monotonic clock.
        self._all_at = 0.0
        self.looked_at = time.monotonic()
        """When it last came round, or to the next waiting job; on the monotonic clock, in seconds."""

    def add(self, ticket: Ticket, *, is_read: bool = True) -> None:
        """Look after a job that waits, and look at it next; any thread may call.

        Args:
            ticket: the job's.
            is_read: whether it has been read whole.
        """
        job_id = ticket.job_id
        with self._lock:
            self._waiting[job_id] = ticket
            if job_id not in self._has_turn:
                self._has_turn.add(job_id)
                # An operator's bell may have rung while it ran.
                self._turns.appendleft(job_id)
            if not is_read:
                self._unread.add(job_id)
            if ticket.wake_at is not None:
                self._added += 1
                heapq.heappush(self._due, (ticket.wake_at, job_id, self._added, ticket))
        self._recovery.add(ticket)
        if ticket.wake_at is not None:
            self._look_at_all((ticket.wake_at - self._clock.look()).total_seconds())
            self._look.set()

    def look_soon(self) -> None:
        """Look at the waiting jobs now, or end when `stopping` is set; any thread may call."""
        self._look_at_all(0.0)
        self._look.set()

    def recover_soon(self) -> None:
        """Send on what waits for a destination, without a look at all the others; any thread may call."""
        self._look.set()

    def run(self) -> None:
        """Look, and look again, until `stopping` is set."""
        while not self._stopping.is_set():
            self._wake_recovered()
            if self._all_at <= time.monotonic():
                self._all_at = math.inf
                self.looked_at = time.monotonic()
                self._look_at_wishes()
                self.look()
                self._look_at_all(self._pause())
            self._look.wait(max(0.0, self._all_at - time.monotonic()))
            self._look.clear()

    def _look_at_all(self, seconds: float) -> None:
        """Look in so many seconds, if that is not to be sooner in any case."""
        with self._lock:
            self._all_at = min(self._all_at, time.monotonic() + max(0.0, seconds))

    def _pause(self) -> float:
        """Until the next job is due, at most CheckingInterval, and never so long that an operator gives up waiting."""
        now = self._clock.look()
        longest = min(self._program().general.checking_interval.total_seconds(), _COMMAND_SECONDS)
        with self._lock:
            while self._due and not self._waits_for_its_time(self._due[0][-1]):
                heapq.heappop(self._due)
            return min(longest, max(0.0, (self._due[0][0] - now).total_seconds())) if self._due else longest

    def _waits_for_its_time(self, ticket: Ticket) -> bool:
        """Whether a job still waits, and for nothing else than a time; the lock is held."""
        return self._waiting.get(ticket.job_id) is ticket and not self._recovery.is_blocked(ticket)

    def _wake_recovered(self) -> None:
        """Send on the jobs whose destination has come back."""
        for ticket in self._recovery.take():
            self._forget(ticket.job_id)
            self._wake(ticket)

    def _look_at_wishes(self) -> None:
        """Take back the expired jobs that operators want back."""
        try:
            for file, job_id, token in wishes(self._spool):
                if self._fulfil(job_id, token):
                    file.unlink(missing_ok=True)
        except OSError as error:
            _LOG.error("the disk failed: %s; what is wished in spool/commands has to wait", error.strerror)

    def _fulfil(self, job_id: str, token: str | None) -> bool:
        """Take back an expired job; False when that is to be tried again."""
        try:
            job, _ = restore(self._spool, job_id, self._clock.look(), token)
            self._take_up(Ticket.of(job))
        except DicomPrinterError as error:
            _LOG.error("it cannot be restored: %s", error, extra={"job": job_id})
        except OSError as error:
            _LOG.error("the disk failed: %s; the job is restored later", error.strerror, extra={"job": job_id})
            return False
        except Exception:  # noqa: BLE001 - a scheduler that dies would wake nobody
            _LOG.exception("a fault of the engine; the job stays expired", extra={"job": job_id})
        return True

    def look(self) -> None:
        """Touch each waiting job that is due, too old, or wanted by an operator."""
        now = self._clock.look()
        oldest = now - self._program().general.validity_period
        for ticket in self._next(now):
            job_id = ticket.job_id
            self.looked_at = time.monotonic()
            try:
                folder = JobFolder(self._spool.jobs / job_id)
                if job_id in self._unread and not self._is_whole(job_id):
                    continue
                if folder.has_command():
                    self._command(job_id, folder.read_command() or {})
                elif match_file(folder.path) is not None:
                    self._match(job_id)
                elif self._is_due(ticket, now):
                    self._forget(job_id)
                    self._wake(ticket)
                elif (ticket.accepted < oldest and self._clock.is_trusted) or ticket.state is State.EXPIRED:
                    self._expire(job_id)
            except SpoolError as error:
                _LOG.error("%s", error, extra={"job": job_id})
                self._forget(job_id)
            except OSError as error:
                _LOG.error("the disk failed: %s; the job still waits", error.strerror, extra={"job": job_id})
            except Exception:  # noqa: BLE001 - a scheduler that dies would wake nobody
                _LOG.exception("a fault of the engine; the job still waits", extra={"job": job_id})

    def _next(self, now: datetime) -> list[Ticket]:
        """The jobs to look at, as they came: whose time has come, for whom a bell has rung, and whose turn it is."""
        found = set(rung(self._spool))
        with self._lock:
            while self._due and self._due[0][0] <= now:
                found.add(heapq.heappop(self._due)[1])
            for _ in range(min(len(self._turns), _AT_ONCE)):
                job_id = self._turns.popleft()
                if job_id in self._waiting:
                    self._turns.append(job_id)
                    found.add(job_id)
                else:
                    self._has_turn.discard(job_id)
            return [self._waiting[job_id] for job_id in sorted(found) if job_id in self._waiting]

    def _is_whole(self, job_id: str) -> bool:
        """Whether a job that was only glanced at has its dataset; one that has not is held from now on."""
        try:
            check_dataset(glance(self._spool.jobs / job_id))
        except DamagedJobError:
            damaged = self._spool.load(job_id)
            self._forget(job_id)
            self._take_up(Ticket.of(damaged))
            return False
        self._unread.discard(job_id)
        return True

    def _command(self, job_id: str, command: dict[str, object]) -> None:
        job = self._spool.load(job_id)
        if job.waits_for and command.get("command") == "resume":
            self._recovery.hurry(job.waits_for)
        with self._taken_up_again(job):
            apply(job, command, self._discard)
            job.folder.clear_command()

    def _match(self, job_id: str) -> None:
        job = self._spool.load(job_id)
        with self._taken_up_again(job):
            take_file(job)

    @contextmanager
    def _taken_up_again(self, job: Job) -> Iterator[None]:
        """Around what changes a job that waits."""
        try:
            yield
        finally:
            # Whatever the disk did in between: what it holds now is what counts.
            if job.folder.path.exists():
                found = self._spool.load(job.id)
                self._forget(job.id)
                self._take_up(Ticket.of(found))
            else:
                self._forget(job.id)

    def _is_due(self, ticket: Ticket, now: datetime) -> bool:
        """Whether a suspended job's time has come; also when the clock, or SuspensionTime, was set back."""
        if ticket.wake_at is None or self._recovery.is_blocked(ticket):
            return False
        longest = self._program().suspension_time + _CLOCK_TOLERANCE
        return ticket.wake_at <= now or ticket.wake_at - now > longest

    def _expire(self, job_id: str) -> None:
        job = self._spool.load(job_id)
        if job.state is not State.EXPIRED:
            was = f"it was {job.state.value}: {job.reason or 'no reason'}"
            job.reason = f"unfinished for longer than ValidityPeriod; {was}"
            job.state, job.wake_at, job.waits_for, job.asks = State.EXPIRED, None, None, None
            kept = f"it is kept in spool/expired/{job_id}; dicomprinter jobs restore {job_id} takes it back"
            job.note(f"expired: unfinished for longer than ValidityPeriod; {kept}", level="WARN")
            job.folder.save(job, secure=True)
        job.folder.path.rename(self._spool.expired / job_id)
        self._forget(job_id)

    def _forget(self, job_id: str) -> None:
        with self._lock:
            self._waiting.pop(job_id, None)
            self._unread.discard(job_id)
        self._recovery.forget(job_id)
