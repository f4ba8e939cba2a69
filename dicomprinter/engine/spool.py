"""The spool: the folders of a base directory, and the lock that gives them to one process."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from dicomprinter.dicom.tags import parse_tag
from dicomprinter.engine.spool_view import SpoolView
from dicomprinter.errors import SpoolError
from dicomprinter.job import lines
from dicomprinter.job.disk import make_folder, sync_file
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.merged import absorb
from dicomprinter.job.parts import START, Facts, Flags, Payload, State
from dicomprinter.job.record import DAMAGE, JOB_FILE, DamagedJobError, reason_to_hold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

UNFINISHED = ".new-"
_ID_TIME = "%Y%m%dT%H%M%S%f"
# Of an id that somebody has made up nothing is taken over: the years have an end.
_LAST_YEAR = 9000
_LEDGER_BYTES = 16 << 20


class SpoolInUseError(SpoolError):
    """Another process owns the spool."""


class Spool(SpoolView):
    """The folders below `<base>/spool`; `open` takes the lock, without it one may only read."""

    def __init__(self, base: Path) -> None:
        super().__init__(base)
        self.ledger = self.root / "ledger.jsonl"
        self._older_ledger = self.ledger.with_name("ledger.1.jsonl")
        self._newest = datetime.min.replace(tzinfo=UTC)
        self._numbering = threading.Lock()
        self._entering = threading.Lock()
        # Any thread may ask whether it is held.
        self._lock = FileLock(self.lock, thread_local=False)

    @classmethod
    def open(cls, base: Path, patience: float = 1.0) -> Self:
        """Make the folders and take the lock; a command line may hold it for a moment, so wait that long.

        Raises:
            SpoolInUseError: another process has it.
            SpoolError: the folders cannot be written.
        """
        spool = cls(base)
        try:
            for folder in (spool.root, spool.incoming, spool.jobs, spool.rejected, spool.expired, spool.commands):
                make_folder(folder)
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
            spool._lock.acquire(timeout=patience)
            spool.owner_file.write_text(str(os.getpid()), encoding="ascii")
        except Timeout:
            raise SpoolInUseError(
                f"the spool {spool.root} is in use by another process{spool._owner_text()}",
                remedy="stop that one, or choose another --base",
            ) from None
        except OSError as error:
            raise SpoolError(
                f"the spool {spool.root} cannot be used",
                cause=f"{error.filename or spool.root}: {error.strerror or type(error).__name__}",
                remedy="check its rights and the disk",
            ) from None
        spool._remove_gone()
        spool._newest = max((_moment(name) for name in spool.job_ids()), default=spool._newest)
        return spool

    def _remove_gone(self) -> None:
        """Go on with the removal of finished jobs; one whose line a loss of power took is entered anew."""
        folders = sorted(self.jobs.glob(".gone-*"))
        # Once for all of them: they may be hundreds, and the ledger's lines a hundred thousand.
        entered = {line.get("job") for line in self._ledger_lines()} if folders else set()
        for gone in folders:
            job_id = gone.name.removeprefix(".gone-")
            if job_id not in entered and (gone / JOB_FILE).exists():
                with suppress(OSError):
                    gone.rename(self.jobs / job_id)
                continue
            shutil.rmtree(gone, ignore_errors=True)

    def close(self) -> None:
        """Give the lock back."""
        self.owner_file.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _owner_text(self) -> str:
        pid = self.owner()
        return f" (process {pid})" if pid else ""

    def new_id(self) -> str:
        """A job's id: sorts by arrival, also when the clock is set back while jobs wait."""
        with self._numbering:
            self._newest = max(datetime.now(UTC), self._newest + timedelta(microseconds=1))
            return f"{self._newest:{_ID_TIME}}-{secrets.token_hex(3)}"

    def find(self, job_id: str) -> JobFolder:
        """A job's folder, by its id or by the beginning of it.

        Raises:
            SpoolError: no such job, or more than one.
        """
        hits = [found for found in self.job_ids() if found == job_id] or [
            found for found in self.job_ids() if found.startswith(job_id)
        ]
        if len(hits) == 1:
            return JobFolder(self.jobs / hits[0])
        if hits:
            raise SpoolError(f'"{job_id}" is the beginning of {len(hits)} jobs', remedy="write more of the id")
        raise SpoolError(
            f'there is no job "{job_id}" in {self.jobs}',
            cause="it has finished, or never was",
            remedy="jobs list shows all",
        )

    def load(self, job_id: str) -> Job:
        """Read a job; a damaged one comes back held, from what it was when it arrived.

        The owner of the lock also writes it down so, beside what was left of it.

        Raises:
            SpoolError: the job is not there any more.
        """
        folder = JobFolder(self.jobs / job_id)
        try:
            return folder.load()
        except DamagedJobError as error:
            if not folder.path.exists():
                raise SpoolError(f"the job {job_id} is not there any more") from None
            job = _rebuilt(job_id, folder, reason_to_hold(error))
            if self._lock.is_locked:
                _set_aside(job)
            return job

    def outcome(self, job_id: str) -> str | None:
        """What the ledger says of a job that has left; None when it says nothing."""
        # The newer one first: it may become the older one meanwhile.
        for ledger in (self.ledger, self._older_ledger):
            said = [line for line in lines.read(ledger) if line.get("job") == job_id]
            if said:
                return str(said[-1]["outcome"])
        return None

    def left(self, job_id: str) -> dict[str, Any] | None:
        """The ledger's line of a job that has left, by its id or the beginning of it; None when there is none.

        Raises:
            SpoolError: it is the beginning of several.
        """
        said = {str(line.get("job")): line for line in self._ledger_lines() if str(line.get("job")).startswith(job_id)}
        if job_id not in said and len(said) > 1:
            raise SpoolError(f'"{job_id}" is the beginning of {len(said)} finished jobs', remedy="write more of the id")
        return said.get(job_id) or next(iter(said.values()), None)

    def entered(self, job_ids: Sequence[str]) -> set[str]:
        """Which of these jobs the ledger has a line of."""
        return {str(line.get("job")) for line in self._ledger_lines(job_ids)} & {*job_ids} if job_ids else set()

    def _ledger_lines(self, having: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Every finished job's line that is kept, the oldest first; `having` as in `lines.read`."""
        return chain.from_iterable(lines.read(file, having) for file in (self._older_ledger, self.ledger))

    def write_ledger(self, line: dict[str, Any]) -> None:
        """Add a finished job's line; any thread may call."""
        # Two that find it full would put the new one in the place of the older one.
        with self._entering:
            with suppress(FileNotFoundError):
                if self.ledger.stat().st_size > _LEDGER_BYTES:
                    # From here on nobody else brings its last lines to the disk.
                    self.secure_ledger()
                    self.ledger.replace(self._older_ledger)
            lines.append(self.ledger, line)

    def secure_ledger(self) -> None:
        """Bring the ledger to the disk, before the folders of the jobs that it tells of are removed."""
        with suppress(FileNotFoundError):
            sync_file(self.ledger)


def _moment(job_id: str) -> datetime:
    """When the job of this id came in; the earliest time for what is no id."""
    with suppress(ValueError):
        moment = datetime.strptime(job_id.partition("-")[0], _ID_TIME).replace(tzinfo=UTC)
        if moment.year < _LAST_YEAR:
            return moment
    return datetime.min.replace(tzinfo=UTC)


def _set_aside(job: Job) -> None:
    torn = job.folder.path / JOB_FILE
    with suppress(FileNotFoundError):
        torn.replace(torn.with_name(JOB_FILE + ".damaged"))
    job.folder.make_missing()
    job.folder.save(job, secure=True)
    job.note(job.reason or "", level="ERROR")


def _rebuilt(job_id: str, folder: JobFolder, why: str) -> Job:
    """What can be said of a job whose job.json is torn: it starts again, with the same UIDs, once a person says so."""
    now = datetime.now().astimezone()
    facts, payload = Facts(job_id, "", "", "damaged", now, now), Payload()
    chosen: list[str] = []
    with suppress(OSError, *DAMAGE):
        facts, payload = folder.read_arrival()
        chosen = [f"{int(parse_tag(name)):08X}" for name in folder.arrival()["tags"]]
    job = Job(
        job_id,
        facts,
        folder,
        state=State.HELD,
        reason=why,
        position=START,
        payload=payload,
        dataset=folder.first_dataset(),
        flags=Flags(set_tags=tuple(sorted(chosen))),
    )
    with suppress(OSError, *DAMAGE):
        absorb(job)
    return job
