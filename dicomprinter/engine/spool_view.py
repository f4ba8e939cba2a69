"""The spool to look into: its folders, its jobs at a glance, whose it is. Imports no DICOM, so that lists are quick."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from dicomprinter.errors import SpoolError
from dicomprinter.job.glance import Glance, glance, rebuilt
from dicomprinter.job.record import DamagedJobError

if TYPE_CHECKING:
    from pathlib import Path


class SpoolView:
    """The folders below `<base>/spool`, without the lock that one needs to change anything in them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = base / "spool"
        self.incoming, self.jobs, self.rejected, self.expired, self.commands = (
            self.root / name for name in ("incoming", "jobs", "rejected", "expired", "commands")
        )
        self.lock = self.root / ".lock"
        self.owner_file = self.root / ".owner"
        self.destinations_file = self.root / "destinations.json"
        self.events_file = self.root / "events.jsonl"

    def job_ids(self) -> list[str]:
        """The ids of all jobs in the spool, in order of arrival."""
        with suppress(FileNotFoundError):
            return sorted(
                entry.name for entry in os.scandir(self.jobs) if not entry.name.startswith(".") and entry.is_dir()
            )
        return []

    def expired_folders(self) -> list[Path]:
        """The folders of the jobs that have expired, in order of arrival."""
        with suppress(FileNotFoundError):
            return sorted(self.expired / entry.name for entry in os.scandir(self.expired) if entry.is_dir())
        return []

    def glance(self, job_id: str) -> Glance:
        """Where a job stands; a damaged one is held.

        Raises:
            SpoolError: the job is not there any more, or not this program's.
            OSError: it cannot be read now.
        """
        folder = self.jobs / job_id
        try:
            return glance(folder)
        except DamagedJobError as error:
            if not folder.exists():
                raise SpoolError(f"the job {job_id} is not there any more") from None
            return rebuilt(folder, error)

    def is_owned(self) -> bool | None:
        """Whether a process owns the spool now; None when that cannot be found out."""
        if not self.lock.exists():
            # To make it here could give it to another user than the service's.
            return False
        try:
            FileLock(self.lock, thread_local=False).acquire(timeout=0).lock.release()
        except Timeout:
            return True
        except OSError:
            return None
        return False

    def owner(self) -> int | None:
        """The process that owns the spool, as it says itself; None when none says so."""
        with suppress(OSError, ValueError):
            return int(self.owner_file.read_text(encoding="ascii"))
        return None
