"""Runs one job until it stops, and writes down where it stands after every node."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydicom import Dataset

from dicomprinter.engine.dry_run import DryNetwork
from dicomprinter.engine.guarded import Guarded
from dicomprinter.engine.matches import asked, refuse_early
from dicomprinter.engine.siblings import may_merge, merged_line
from dicomprinter.job.parts import State
from dicomprinter.workflow.interpreter import Discarded, Done, Held, Next, Outcome, Suspended, destination_of, step

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from dicomprinter.actions.base import Tools
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.engine.destinations import Destinations
    from dicomprinter.engine.spool import Spool
    from dicomprinter.job.job import Job
    from dicomprinter.program import Program


@dataclass(frozen=True)
class Parked(Next):
    """The job is queued until there is a place at this destination."""

    destination: str


@dataclass(frozen=True)
class Runner:
    """What a job needs to run.

    Args:
        spool: where finished jobs are entered in the ledger.
        tools: what actions use.
        program: gives the current configuration; asked before every node.
        stopping: says whether to stop after the node that runs: the service ends, or an operator's command waits.
        before_leaving: sees a finished job before its folder goes; `run` reads its answers there.
        sweep: removes the folder of a finished job, which has lost its name, some time later; at once if there is none.
        destinations: the circuit breakers; without them every attempt goes out.
        enter: takes a place at a destination for a job, by its id; False when there is none.
        free: gives the place back.
        passed: told of a job, by its id, that takes in no others from here on.
        redact: whether the ledger is kept without patient data (RedactSensitiveLogValues); asked for each line.
    """

    spool: Spool
    tools: Tools
    program: Callable[[], Program]
    stopping: Callable[[Job], bool] = lambda _job: False
    before_leaving: Callable[[Job], None] = lambda _job: None
    redact: Callable[[], bool] = lambda: True
    sweep: Callable[[Path], object] | None = None
    destinations: Destinations | None = None
    enter: Callable[[str, str], bool] = lambda _job_id, _destination: True
    free: Callable[[str], None] = lambda _job_id: None
    passed: Callable[[str], None] = lambda _job_id: None

    def run(self, job: Job) -> Outcome:
        """Run nodes until the job is done, waits, or is to stop (Next is returned then, the job is queued).

        Returns:
            `Parked` when a destination has no place for it.
        """
        if job.leaving is not None:
            self.leave(job, job.leaving)
            return Discarded(job.reason or "") if job.leaving == "discarded" else Done()
        before = job.state
        job.state, job.reason, job.wake_at, job.waits_for, job.asks = State.RUNNING, None, None, None, None
        while True:
            program = self.program()
            if not may_merge(program, job):
                self.passed(job.id)
            peer = destination_of(program, job)
            if peer is not None and not self.enter(job.id, str(peer)):
                job.state = State.QUEUED
                if before is not State.QUEUED:
                    job.folder.save(job)
                return Parked(job.position, str(peer))
            if before is not State.RUNNING:
                job.folder.save(job)
                before = State.RUNNING
            outcome = self._step(program, job, peer)
            # It was for the node that ran, whatever became of that.
            job.match = None
            if isinstance(outcome, Held) and outcome.manual:
                job.asks = asked(program, outcome.position)
                if job.asks and isinstance(self.tools.network, DryNetwork):
                    job.note(f"a dry run: {outcome.why}; it goes on as if the job's own values had been chosen")
                    job.position, job.asks, job.match = outcome.position, None, Dataset()
                    continue
            if isinstance(outcome, Next):
                job.position = outcome.position
                stop = self.stopping(job)
                if stop:
                    job.state = State.QUEUED
                job.folder.save(job)
                if stop:
                    return outcome
                continue
            self._settle(job, outcome)
            return outcome

    def _step(self, program: Program, job: Job, peer: Peer | None) -> Outcome:
        """Run a node; what a destination's failure suspends waits for that destination."""
        if peer is None or self.destinations is None:
            return step(program, job, self.tools)
        guarded = Guarded(self.tools.network, self.destinations, job.id)
        try:
            outcome = step(program, job, replace(self.tools, network=guarded))
        finally:
            self.free(job.id)
        if isinstance(outcome, Suspended) and guarded.failed is not None:
            job.waits_for = str(guarded.failed)
            return replace(outcome, until=min(outcome.until, self.destinations.wake_at(guarded.failed, job.id)))
        return outcome

    def _settle(self, job: Job, outcome: Outcome) -> None:
        match outcome:
            case Suspended():
                job.state, job.wake_at = State.SUSPENDED, outcome.until
                job.position, job.reason = outcome.position, outcome.why
                job.note(f"suspended until {outcome.until.isoformat(timespec='seconds')}: {outcome.why}")
            case Held():
                job.state = State.MANUAL if outcome.manual else State.HELD
                job.position, job.reason = outcome.position, outcome.why
                if outcome.manual:
                    job.retries = {}
                    refuse_early(job)
                job.note(f"{job.state.value}: {outcome.why}", level="WARN" if outcome.manual else "ERROR")
            case Discarded():
                job.reason = outcome.why
                job.note(f"discarded: {outcome.why}", level="WARN")
                self.leave(job, "discarded")
                return
            case Done():
                if job.has_left:
                    job.note("done", level="SUCCESS")
                else:
                    job.note("done, and no archive has anything of it: the workflow stored nothing", level="WARN")
                self.leave(job, "done")
                return
        job.folder.save(job, secure=True)

    def leave(self, job: Job, outcome: str) -> None:
        """Enter a finished job in the ledger, without patient data unless redaction is off; take its folder away."""
        now = self.tools.clock()
        # After a crash the line may be there.
        is_entered = job.leaving is not None and self.spool.left(job.id) is not None
        if job.leaving is None:
            # From here on no node is repeated, whatever happens to the ledger.
            job.leaving, job.state = outcome, State.RUNNING
            job.folder.save(job)
        self.before_leaving(job)
        if not is_entered:
            self._enter_taken(job, now)
            self._enter(job, outcome, now)
        if self.sweep is None:
            self.spool.secure_ledger()
        job.folder.remove(self.sweep)

    def _enter_taken(self, job: Job, now: datetime) -> None:
        """Enter what was merged into a job, where a crash came before the line, or a loss of power took it."""
        entered = self.spool.entered([taken.id for taken in job.taken])
        for taken in job.taken:
            if taken.id not in entered:
                self.spool.write_ledger(merged_line(taken, job, now))

    def _enter(self, job: Job, outcome: str, now: datetime) -> None:
        printed = sum(film.printed for film in job.folder.read_films())
        self.spool.write_ledger(
            {
                "time": now.isoformat(timespec="milliseconds"),
                "job": job.id,
                "outcome": outcome,
                "reason": job.reason,
                "source": job.facts.source,
                "host": job.facts.host,
                "user": job.facts.user,
                "accepted": job.facts.accepted.isoformat(timespec="milliseconds"),
                "pages": len(job.payload.pages),
                "documents": len(job.payload.documents),
                "stored": len({(sent.peer, sent.sop_instance_uid) for sent in job.sent() if sent.stored}),
                **({"printed": printed} if printed else {}),
                **({} if self.redact() else _whose(job)),
            }
        )


def _whose(job: Job) -> dict[str, str]:
    """What names the patient and the order, for the ledger of a site whose redaction is off."""
    tags = {name: str(job.dataset.get(name) or "") for name in ("PatientName", "PatientID", "AccessionNumber")}
    return {"name": job.facts.name, **tags, "StudyInstanceUID": job.study_instance_uid}
