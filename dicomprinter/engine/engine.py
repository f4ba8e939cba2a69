"""The engine: decides when each job runs, and forgets none."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dicomprinter.engine.clock_watch import ClockWatch
from dicomprinter.engine.commands import apply
from dicomprinter.engine.destination import Breaker
from dicomprinter.engine.destinations import Destinations
from dicomprinter.engine.matches import take_file
from dicomprinter.engine.prober import Prober, echo
from dicomprinter.engine.queue import Queue
from dicomprinter.engine.recovery import Recovery
from dicomprinter.engine.runner import Parked, Runner
from dicomprinter.engine.scheduler import Scheduler
from dicomprinter.engine.siblings import QueueSiblings, group_of
from dicomprinter.engine.startup import take_up_all
from dicomprinter.engine.sweeper import Sweeper
from dicomprinter.engine.ticket import Ticket
from dicomprinter.errors import Interrupted, SpoolError
from dicomprinter.job.parts import State
from dicomprinter.workflow.interpreter import Held, Next, Suspended

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomprinter.actions.base import Tools
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.engine.spool import Spool
    from dicomprinter.job.job import Job
    from dicomprinter.program import Program

_LOG = logging.getLogger("dicomprinter.engine")
_AFTER_A_FAULT_SECONDS = 5.0
_AFTER_KILLING_SECONDS = 1.0


class Engine:
    """Runs the jobs of one spool on some workers.

    Every job's truth lies in its folder: in memory are ids and times only. `stop` ends it within seconds, `reload`
    gives it another configuration, from each job's next node on.
    """

    def __init__(
        self,
        spool: Spool,
        program: Program,
        tools: Tools,
        workers: int = 2,
        *,
        destinations: Destinations | None = None,
        ask: Callable[[Peer], str] = echo,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.spool = spool
        self._program = program
        self._tools = tools
        self._destinations = destinations or Destinations(tools.clock)
        self._queue = Queue(
            workers,
            lambda key: self._destinations.breaker(key) is Breaker.OPEN,
            self._destinations.is_healthy,
            lambda ticket: group_of(self._program, ticket),
        )
        self._stopping = threading.Event()
        self._sweeper = Sweeper(spool.secure_ledger)
        self._runner = Runner(
            spool,
            replace(tools, siblings=QueueSiblings(self._queue, spool, tools.clock)),
            lambda: self._program,
            self._is_to_stop,
            redact=lambda: self._program.general.redact,
            sweep=self._sweeper.put,
            destinations=self._destinations,
            enter=self._queue.enter,
            free=self._queue.leave,
            passed=self._queue.passed,
        )
        self._recovery = Recovery(self._destinations)
        self._scheduler = Scheduler(
            spool,
            ClockWatch(tools.clock, steady),
            lambda: self._program,
            self._recovery,
            take_up=self._take_up,
            wake=self._wake,
            discard=self._discard,
            stopping=self._stopping,
        )
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True) for number in range(workers)
        ]
        self._threads.append(threading.Thread(target=self._scheduler.run, name="scheduler", daemon=True))
        self._prober = Prober(self._destinations, spool.destinations_file, self._stopping, ask=ask)
        self._threads.append(threading.Thread(target=self._prober.run, name="prober", daemon=True))
        self._destinations.configure(program)
        self._destinations.on_change = self._on_change

    def start(self) -> None:
        """Take up every job of the spool and begin."""
        self._prober.read()
        take_up_all(self.spool, partial(self._take_up, is_read=False), self._unread)
        self._sweeper.start()
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job) -> None:
        """Queue a new job, which is safe in the spool."""
        self._take_up(Ticket.of(job))

    def reload(self, program: Program) -> None:
        """Go on with another configuration; a node that runs is finished with the old one."""
        self._program = program
        self._destinations.configure(program)

    @property
    def program(self) -> Program:
        """The current configuration."""
        return self._program

    def stop(self, timeout: float = 5.0) -> bool:
        """Let the nodes that run come to their end; False when some did not in time (they will be repeated)."""
        self._stopping.set()
        self._scheduler.look_soon()
        self._prober.look_soon()
        self._queue.stop()
        deadline = time.monotonic() + timeout
        self._join(deadline)
        is_at_rest = not any(thread.is_alive() for thread in self._threads)
        # No program outlives the service.
        self._tools.programs.close()
        if not is_at_rest:
            self._join(time.monotonic() + _AFTER_KILLING_SECONDS)
        self._sweeper.stop(deadline)
        return is_at_rest

    def _join(self, deadline: float) -> None:
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The workers, the scheduler and the prober, for whoever watches over them."""
        return tuple(self._threads)

    @property
    def looked_at(self) -> float:
        """When the scheduler last came round, or to the next waiting job; on the monotonic clock, in seconds."""
        return self._scheduler.looked_at

    def wake(self) -> None:
        """Look at the waiting jobs now."""
        self._scheduler.look_soon()

    def idle(self, timeout: float) -> bool:
        """Wait until nothing is ready, runs or is parked; False when it did not come to that."""
        return self._queue.idle(timeout)

    def _is_to_stop(self, job: Job) -> bool:
        """Whether a job is left after the node that runs; an operator's command is carried out between two nodes."""
        return self._stopping.is_set() or job.folder.has_command()

    def _take_up(self, ticket: Ticket, *, is_read: bool = True) -> None:
        if ticket.is_ready:
            self._queue.put(ticket)
        else:
            self._scheduler.add(ticket, is_read=is_read)

    def _wake(self, ticket: Ticket) -> None:
        if ticket.waits_for is None:
            self._queue.put(ticket)
        else:
            self._queue.line_up(ticket, ticket.waits_for)

    def _on_change(self) -> None:
        """Another number of jobs may go to a destination than before."""
        self._queue.refresh()
        self._scheduler.recover_soon()
        self._prober.look_soon()

    # Workers

    def _work(self) -> None:
        while (ticket := self._queue.take()) is not None:
            job_id, after = ticket.job_id, None
            try:
                after = self._run(job_id)
            except Interrupted:
                _LOG.info("the node that runs is repeated at the next start", extra={"job": job_id})
            except SpoolError as error:
                _LOG.error("%s", error, extra={"job": job_id})
            except OSError as error:
                self._after_a_fault(ticket, f"the disk failed: {error.strerror}")
            except Exception as error:  # noqa: BLE001 - a worker that dies would leave its jobs to nobody
                _LOG.exception("a fault of the engine", extra={"job": job_id})
                after = self._hold_after_a_fault(ticket, type(error).__name__)
            if isinstance(after, Parked):
                self._queue.park(job_id, after.destination)
                continue
            is_ready = after is not None and after.is_ready
            self._end(job_id, waits_on=after is not None and after.waits_for is not None)
            self._queue.done(job_id, after if is_ready else None)
            if after is not None and not is_ready:
                self._scheduler.add(after)

    def _end(self, job_id: str, *, waits_on: bool) -> None:
        self._destinations.ended(job_id, waits_on=waits_on)
        if self._recovery.ended(job_id, waits_on=waits_on):
            self._scheduler.recover_soon()

    def _run(self, job_id: str) -> Ticket | Parked | None:
        """Run a job; what is to become of it then, None when it has left."""
        job = self.spool.load(job_id)
        # One for a job that does not wait: what was on its way here.
        take_file(job)
        command = job.folder.read_command()
        if command is not None:
            apply(job, command, self._discard)
            if not job.folder.path.exists():
                return None
            job.folder.clear_command()
        if job.state in (State.HELD, State.MANUAL):
            # What was on its way here is damaged by now; a person has to look at it.
            return Ticket.of(job)
        outcome = self._runner.run(job)
        if isinstance(outcome, Parked):
            return outcome
        return Ticket.of(job) if isinstance(outcome, Held | Suspended | Next) else None

    def _discard(self, job: Job) -> None:
        self._runner.leave(job, "discarded")

    def _hold_after_a_fault(self, ticket: Ticket, kind: str) -> Ticket | None:
        """A fault of the program would come again: the job waits for a person as it was last written down."""
        try:
            job = self.spool.load(ticket.job_id)
            job.state, job.reason = State.HELD, f"a fault of the engine ({kind}); report it with the log, then resume"
            job.folder.save(job, secure=True)
            job.note(job.reason, level="ERROR")
            return Ticket.of(job)
        except SpoolError as error:
            _LOG.error("%s", error, extra={"job": ticket.job_id})
        except OSError as error:
            self._after_a_fault(ticket, f"the disk failed: {error.strerror}")
        except Exception as error:  # noqa: BLE001 - not even this ends a worker
            self._after_a_fault(ticket, f"a fault of the engine, and the job cannot be held ({type(error).__name__})")
        return None

    def _unread(self, job_id: str, why: str) -> None:
        """A job that cannot be read at the start."""
        self._after_a_fault(Ticket(job_id, State.QUEUED, None, self._tools.clock()), why)

    def _after_a_fault(self, ticket: Ticket, why: str) -> None:
        """The job stays as it was last written down, and is tried again a little later."""
        told = {"job": ticket.job_id}
        _LOG.error("%s; the job is kept and tried again in %g s", why, _AFTER_A_FAULT_SECONDS, extra=told)
        self._queue.put_later(ticket, _AFTER_A_FAULT_SECONDS)
