"""The engine: decides when each job runs, and forgets none."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from typing import TYPE_CHECKING

from dicomprinter.engine.commands import apply
from dicomprinter.engine.matches import take_file
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.scheduler import Scheduler
from dicomprinter.engine.startup import take_up_all
from dicomprinter.engine.sweeper import Sweeper
from dicomprinter.engine.ticket import Ticket
from dicomprinter.errors import SpoolError
from dicomprinter.job.parts import State
from dicomprinter.workflow.interpreter import Held, Next, Suspended

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.engine.spool import Spool
    from dicomprinter.job.job import Job
    from dicomprinter.program import Program

_LOG = logging.getLogger("dicomprinter.engine")
_AFTER_A_FAULT_SECONDS = 5.0


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
        self._running: set[str] = set()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._sweeper = Sweeper()
        self._runner = Runner(
            spool,
            tools,
            lambda: self._program,
            self._is_to_stop,
            redact=lambda: self._program.general.redact,
            sweep=self._sweeper.put,
        )
        self._scheduler = Scheduler(
            spool,
            tools.clock,
            lambda: self._program,
            take_up=self._take_up,
            wake=lambda ticket: self._queue(ticket.job_id),
            discard=self._discard,
            stopping=self._stopping,
        )
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True) for number in range(workers)
        ]
        self._threads.append(threading.Thread(target=self._scheduler.run, name="scheduler", daemon=True))

    def start(self) -> None:
        """Take up every job of the spool and begin."""
        take_up_all(self.spool, self._take_up, self._after_a_fault)
        self._sweeper.start()
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job) -> None:
        """Queue a new job, which is safe in the spool."""
        self._take_up(Ticket.of(job))

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
        self._scheduler.look_soon()
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
        return self._scheduler.looked_at

    def wake(self) -> None:
        """Look at the waiting jobs now."""
        self._scheduler.look_soon()

    def idle(self, timeout: float) -> bool:
        """Wait until nothing is ready or runs; False when it did not come to that."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._ready and not self._running, timeout)

    def _is_to_stop(self, job: Job) -> bool:
        """Whether a job is left after the node that runs; an operator's command is carried out between two nodes."""
        return self._stopping.is_set() or job.folder.has_command()

    def _take_up(self, ticket: Ticket) -> None:
        if ticket.is_ready:
            self._queue(ticket.job_id)
        else:
            self._scheduler.add(ticket)

    def _queue(self, job_id: str) -> None:
        with self._changed:
            heapq.heappush(self._ready, job_id)
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
            self._take_up(Ticket.of(job))
            return
        outcome = self._runner.run(job)
        if isinstance(outcome, Held | Suspended | Next):
            self._take_up(Ticket.of(job))

    def _discard(self, job: Job) -> None:
        self._runner.leave(job, "discarded")

    def _hold_after_a_fault(self, job_id: str, kind: str) -> None:
        """A fault of the program would come again: the job waits for a person as it was last written down."""
        try:
            job = self.spool.load(job_id)
            job.state, job.reason = State.HELD, f"a fault of the engine ({kind}); report it with the log, then resume"
            job.folder.save(job, secure=True)
            job.note(job.reason, level="ERROR")
            self._take_up(Ticket.of(job))
        except SpoolError as error:
            _LOG.error("%s", error, extra={"job": job_id})
        except OSError as error:
            self._after_a_fault(job_id, f"the disk failed: {error.strerror}")

    def _after_a_fault(self, job_id: str, why: str) -> None:
        """The job stays as it was last written down, and is tried again a little later."""
        _LOG.error("%s; the job is kept and tried again in %g s", why, _AFTER_A_FAULT_SECONDS, extra={"job": job_id})
        timer = threading.Timer(_AFTER_A_FAULT_SECONDS, self._queue, (job_id,))
        timer.daemon = True
        timer.start()
