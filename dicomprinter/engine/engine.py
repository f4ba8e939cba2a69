"""The engine: decides when each job runs, and forgets none."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from dicomprinter.engine.commands import apply
from dicomprinter.engine.matches import take_file
from dicomprinter.engine.restore import restore, wishes
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.sweeper import Sweeper
from dicomprinter.errors import DicomPrinterError, SpoolError
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.match import match_file
from dicomprinter.job.parts import State
from dicomprinter.workflow.interpreter import Held, Next, Suspended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dicomprinter.actions.base import Tools
    from dicomprinter.engine.spool import Spool
    from dicomprinter.job.job import Job
    from dicomprinter.program import Program

_LOG = logging.getLogger("dicomprinter.engine")
_AFTER_A_FAULT_SECONDS = 5.0
_COMMAND_SECONDS = 1.0
_CLOCK_TOLERANCE = timedelta(minutes=1)


@dataclass(frozen=True)
class _Waiting:
    """What the engine keeps in memory of a job that waits."""

    state: State
    wake_at: datetime | None
    accepted: datetime


class Engine:
    """Runs the jobs of one spool on some workers.

    Every job's truth lies in its folder: in memory are ids and times only. `stop` ends it within seconds, `reload`
    gives it another configuration, from each job's next node on.
    """

    def __init__(self, spool: Spool, program: Program, tools: Tools, workers: int = 2) -> None:
        self.spool = spool
        self._program = program
        self._tools = tools
        self._ready: list[str] = []
        self._waiting: dict[str, _Waiting] = {}
        self._running: set[str] = set()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._look = threading.Event()
        self._sweeper = Sweeper()
        self._runner = Runner(
            spool,
            tools,
            lambda: self._program,
            self._is_to_stop,
            redact=lambda: self._program.general.redact,
            sweep=self._sweeper.put,
        )
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True) for number in range(workers)
        ]
        self._threads.append(threading.Thread(target=self._schedule, name="scheduler", daemon=True))
        self._looked_at = time.monotonic()

    def start(self) -> None:
        """Take up every job of the spool and begin."""
        for job_id in self.spool.job_ids():
            try:
                self._take_up(self.spool.load(job_id))
            except SpoolError as error:
                _LOG.error("%s", error, extra={"job": job_id})
            except OSError as error:
                self._after_a_fault(job_id, f"the job cannot be read: {error.strerror}")
        self._sweeper.start()
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job) -> None:
        """Queue a new job, which is safe in the spool."""
        self._take_up(job)

    def reload(self, program: Program) -> None:
        """Go on with another configuration; a node that runs is finished with the old one."""
        self._program = program

    @property
    def program(self) -> Program:
        """The current configuration."""
        return self._program

    def stop(self, timeout: float = 5.0) -> bool:
        """Let the nodes that run come to their end; False when some did not in time (they will be repeated)."""
        self._stopping.set()
        self._look.set()
        with self._changed:
            self._changed.notify_all()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._sweeper.stop(deadline)
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The workers and the scheduler, for whoever watches over them."""
        return tuple(self._threads)

    @property
    def looked_at(self) -> float:
        """When the scheduler last came round, or to the next waiting job; on the monotonic clock, in seconds."""
        return self._looked_at

    def wake(self) -> None:
        """Look at the waiting jobs now."""
        self._look.set()

    def idle(self, timeout: float) -> bool:
        """Wait until nothing is ready or runs; False when it did not come to that."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._ready and not self._running, timeout)

    def _is_to_stop(self, job: Job) -> bool:
        """Whether a job is left after the node that runs; an operator's command is carried out between two nodes."""
        return self._stopping.is_set() or job.folder.has_command()

    def _take_up(self, job: Job) -> None:
        with self._changed:
            if job.state.is_waiting or job.state is State.EXPIRED:
                self._waiting[job.id] = _Waiting(job.state, job.wake_at, job.facts.accepted)
                if job.wake_at is not None:
                    self._look.set()
            else:
                heapq.heappush(self._ready, job.id)
            self._changed.notify_all()

    # Workers

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._ready) or self._stopping.is_set())
                if self._stopping.is_set():
                    return
                job_id = heapq.heappop(self._ready)
                self._running.add(job_id)
            try:
                self._run(job_id)
            except SpoolError as error:
                _LOG.error("%s", error, extra={"job": job_id})
            except OSError as error:
                self._after_a_fault(job_id, f"the disk failed: {error.strerror}")
            except Exception as error:  # noqa: BLE001 - a worker that dies would leave its jobs to nobody
                _LOG.exception("a fault of the engine", extra={"job": job_id})
                self._hold_after_a_fault(job_id, type(error).__name__)
            finally:
                with self._changed:
                    self._running.discard(job_id)
                    self._changed.notify_all()

    def _run(self, job_id: str) -> None:
        job = self.spool.load(job_id)
        # One for a job that does not wait: what was on its way here.
        take_file(job)
        command = job.folder.read_command()
        if command is not None:
            apply(job, command, self._discard)
            if not job.folder.path.exists():
                return
            job.folder.clear_command()
        if job.state in (State.HELD, State.MANUAL):
            # What was on its way here is damaged by now; a person has to look at it.
            self._take_up(job)
            return
        outcome = self._runner.run(job)
        if isinstance(outcome, Held | Suspended | Next):
            self._take_up(job)

    def _discard(self, job: Job) -> None:
        self._runner.leave(job, "discarded")

    def _hold_after_a_fault(self, job_id: str, kind: str) -> None:
        """A fault of the program would come again: the job waits for a person as it was last written down."""
        try:
            job = self.spool.load(job_id)
            job.state, job.reason = State.HELD, f"a fault of the engine ({kind}); report it with the log, then resume"
            job.folder.save(job, secure=True)
            job.note(job.reason, level="ERROR")
            self._take_up(job)
        except SpoolError as error:
            _LOG.error("%s", error, extra={"job": job_id})
        except OSError as error:
            self._after_a_fault(job_id, f"the disk failed: {error.strerror}")

    def _after_a_fault(self, job_id: str, why: str) -> None:
        """The job stays as it was last written down, and is tried again a little later."""
        _LOG.error("%s; the job is kept and tried again in %g s", why, _AFTER_A_FAULT_SECONDS, extra={"job": job_id})

        def again() -> None:
            with self._changed:
                heapq.heappush(self._ready, job_id)
                self._changed.notify_all()

        timer = threading.Timer(_AFTER_A_FAULT_SECONDS, again)
        timer.daemon = True
        timer.start()

    # The scheduler

    def _schedule(self) -> None:
        while not self._stopping.is_set():
            self._looked_at = time.monotonic()
            self._look_at_wishes()
            self._look_at_waiting()
            self._look.wait(self._pause())
            self._look.clear()

    def _pause(self) -> float:
        """Until the next job is due, at most CheckingInterval, and never so long that an operator gives up waiting."""
        now = self._tools.clock()
        with self._changed:
            due = [w.wake_at for w in self._waiting.values() if w.wake_at is not None]
        longest = self._program.general.checking_interval.total_seconds()
        return min([longest, _COMMAND_SECONDS, *(max(0.0, (at - now).total_seconds()) for at in due)])

    def _look_at_wishes(self) -> None:
        """Take back the expired jobs that operators want back."""
        for file, job_id, token in wishes(self.spool):
            try:
                job, _ = restore(self.spool, job_id, self._tools.clock(), token)
                self._take_up(job)
            except DicomPrinterError as error:
                _LOG.error("it cannot be restored: %s", error, extra={"job": job_id})
            except OSError as error:
                _LOG.error("the disk failed: %s; the job is restored later", error.strerror, extra={"job": job_id})
                continue
            except Exception:  # noqa: BLE001 - a scheduler that dies would wake nobody
                _LOG.exception("a fault of the engine; the job stays expired", extra={"job": job_id})
            file.unlink(missing_ok=True)

    def _look_at_waiting(self) -> None:
        now = self._tools.clock()
        oldest = now - self._program.general.validity_period
        with self._changed:
            waiting = list(self._waiting.items())
        for job_id, entry in waiting:
            self._looked_at = time.monotonic()
            try:
                folder = JobFolder(self.spool.jobs / job_id)
                if folder.has_command():
                    self._command(job_id, folder.read_command() or {})
                elif match_file(folder.path) is not None:
                    self._match(job_id)
                elif self._is_due(entry, now):
                    self._wake(job_id)
                elif entry.accepted < oldest or entry.state is State.EXPIRED:
                    self._expire(job_id)
            except SpoolError as error:
                _LOG.error("%s", error, extra={"job": job_id})
                self._forget(job_id)
            except OSError as error:
                _LOG.error("the disk failed: %s; the job still waits", error.strerror, extra={"job": job_id})
            except Exception:  # noqa: BLE001 - a scheduler that dies would wake nobody
                _LOG.exception("a fault of the engine; the job still waits", extra={"job": job_id})

    def _command(self, job_id: str, command: dict[str, object]) -> None:
        job = self.spool.load(job_id)
        with self._taken_up_again(job):
            apply(job, command, self._discard)
            job.folder.clear_command()

    def _match(self, job_id: str) -> None:
        job = self.spool.load(job_id)
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
                found = self.spool.load(job.id)
                self._forget(job.id)
                self._take_up(found)
            else:
                self._forget(job.id)

    def _is_due(self, entry: _Waiting, now: datetime) -> bool:
        """Whether a suspended job's time has come; also when the clock, or SuspensionTime, was set back."""
        if entry.wake_at is None:
            return False
        longest = self._program.suspension_time + _CLOCK_TOLERANCE
        return entry.wake_at <= now or entry.wake_at - now > longest

    def _wake(self, job_id: str) -> None:
        self._forget(job_id)
        with self._changed:
            heapq.heappush(self._ready, job_id)
            self._changed.notify_all()

    def _expire(self, job_id: str) -> None:
        job = self.spool.load(job_id)
        if job.state is not State.EXPIRED:
            was = f"it was {job.state.value}: {job.reason or 'no reason'}"
            job.reason = f"unfinished for longer than ValidityPeriod; {was}"
            job.state, job.wake_at, job.asks = State.EXPIRED, None, None
            kept = f"it is kept in spool/expired/{job_id}; dicomprinter jobs restore {job_id} takes it back"
            job.note(f"expired: unfinished for longer than ValidityPeriod; {kept}", level="WARN")
            job.folder.save(job, secure=True)
        job.folder.path.rename(self.spool.expired / job_id)
        self._forget(job_id)

    def _forget(self, job_id: str) -> None:
        with self._changed:
            self._waiting.pop(job_id, None)
