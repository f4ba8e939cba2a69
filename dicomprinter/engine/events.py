"""The service's event stream, `spool/events.jsonl`: what people are to be told, a line each."""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from dicomprinter.job import lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_BYTES: Final = 4 << 20


def older(file: Path) -> Path:
    """The file before this one."""
    return file.with_name("events.1.jsonl")


class Events:
    """Adds to an event stream; any thread may. It has two files at most, the older one goes when both are full."""

    def __init__(self, file: Path, most: int = _MOST_BYTES) -> None:
        self.file = file
        self._most = most
        self._adding = threading.Lock()

    def add(self, event: dict[str, Any]) -> None:
        """Add an event; raises OSError when it cannot be written."""
        with self._adding:
            # Windows renames no file that somebody reads now: the next event does.
            with suppress(FileNotFoundError, PermissionError):
                if self.file.stat().st_size > self._most:
                    self.file.replace(older(self.file))
            lines.append(self.file, event)


def read_events(file: Path) -> Iterator[dict[str, Any]]:
    """Every event that is kept, the oldest first; raises OSError when they cannot be read now."""
    return chain.from_iterable(map(lines.read, (older(file), file)))


class NewEvents:
    """The events that come from now on, also over the change to a new file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._number, self._place = self._stands()

    def take(self) -> Iterator[dict[str, Any]]:
        """Those that have come since the last time."""
        number, size = self._stands()
        if number != self._number and self._number is not None:
            yield from self._read(older(self._file))
            self._place = 0
        self._number = number
        if size > self._place:
            yield from self._read(self._file)

    def _stands(self) -> tuple[int | None, int]:
        """Which file it is, and its size."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None, 0
        return found.st_ino, found.st_size

    def _read(self, file: Path) -> Iterator[dict[str, Any]]:
        with suppress(FileNotFoundError), file.open("rb") as stream:
            stream.seek(self._place)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self._place += len(line)
                with suppress(ValueError):
                    yield lines.parsed(line)
