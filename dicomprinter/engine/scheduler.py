"""Looks at the jobs that wait: wakes them, obeys operators, moves what is too old to `expired/`."""

from __future__ import annotations

import logging
import math
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from dicomprinter.engine.commands import apply
from dicomprinter.engine.matches import take_file
from dicomprinter.engine.restore import restore, wishes
from dicomprinter.engine.ticket import Ticket
from dicomprinter.errors import DicomPrinterError, SpoolError
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.match import match_file
from dicomprinter.job.parts import State

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
        self._lock = threading.Lock()
        self._look = threading.Event()
        # When all are looked at next, on the monotonic clock.
        self._all_at = 0.0
        self.looked_at = time.monotonic()
        """When it last came round, or to the next waiting job; on the monotonic clock, in seconds."""

    def add(self, ticket: Ticket) -> None:
        """Look after a job that waits; any thread may call."""
        with self._lock:
            self._waiting[ticket.job_id] = ticket
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
        with self._lock:
            waiting = list(self._waiting.values())
        due = [ticket.wake_at for ticket in waiting if ticket.wake_at and not self._recovery.is_blocked(ticket)]
        longest = self._program().general.checking_interval.total_seconds()
        return min([longest, _COMMAND_SECONDS, *(max(0.0, (at - now).total_seconds()) for at in due)])

    def _wake_recovered(self) -> None:
        """Send on the jobs whose destination has come back."""
        for ticket in self._recovery.take(lambda ticket: self._waiting.get(ticket.job_id) is ticket):
            self._forget(ticket.job_id)
            self._wake(ticket)

    def _look_at_wishes(self) -> None:
        """Take back the expired jobs that operators want back."""
        for file, job_id, token in wishes(self._spool):
            try:
                job, _ = restore(self._spool, job_id, self._clock.look(), token)
                self._take_up(Ticket.of(job))
            except DicomPrinterError as error:
                _LOG.error("it cannot be restored: %s", error, extra={"job": job_id})
            except OSError as error:
                _LOG.error("the disk failed: %s; the job is restored later", error.strerror, extra={"job": job_id})
                continue
            except Exception:  # noqa: BLE001 - a scheduler that dies would wake nobody
                _LOG.exception("a fault of the engine; the job stays expired", extra={"job": job_id})
            file.unlink(missing_ok=True)

    def look(self) -> None:
        """Touch each waiting job that is due, too old, or wanted by an operator."""
        now = self._clock.look()
        oldest = now - self._program().general.validity_period
        with self._lock:
            waiting = list(self._waiting.values())
        for ticket in waiting:
            job_id = ticket.job_id
            self.looked_at = time.monotonic()
            try:
                folder = JobFolder(self._spool.jobs / job_id)
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
