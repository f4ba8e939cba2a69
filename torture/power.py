"""What a disk holds after a loss of power: what was never synced may not be there.

The model is that of a file system with a journal (ext4, XFS, NTFS, APFS): names are made, renamed and removed in order,
each whole or not at all, and a sync of anything brings all of them to the disk that came before; what a file holds is
on the disk only once that file was synced.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

# Not the spool's business: the lock, and files that others put there.
_KEPT: Final = (".lock", ".owner", "incoming")


@dataclass
class _File:
    """What a file holds, for those who read it now and for the disk."""

    seen: bytes = b""
    safe: bytes = b""


Names = dict[str, "_File | None"]


@dataclass
class Disk:
    """The folder `spool` as a disk knows it. Every path is relative to the base directory.

    Args:
        content: gives what a file held that nobody has told of: one that was dropped.
    """

    content: Callable[[str], bytes | None]
    _seen: Names = field(default_factory=dict)
    _safe: Names = field(default_factory=dict)
    _journal: list[tuple[Any, ...]] = field(default_factory=list)

    @classmethod
    def of(cls, base: Path, content: Callable[[str], bytes | None]) -> Disk:
        """As it is now; all of it is safe."""
        disk = cls(content)
        for path in (base / "spool").rglob("*"):
            inside = path.relative_to(base)
            # What the service writes while it is idle is renamed at once.
            with suppress(FileNotFoundError):
                if path.is_file() and inside.parts[1] not in _KEPT:
                    data = path.read_bytes()
                    disk._seen[str(inside)] = _File(data, data)
                elif path.is_dir():
                    disk._seen[str(inside)] = None
        disk._safe = dict(disk._seen)
        return disk

    def replay(self, trace: str) -> None:
        """What the service has done since then, a record a line."""
        for line in trace.splitlines():
            record = json.loads(line)
            if record[1] is not None and str(record[1]).startswith("archive/"):
                # Another disk, whose power goes on.
                continue
            if record[0] == "write":
                file = self._seen.get(record[1])
                if file is not None:
                    data, at = record[3].encode("latin-1"), record[2]
                    file.seen = file.seen[:at].ljust(at, b"\0") + data + file.seen[at + len(data) :]
            elif record[0] == "fsync":
                self._commit()
                file = self._seen.get(record[1])
                if file is not None:
                    file.safe = file.seen
            elif record[0] != "send":
                self._name(record)

    def _name(self, record: tuple[Any, ...]) -> None:
        if record[0] == "rename" and record[1] and record[1] not in self._seen:
            data = self.content(Path(record[1]).name)
            if data is not None:
                self._seen[record[1]] = self._safe[record[1]] = _File(data, data)
        if record[0] == "create":
            file = self._seen.get(record[1])
            if file is None:
                record = ("create", record[1], _File())
            elif record[2]:
                # Its name stays; what it held may be gone already.
                file.seen = file.safe = b""
                return
            else:
                return
        _apply(record, self._seen)
        self._journal.append(record)

    def _commit(self, count: int | None = None) -> None:
        for record in self._journal[:count]:
            _apply(record, self._safe)
        self._journal = []

    def lose(self, base: Path, chance: random.Random | None) -> str:
        """Make the folder what it is after the loss.

        Args:
            base: the base directory; nobody works in it now.
            chance: which of what is not safe is there all the same; nothing is, without it.

        Returns:
            What was lost, in words.
        """
        total = len(self._journal)
        kept = chance.randint(0, total) if chance else 0
        self._commit(kept)
        torn = 0
        for path in [path for path in (base / "spool").iterdir() if path.name not in _KEPT]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name, file in sorted(self._safe.items(), key=lambda item: item[0]):
            path = base / name
            if file is None:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                continue
            data = file.safe
            if file.seen != data:
                torn += 1
                # As much as was written back meanwhile.
                if chance and file.seen.startswith(data):
                    data = file.seen[: chance.randint(len(data), len(file.seen))]
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(data)
        return f"{total - kept} names and the contents of {torn} files"


def _apply(record: tuple[Any, ...], names: Names) -> None:
    match record:
        case ("create", str(path), file):
            names[path] = file
        case ("mkdir", str(path)):
            names[path] = None
        case ("unlink" | "rmdir", str(path)):
            names.pop(path, None)
        case ("rename", source, target):
            _rename(names, source, target)


def _rename(names: Names, source: str | None, target: str | None) -> None:
    moved: Mapping[str, _File | None] = {
        name: names.pop(name) for name in list(names) if source and (name == source or name.startswith(f"{source}/"))
    }
    if target:
        names.update({target + name.removeprefix(source or ""): file for name, file in moved.items()})
