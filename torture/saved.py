"""The folder into which jobs are saved: each object there once, numbers without a gap, all of it in the DICOMDIR?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.fileset import FileSet

from torture.archive import content_of
from torture.scene import Drop

FOLDER: Final = "archive"
_LOCK: Final = ".dicomprinter.lock"


def saved_faults(folder: Path, drops: Sequence[Drop]) -> Iterator[str]:
    """What is not right there; `folder` is the base directory, and nothing moves."""
    wanted = Counter(content for drop in drops for content in drop.saved)
    folder /= FOLDER
    if not folder.is_dir():
        if wanted:
            yield "nothing was saved"
        return
    files = sorted(path for path in folder.iterdir() if path.name not in (_LOCK, "DICOMDIR"))
    names = [file.name for file in files]
    if names != [f"DP_{number:05}" for number in range(1, len(files) + 1)]:
        yield f"what was saved has other names, or a gap in its numbers: {names}"
        return
    objects = [dcmread(file) for file in files]
    found = Counter(content_of(one) for one in objects)
    yield from (f"an object was saved {number} times" for number in (found - wanted).values())
    yield from (f"an object was not saved, {number} times" for number in (wanted - found).values())
    if (folder / "DICOMDIR").exists():
        listed = Counter(Path(one.path).name for one in FileSet(folder / "DICOMDIR"))
        if listed != Counter(names):
            yield f"the DICOMDIR lists {sorted(listed)} of {names}"
    elif names:
        yield "there is no DICOMDIR"


def unreadable(folder: Path) -> list[str]:
    """What a kill has left half-written under a name that others read."""
    found = []
    for file in (folder / FOLDER).glob("[!.]*"):
        try:
            if file.name == "DICOMDIR":
                FileSet(file)
            else:
                dcmread(file)
        except Exception as error:  # noqa: BLE001 - pydicom raises whatever a torn file leads to
            found.append(f"after a kill {file.name} cannot be read: {error!r}")
    return found
