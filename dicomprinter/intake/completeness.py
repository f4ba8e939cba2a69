"""Whether a file that is dropped is complete: pure reasoning about what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

QUIET_SECONDS = 2.0


@dataclass
class _Seen:
    size: int
    modified: int
    since: float


@dataclass
class Completeness:
    """Remembers what was seen of each file.

    A file is complete when an event said that it was closed or moved in, and it is not empty; else when its size
    and time have stood still for `quiet` seconds. Times are seconds of a clock that only goes forward.

    What events say counts from the next look on: a listing may be older than they are, and of files that came one
    after the other none may be found complete before the first.
    """

    quiet: float = QUIET_SECONDS
    _seen: dict[Path, _Seen] = field(default_factory=dict)
    _closed: set[Path] = field(default_factory=set)
    _closed_since: set[Path] = field(default_factory=set)

    def begin_look(self) -> None:
        """The files are about to be listed."""
        self._closed |= self._closed_since
        self._closed_since.clear()

    def closed(self, file: Path) -> None:
        """An event said that the file was closed after writing, or moved in."""
        self._closed_since.add(file)

    def written(self, file: Path) -> None:
        """An event said that the file was opened anew or written to."""
        self._closed.discard(file)
        self._closed_since.discard(file)

    def is_complete(self, file: Path, size: int, modified: int, now: float) -> bool:
        """Whether the file, which is so large and was changed then, is complete."""
        if file in self._closed and size > 0:
            return True
        seen = self._seen.get(file)
        if seen is None or (seen.size, seen.modified) != (size, modified):
            self._seen[file] = _Seen(size, modified, now)
            return False
        return now - seen.since >= self.quiet

    def forget(self, file: Path) -> None:
        """The file has gone."""
        self._seen.pop(file, None)
        self._closed.discard(file)

    def keep_only(self, files: set[Path]) -> None:
        """Forget every file but these, which were listed."""
        for file in (set(self._seen) | self._closed) - files:
            self.forget(file)
