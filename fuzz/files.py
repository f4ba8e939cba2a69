"""Files of the moment: targets that read a path find their input there."""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Memory, where the system has such a place: a million files need no disk.
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


class Scratch:
    """A folder that goes with the process."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dicomprinter-fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None))
        # What a reader keeps of a file it knows by its name and time, which may be too coarse for us: names change.
        self._names: Iterator[int] = itertools.cycle(range(8))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)

    def file(self, data: bytes, ending: str = "") -> Path:
        """A new file with this content."""
        path = self.folder / f"x{next(self._names)}{ending}"
        path.write_bytes(data)
        return path

    def each(self, *contents: bytes) -> Iterator[Path]:
        """A new file for each different content, one after the other."""
        for data in dict.fromkeys(contents):
            yield self.file(data)
