"""The DICOMDIR of a folder into which jobs are saved: what a Save has written is added to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydicom import dcmread

from dicomprinter.actions.save.names import file_id
from dicomprinter.dicom.dicomdir import Dicomdir
from dicomprinter.dicom.directory_records import directory_records
from dicomprinter.dicom.uids import derive_uid
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dicomprinter.actions.save.archive import Archive
    from dicomprinter.job.job import Job

_FILE: Final = "DICOMDIR"
_FILE_SET_ID: Final = "DICOM_PRINTER_2"
_LARGE: Final = 1 << 16


@dataclass(frozen=True)
class FileSet:
    """A folder's DICOMDIR, for one job.

    Args:
        job: whose files are added.
        action: the Save's name.
        archive: the folder.
    """

    job: Job
    action: str
    archive: Archive
    _told: set[str] = field(default_factory=set)

    def list(self, files: Sequence[Path]) -> None:
        """Add those that it does not list; one that names an object already is left as it is.

        Raises:
            TransientError: it cannot be read or written.
            PermanentError: the one that is there is damaged.
        """
        archive = self.archive
        file = archive.root / _FILE
        with archive.locked():
            with archive.telling():
                before = file.read_bytes() if file.exists() else None
            try:
                directory = (
                    Dicomdir.empty(_FILE_SET_ID, derive_uid(self.job.id, "file-set", self.action, str(archive.root)))
                    if before is None
                    else Dicomdir(before)
                )
            except ValueError as error:
                raise PermanentError(
                    f"the files are saved, but the DICOMDIR in {archive.what} is damaged, so it does not list them",
                    cause=str(error),
                    remedy="move it away: the next try writes a new one; dcmmkdir makes one of all files of a folder",
                    private=str(file),
                ) from None
            with archive.telling():
                added = [self._add(directory, path) for path in files]
                if any(added):
                    content = directory.content()
                    archive.fill(file, lambda partial: partial.write_bytes(content))

    def _add(self, directory: Dicomdir, path: Path) -> bool:
        """Add a file; False where there is nothing to add, and the history says why that is so."""
        name = file_id(self.archive.root, path)
        if name is None:
            self._tell("a number has more digits than a File ID has room for (PS3.10 8.2), so no DICOMDIR lists it")
            return False
        if not path.is_file():
            # Somebody has taken it away since.
            return False
        try:
            header = dcmread(path, stop_before_pixels=True, defer_size=_LARGE)
            if str(header.file_meta.MediaStorageSOPInstanceUID) in directory.instances:
                return False
            found = directory_records(header, name, self.job.moment())
            directory.add(found.records)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - pydicom raises whatever a strange file leads to
            reason = str(error) if type(error) is ValueError else type(error).__name__
            self._tell("an object cannot be listed in the DICOMDIR", private=reason)
            return False
        if found.invented:
            lacking = ", ".join(found.invented)
            self._tell(f"the DICOMDIR needs {lacking}, which the object lacks; a value stands in there", level="INFO")
        return True

    def _tell(self, what: str, *, level: str = "WARN", private: str = "") -> None:
        """What holds for many objects alike is one line of the history."""
        if what not in self._told:
            self._told.add(what)
            self.job.note(f"{self.action}: {what}", level=level, private=private, deeper=2)
