"""What the engine keeps in memory of a job: everything else lies in the job's folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.job.parts import MIDDLE_PRIORITY, State

if TYPE_CHECKING:
    from datetime import datetime

    from dicomprinter.job.glance import Glance
    from dicomprinter.job.job import Job


@dataclass(frozen=True, slots=True)
class Ticket:
    """Enough to know when a job is next to be touched.

    Args:
        job_id: the job.
        state: where it stands.
        wake_at: when a suspended job goes on; None for one that waits for a person.
        accepted: when the spool took it; its age counts from here.
        waits_for: the destination (`AET@host:port`) whose failure has suspended it; None when it waits for another
            reason.
        size: its pages and frames.
        host: the client's.
        user: whose job it is.
        priority: the highest of the ready jobs runs first, then the one that came first.
    """

    job_id: str
    state: State
    wake_at: datetime | None
    accepted: datetime
    waits_for: str | None = None
    size: int = 1
    priority: int = MIDDLE_PRIORITY
    host: str = ""
    user: str = ""

    @classmethod
    def of(cls, job: Job | Glance) -> Self:
        """Of a job that has been read, or looked at."""
        facts = job.facts
        return cls(
            job_id=job.id,
            state=job.state,
            wake_at=job.wake_at,
            accepted=facts.accepted,
            waits_for=job.waits_for,
            size=facts.size,
            priority=facts.priority,
            host=facts.host,
            user=facts.user,
        )

    @property
    def is_ready(self) -> bool:
        """Whether a worker is to take it; else it waits for a time or a person, or is on its way to `expired/`."""
        return not (self.state.is_waiting or self.state is State.EXPIRED)
