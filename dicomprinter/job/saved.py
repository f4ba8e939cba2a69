"""What of a job lies in folders outside the spool: a line of `saved.jsonl` for each file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dicomprinter.job import lines
from dicomprinter.job.values import made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAVED_FILE: Final = "saved.jsonl"


@dataclass(frozen=True)
class Saved:
    """A file that a Save has written, or is about to write.

    Args:
        action: the Save's name.
        key: what is saved: an instance's key, or the name of a raw file.
        folder: the folder that `Directory` gave; with another one the file is saved again.
        file: the path that was chosen.
        sop_instance_uid: of an object, else empty.
        done: False before the file has its name: after a crash there may be nothing there, or a file of another job.
    """

    action: str
    key: str
    folder: str
    file: str
    sop_instance_uid: str
    done: bool


def read_saved(folder: Path) -> Iterator[Saved]:
    """Every line of a job's folder, in order."""
    for line in lines.read(folder / SAVED_FILE):
        with suppress(TypeError):
            yield made(Saved, line)
