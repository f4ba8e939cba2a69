"""The jobs behind a job in the queue, as MergeJob sees them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicomprinter.actions.merge.action import MergeJob
from dicomprinter.engine.ticket import Ticket
from dicomprinter.errors import SpoolError
from dicomprinter.job.merged import folders
from dicomprinter.job.parts import START, State
from dicomprinter.workflow.nodes import Perform

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from dicomprinter.engine.queue import Queue
    from dicomprinter.engine.spool import Spool
    from dicomprinter.job.job import Job
    from dicomprinter.job.merged import Taken
    from dicomprinter.program import Program


class NoSiblings:
    """Where there is no queue: a job that runs in the foreground, a dry run."""

    are_there = False

    def claim(self, job: Job, seconds: float) -> Job | None:  # noqa: ARG002 - as actions.base.Siblings has it
        """None."""
        return None

    def release(self, sibling: Job) -> None:
        """Nothing was claimed."""

    def merged(self, taken: Taken, into: Job) -> None:
        """Nothing was taken in here."""


@dataclass(frozen=True)
class QueueSiblings:
    """The jobs of an engine's queue.

    Args:
        queue: where they wait.
        spool: where they lie.
        clock: the local time.
    """

    queue: Queue
    spool: Spool
    clock: Callable[[], datetime]
    are_there = True

    def claim(self, job: Job, seconds: float) -> Job | None:
        """As `actions.base.Siblings` has it; one that has gone meanwhile is passed over."""
        until = time.monotonic() + seconds
        while True:
            ticket = self.queue.claim(job.id, max(0.0, until - time.monotonic()))
            if ticket is None:
                return None
            try:
                sibling = self.spool.load(ticket.job_id)
            except SpoolError:
                # An operator has discarded it, say.
                continue
            except OSError:
                # Whoever runs it hears of the disk.
                self.queue.put(ticket)
                return None
            if _is_fresh(sibling):
                return sibling
            self.queue.put(ticket)
            return None

    def release(self, sibling: Job) -> None:
        """As `actions.base.Siblings` has it."""
        self.queue.put(Ticket.of(sibling))

    def merged(self, taken: Taken, into: Job) -> None:
        """As `actions.base.Siblings` has it."""
        self.spool.write_ledger(merged_line(taken, into, self.clock()))


def merged_line(taken: Taken, into: Job, now: datetime) -> dict[str, Any]:
    """What the ledger says of a job that is part of another one."""
    return {
        "time": now.isoformat(timespec="milliseconds"),
        "job": taken.id,
        "outcome": "merged",
        "reason": None,
        "into": into.id,
        "source": into.facts.source,
        "host": into.facts.host,
        "user": into.facts.user,
        "accepted": taken.accepted.isoformat(timespec="milliseconds"),
        "pages": len(taken.payload.pages),
        "documents": len(taken.payload.documents),
        "stored": 0,
    }


def _is_fresh(job: Job) -> bool:
    """Whether nothing has been done with it, and nobody wants anything of it."""
    has_begun = job.state is not State.QUEUED or job.position != START or job.entries or job.retries or job.instances
    return not (has_begun or job.leaving or job.match or job.folder.has_command() or folders(job.folder.path))


def merges_of(program: Program) -> list[MergeJob]:
    """What in a workflow merges jobs."""
    performed = (program.actions[node.action] for node in program.workflow.walk() if isinstance(node, Perform))
    return [action for action in performed if isinstance(action, MergeJob)]


def group_of(program: Program, ticket: Ticket) -> Hashable | None:
    """What jobs have in common that a workflow may merge; None where it merges none."""
    merges = merges_of(program)
    if not merges:
        return None
    host = ticket.host if all(action.match_host for action in merges) else ""
    user = ticket.user if all(action.match_user for action in merges) else ""
    return host, user


def may_merge(program: Program, job: Job) -> bool:
    """Whether a MergeJob comes at the job's position or after it, in the order of the file."""
    workflow = program.workflow
    node = workflow.find(job.position)
    is_ahead = False
    for other in workflow.walk() if node is not None else ():
        is_ahead = is_ahead or other is node
        if is_ahead and isinstance(other, Perform) and isinstance(program.actions[other.action], MergeJob):
            return True
    return False
