"""A folder outside the spool into which several jobs, workers and services write numbered files at once.

Whoever writes holds the folder's lock. Where a file server knows no locks, numbers still cannot collide, for a name is
made only where there is none; the DICOMDIR may then lack what two wrote in the same moment.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from dicomprinter.errors import TransientError
from dicomprinter.job.disk import sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dicomprinter.actions.save.names import Place

_LOCK: Final = ".dicomprinter.lock"
_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.01
# File systems without hard links: FAT, some file servers.
_NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)
_REMEDIES: Final = {
    errno.ENOSPC: "make room there; what was saved is not saved again",
    errno.EDQUOT: "raise the quota; what was saved is not saved again",
    errno.EACCES: "give the program's user the right to write there",
    errno.EPERM: "give the program's user the right to write there",
    errno.EROFS: "mount it for writing; for a service of systemd name it in ReadWritePaths=",
}


@dataclass
class Archive:
    """A folder for numbered files; made when it is first locked.

    Args:
        root: the folder.
        what: how messages name it: its pattern, for the path may hold a patient's name.
        tag: ends the names of files that are being written; no other job has it.
    """

    root: Path
    what: str
    tag: str
    knows_locks: bool = True
    """False once its file server has refused one."""
    _highest: dict[tuple[Path, str], int] = field(default_factory=dict)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder.

        Raises:
            TransientError: it cannot be made or locked, or another one holds it for too long.
        """
        with self.telling():
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / _LOCK, thread_local=False)
            try:
                lock.acquire(timeout=_PATIENCE_SECONDS, poll_interval=_POLL_SECONDS)
            except Timeout:
                raise TransientError(
                    f"the folder {self.what} is in use by another program for more than {_PATIENCE_SECONDS:g} s",
                    remedy="it is tried again",
                    private=str(self.root),
                ) from None
            except NotImplementedError:
                self.knows_locks = False
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Around what is done there: the archive's disk is not the spool's, so the workflow decides what happens.

        Raises:
            TransientError: the system refuses.
        """
        try:
            yield
        except OSError as error:
            raise TransientError(
                f"the folder {self.what} cannot be written: {error.strerror or type(error).__name__}",
                remedy=_REMEDIES.get(error.errno or 0, "see whether it is there, and connected"),
                private=str(error.filename or self.root),
            ) from None

    def next_file(self, place: Place) -> Path:
        """The name after the highest number of a folder; whatever ends it, a name with that number counts."""
        place.folder.mkdir(parents=True, exist_ok=True)
        key = (place.folder, place.stem)
        number = self._highest.get(key, 0) + 1
        if number == 1 or os.path.lexists(place.file(number)):
            number = _highest(place.folder, place.stem) + 1
        self._highest[key] = number
        return place.file(number)

    def publish(self, target: Path, write: Callable[[Path], object]) -> bool:
        """Make a file that is whole from the moment it has its name; False when there is one of this name."""
        partial = self.partial(target)
        try:
            write(partial)
            sync_file(partial)
            _rename_to_new(partial, target)
        except FileExistsError:
            return False
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        sync_folder(target.parent)
        return True

    def fill(self, target: Path, write: Callable[[Path], object]) -> None:
        """Put a file in the place of the one that is there."""
        partial = self.partial(target)
        try:
            write(partial)
            sync_file(partial)
            partial.replace(target)
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        sync_folder(target.parent)

    def partial(self, target: Path) -> Path:
        """What a file is called while it is being written."""
        return target.with_name(f".{target.name}.{self.tag}")


def copy(source: Path, target: Path) -> None:
    """Write a copy of a file."""
    shutil.copyfile(source, target)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or make a copy where the file system knows no second names."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS and os.name != "nt":
            raise
        copy(source, target)


def _highest(folder: Path, stem: str) -> int:
    """The highest number that a name of this stem has."""
    pattern = re.compile(re.escape(stem) + r"_([0-9]{1,18})(\.[^_]*)?", re.IGNORECASE)
    with os.scandir(folder) as entries:
        return max((int(match[1]) for entry in entries if (match := pattern.fullmatch(entry.name))), default=0)


def _rename_to_new(source: Path, target: Path) -> None:
    """Rename, but never onto a file that is there.

    Raises:
        FileExistsError: there is one.
    """
    if os.name == "nt":
        # Windows replaces nothing by this call.
        source.rename(target)
        return
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # The name is taken by an empty file of ours, which is then replaced.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        source.replace(target)
