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
            with suppress(FileNotFoundError):
                if self.file.stat().st_size > self._most:
                    self.file.replace(older(self.file))
            lines.append(self.file, event)


def read_events(file: Path) -> Iterator[dict[str, Any]]:
    """Every event that is kept, the oldest first; raises OSError when they cannot be read now."""
    return chain.from_iterable(map(lines.read, (older(file), file)))
