"""Files of one job in folders outside the spool, each saved once, whatever crashes in between.

    reserve    `saved.jsonl` says the name that the file is to have; on the disk
    write      under another name, brought to the disk, then renamed to that name if nothing has it
    note       `saved.jsonl` says that it is there

A repetition finds what the first run has written by the reserved name, and by what the file holds.
"""

from __future__ import annotations

import filecmp
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dicomprinter.actions.save.archive import copy
from dicomprinter.job.saved import Saved

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomprinter.actions.save.archive import Archive
    from dicomprinter.actions.save.names import Place
    from dicomprinter.job.job import Job


@dataclass(frozen=True)
class Beside:
    """A file that goes with another one, under a name that follows from that one's."""

    name: Callable[[Path], Path]
    source: Path


@dataclass(frozen=True)
class Wanted:
    """A file to be.

    Args:
        key: of the job's files, which this is.
        source: what it is made of.
        write: makes it under the name that it is given: `write(source, target)`.
        is_it: whether a file that is there is this one.
        sop_instance_uid: of an object, else empty.
        beside: what is there before it is.
    """

    key: str
    source: Path
    write: Callable[[Path, Path], object]
    is_it: Callable[[Path], bool]
    sop_instance_uid: str = ""
    beside: tuple[Beside, ...] = ()


@dataclass
class Filing:
    """What one Save has filed of one job.

    Args:
        job: whose files these are.
        action: the Save's name.
        pattern: its `Directory` as it is written; with another one everything is saved again.
    """

    job: Job
    action: str
    pattern: str
    _last: dict[str, Saved] = field(init=False)

    def __post_init__(self) -> None:
        mine = [one for one in self.job.folder.read_saved() if (one.action, one.folder) == (self.action, self.pattern)]
        self._last = {one.key: one for one in mine}

    def done(self, key: str) -> Path | None:
        """Where a file was saved; None when it was not."""
        found = self._last.get(key)
        return Path(found.file) if found is not None and found.done else None

    def files(self) -> dict[str, Path]:
        """Everything that was saved, by its key."""
        return {key: Path(one.file) for key, one in self._last.items() if one.done}

    def save(self, wanted: Wanted, place: Place, archive: Archive) -> Path:
        """Write a file under the next number of its folder; the archive is not locked yet.

        Raises:
            TransientError: the archive cannot be written.
        """
        with archive.locked():
            found = self._found(wanted, archive)
            while found is None:
                with archive.telling():
                    target = archive.next_file(place)
                self._note(wanted, target, done=False)
                with archive.telling():
                    if self._publish(wanted, target, archive):
                        found = target
            self._note(wanted, found, done=True)
        return found

    def _publish(self, wanted: Wanted, target: Path, archive: Archive) -> bool:
        """Write it and what goes with it; False when one of the names is taken."""
        made: list[Path] = []
        is_there = False
        try:
            for other in wanted.beside:
                if not archive.publish(other.name(target), partial(copy, other.source)):
                    return False
                made.append(other.name(target))
            is_there = archive.publish(target, partial(wanted.write, wanted.source))
        finally:
            for file in made if not is_there else ():
                file.unlink(missing_ok=True)
        return is_there

    def _found(self, wanted: Wanted, archive: Archive) -> Path | None:
        """What a run that was interrupted has written; what it left half-written goes."""
        before = self._last.get(wanted.key)
        if before is None:
            return None
        file = Path(before.file)
        with archive.telling():
            archive.partial(file).unlink(missing_ok=True)
            if not file.is_file():
                for other in wanted.beside:
                    left = other.name(file)
                    archive.partial(left).unlink(missing_ok=True)
                    if left.is_file() and filecmp.cmp(left, other.source, shallow=False):
                        left.unlink()
                return None
            if file.stat().st_size == 0:
                # It took the name, and ended before it had the content (a file system without hard links).
                archive.fill(file, partial(wanted.write, wanted.source))
                return file
            return file if wanted.is_it(file) else None

    def _note(self, wanted: Wanted, file: Path, *, done: bool) -> None:
        saved = Saved(self.action, wanted.key, self.pattern, str(file), wanted.sop_instance_uid, done)
        self.job.folder.add_saved(saved)
        self._last[wanted.key] = saved
