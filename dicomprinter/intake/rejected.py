"""Rejected files: which there are, and how they come back into `incoming/`."""

from __future__ import annotations

import errno
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dicomprinter.errors import SpoolError
from dicomprinter.intake.names import REASON
from dicomprinter.job.disk import sync_folder

if TYPE_CHECKING:
    from pathlib import Path

# What `Spool.new_id` gives, which all files of one rejection begin with.
_ID: Final = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{6}-")
# What belongs to another file has to be there before that.
_FIRST: Final = (".json", ".txt")
_NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


@dataclass(frozen=True)
class RejectedFile:
    """A file in `rejected/`.

    Args:
        name: of the file.
        reason: the first line of the text beside it.
        age_seconds: since it was rejected.
        private: what the reason says beyond that; it may hold patient data.
        sidecars: the names of what came with it.
    """

    name: str
    reason: str
    age_seconds: float
    private: str = ""
    sidecars: tuple[str, ...] = ()


def rejected_files(folder: Path) -> list[RejectedFile]:
    """Every rejected file, the oldest first; what came with one is no entry of its own."""
    return [_look_at(folder / name, sidecars) for name, sidecars in _entries(folder)]


def count_rejected(folder: Path) -> int:
    """How many `rejected_files` there are; none of them is opened."""
    return len(_entries(folder))


def _entries(folder: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Each rejected file's name, and the names of what came with it."""
    groups: dict[str, list[str]] = {}
    for name in _names(folder):
        groups.setdefault(_prefix(name) or name, []).append(name)
    found: list[tuple[str, tuple[str, ...]]] = []
    for names in groups.values():
        *sidecars, last = sorted(names, key=_place)
        # Several files of one rejection that are no sidecars have each their own entry.
        files = [name for name in sidecars if _place(name)[0] == len(_FIRST)]
        others = tuple(name for name in sidecars if name not in files)
        found += [(name, ()) for name in files] + [(last, others)]
    return found


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(file.name for file in folder.iterdir() if not file.name.endswith(REASON))


def rejected_group(folder: Path, name: str) -> list[Path]:
    """The rejected file of a name, or of the beginning of one, and those that were rejected with it; sidecars first.

    Raises:
        SpoolError: the beginning is that of several rejections.
    """
    names = _names(folder)
    hits = [found for found in names if found == name] or [found for found in names if found.startswith(name)]
    groups = {_prefix(found) or found for found in hits}
    if len(groups) > 1:
        raise SpoolError(f'"{name}" is the beginning of {len(groups)} rejected files', remedy="write more of the name")
    group = [found for found in names if any((_prefix(found) or found) == one for one in groups)]
    return [folder / found for found in sorted(group, key=_place)]


def put_into(incoming: Path, files: list[Path]) -> list[str]:
    """Move rejected files back, under the names they came with, so that they are tried again; the names.

    Raises:
        SpoolError: one of the names is taken; nothing was moved.
        OSError: a file cannot be moved now; those before it have been.
    """
    targets = [incoming / file.name.removeprefix(_prefix(file.name)) for file in files]
    for target in targets:
        if os.path.lexists(target):
            raise _taken(target)
    for file, target in zip(files, targets, strict=True):
        _move(file, target)
        file.with_name(file.name + REASON).unlink(missing_ok=True)
    sync_folder(incoming)
    sync_folder(files[0].parent)
    return [target.name for target in targets]


def _look_at(file: Path, sidecars: tuple[str, ...]) -> RejectedFile:
    reason, private, changed = "", "", time.time()
    with suppress(OSError):
        changed = file.lstat().st_mtime
    with suppress(OSError):
        told = file.with_name(file.name + REASON)
        reason, _, private = told.read_text(encoding="utf-8", errors="replace").strip().partition("\n")
        changed = told.stat().st_mtime
    return RejectedFile(file.name, reason, time.time() - changed, private.strip(), sidecars)


def _prefix(name: str) -> str:
    match = _ID.match(name)
    return match[0] if match else ""


def _place(name: str) -> tuple[int, str]:
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a name, no path
    return _FIRST.index(ending) if ending in _FIRST else len(_FIRST), name


def _move(file: Path, target: Path) -> None:
    """Rename, but never over a file that has come there meanwhile: a rename would not ask, a link does."""
    try:
        os.link(file, target, follow_symlinks=False)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        file.rename(target)
    else:
        file.unlink()


def _taken(target: Path) -> SpoolError:
    return SpoolError(
        "incoming/ has a file of this name already",
        remedy="let it be taken in, or move it away, and try again",
        private=target.name,
    )
