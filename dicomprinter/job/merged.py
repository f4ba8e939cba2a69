"""Jobs that a job has taken in: each is a folder in `merged/` of its folder, by its id.

To rename the folder there is what takes a job in: before it there are two jobs, after it one, and no moment has both or
neither. What `job.json` does not know of yet is found when the job is read.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from dicomprinter.job.disk import make_folder, sync_folder
from dicomprinter.job.lines import parsed
from dicomprinter.job.parts import Facts, Payload
from dicomprinter.job.record import DAMAGE, JOB_FILE, read_arrival
from dicomprinter.job.values import made, moment

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from dicomprinter.job.job import Job

FOLDER: Final = "merged"


@dataclass(frozen=True)
class Taken:
    """A job that another one has taken in.

    Args:
        id: its own.
        payload: its files, as they are named in that one's folder.
        accepted: when the spool took it.
        size: its pages and frames.
    """

    id: str
    payload: Payload
    accepted: datetime
    size: int

    def to_json(self) -> dict[str, Any]:
        """As it goes into `job.json`."""
        return {**self.__dict__, "payload": self.payload.to_json(), "accepted": self.accepted.isoformat()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Taken:
        """From `job.json`."""
        payload, accepted = Payload.from_json(data["payload"]), moment(data["accepted"])
        return made(cls, {**data, "payload": payload, "accepted": accepted})


def take_in(job: Job, folder: Path) -> None:
    """Take a job in, which nobody runs; what came in for it is this one's from now on.

    Raises:
        OSError: its folder cannot be moved, and nothing is changed; or it is moved, which may not last.
    """
    place = job.folder.path / FOLDER
    make_folder(place)
    folder.rename(place / folder.name)
    try:
        sync_folder(place)
        sync_folder(folder.parent)
    finally:
        # It would go with this job's folder.
        absorb(job)


def absorb(job: Job) -> None:
    """Have what was taken in, also when `job.json` does not say so yet."""
    known = {one.id for one in job.taken}
    for folder in folders(job.folder.path):
        if folder.name not in known:
            job.take(_taken(folder))


def folders(job_folder: Path) -> list[Path]:
    """The folders of the jobs that a job has taken in, in order of arrival."""
    place = job_folder / FOLDER
    with suppress(FileNotFoundError):
        return sorted(path for path in place.iterdir() if path.is_dir())
    return []


def _taken(folder: Path) -> Taken:
    """A job's files, from the folder that was moved; what came in where nothing more is known."""
    try:
        data = parsed((folder / JOB_FILE).read_bytes())
        facts, payload = Facts.from_json(data["facts"]), Payload.from_json(data["payloads"][data["payload"]])
    except (FileNotFoundError, *DAMAGE):
        data = read_arrival(folder)
        facts, payload = Facts.from_json(data["facts"]), Payload.from_json(data["payload"])
    return Taken(folder.name, _below(payload, f"{FOLDER}/{folder.name}/"), facts.accepted, facts.size)


def _below(payload: Payload, prefix: str) -> Payload:
    """A payload whose files lie in a folder."""
    return Payload(
        tuple(replace(page, file=prefix + page.file) for page in payload.pages),
        tuple(prefix + name for name in payload.documents),
        tuple(prefix + name for name in payload.texts),
        tuple(prefix + name for name in payload.objects),
        tuple(replace(one, name=prefix + one.name) for one in payload.own),
        tuple(replace(one, document=prefix + one.document) for one in payload.edits),
        tuple(replace(one, page=prefix + one.page, document=prefix + one.document) for one in payload.places),
    )
