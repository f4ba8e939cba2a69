"""Whether the configuration has changed: pure reasoning about what was seen of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomprinter.config.environment import ENV_FILES

if TYPE_CHECKING:
    from pathlib import Path

# Time, size and inode: an editor may write the file anew, or rename another one over it.
_Seen = tuple[tuple[int, int, int] | None, ...]


class ConfigWatch:
    """Watches a configuration and the `.env` files of a base directory.

    A change counts once two looks see the same, so that a file is not read while it is being written.
    """

    def __init__(self, config: Path, base: Path) -> None:
        self._files = (config, *(base / name for name in ENV_FILES))
        self._taken = self._seen = self._look()

    @property
    def is_changing(self) -> bool:
        """Whether something has changed that does not count yet: look again soon."""
        return self._seen != self._taken

    def has_changed(self) -> bool:
        """Look; True once for each change."""
        now = self._look()
        if now != self._seen:
            self._seen = now
            return False
        if now == self._taken:
            return False
        self._taken = now
        return True

    def take(self) -> None:
        """What is there now is known: it is being loaded."""
        self._taken = self._seen = self._look()

    def _look(self) -> _Seen:
        return tuple(_signature(file) for file in self._files)


def _signature(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
