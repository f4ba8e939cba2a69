"""A job as lists and the engine's memory need it: where it stands, without its dataset. Imports no DICOM."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dicomprinter.job.lines import parsed
from dicomprinter.job.parts import START, Asked, Facts, Position, State
from dicomprinter.job.record import (
    DAMAGE,
    DamagedJobError,
    check_record,
    dataset_file,
    read_arrival,
    read_record,
    reason_to_hold,
    telling_damage,
)
from dicomprinter.job.values import made, moment

if TYPE_CHECKING:
    from pathlib import Path

    from dicomprinter.job.job import Job


@dataclass(frozen=True, slots=True)
class Glance:
    """Where a job stands; what its fields mean is said at `Job`."""

    id: str
    facts: Facts
    folder: Path
    state: State
    reason: str | None
    position: Position = START
    wake_at: datetime | None = None
    waits_for: str | None = None
    dataset_version: int = 0
    asks: Asked | None = None

    @classmethod
    def of(cls, job: Job) -> Glance:
        """Of a job that has been read whole."""
        return cls(
            job.id,
            job.facts,
            job.folder.path,
            job.state,
            job.reason,
            job.position,
            job.wake_at,
            job.waits_for,
            job.dataset_version,
            job.asks,
        )

    def seen(self, is_owned: bool | None) -> Glance:
        """As a person is to see it: none runs in a spool that no process owns."""
        if self.state is not State.RUNNING or is_owned is not False:
            return self
        return replace(
            self,
            state=State.QUEUED,
            reason=self.reason or "its process ended while it ran; the next start goes on there",
        )


def glance(folder: Path) -> Glance:
    """Look at a job's folder.

    Raises:
        DamagedJobError: what says where it stands is torn or gone.
        SpoolError: another version wrote it, or the folder is a copy of another job's.
        OSError: it cannot be read now.
    """
    with telling_damage(folder):
        data, step = read_record(folder)
        found = None
        if step is not None:
            with suppress(*DAMAGE):
                found = _from_json(folder, step)
        return found or _from_json(folder, data)


def check_dataset(looked_at: Glance) -> None:
    """See whether the dataset of a job is whole; its values are not looked at.

    Raises:
        DamagedJobError: it is torn or gone.
        OSError: it cannot be read now.
    """
    with telling_damage(looked_at.folder):
        parsed(dataset_file(looked_at.folder, looked_at.dataset_version).read_bytes())


def rebuilt(folder: Path, error: DamagedJobError) -> Glance:
    """What can be said of a job whose job.json is torn: it is held until a person says what becomes of it."""
    now = datetime.now().astimezone()
    facts = Facts(folder.name, "", "", "damaged", now, now)
    with suppress(OSError, *DAMAGE):
        facts = Facts.from_json(read_arrival(folder)["facts"])
    return Glance(folder.name, facts, folder, State.HELD, reason_to_hold(error))


def _from_json(folder: Path, data: dict[str, Any]) -> Glance:
    check_record(data, folder)
    return Glance(
        id=data["id"],
        facts=Facts.from_json(data["facts"]),
        folder=folder,
        state=State(data["state"]),
        reason=data["reason"],
        position=made(Position, data["position"]),
        wake_at=moment(data["wake_at"]) if data["wake_at"] else None,
        waits_for=data.get("waits_for"),
        dataset_version=data["dataset"],
        asks=Asked.from_json(data["asks"]) if data.get("asks") else None,
    )
