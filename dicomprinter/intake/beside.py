"""Files that come with another one: what each becomes in a job's folder, and hints of which way up pages are.

The hints for `x.pdf` are `x.pdf.orientation.json`, or `x.orientation.json`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dicomprinter.errors import InputError
from dicomprinter.job.folder import HINTS_FILE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

HINTS: Final = ".orientation.json"
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,5}")


def entries_of(files: Sequence[Path]) -> list[dict[str, str]]:
    """What `arrival.json` says of the files of a job: where each comes from, and where it goes in the job's folder.

    Raises:
        InputError: hints without a file, or more than one.
    """
    hints = [file for file in files if is_hints(file)]
    others = [file for file in files if not is_hints(file)]
    if len(hints) > 1 or not others:
        raise InputError(
            f"a job is at least one file, and at most one {HINTS}", remedy="name the file that the hints are about"
        )
    entries = [
        {"from": str(file.absolute()), "to": f"payload/{number:04d}{_suffix(file)}"}
        for number, file in enumerate(others, start=1)
    ]
    return entries + [{"from": str(file.absolute()), "to": HINTS_FILE} for file in hints]


def is_hints(file: Path) -> bool:
    """Whether a file's name says that it holds hints."""
    return file.name.lower().endswith(HINTS)


def hints_of(file: Path) -> tuple[Path, Path]:
    """The two names that the hints for a file may have; the first one counts if both are there."""
    return file.with_name(file.name + HINTS), file.with_name(file.stem + HINTS)


def lone_hints(files: Collection[Path]) -> list[Path]:
    """Of these files, the hints that belong to none of them."""
    wanted = {hints for file in files if not is_hints(file) for hints in hints_of(file)}
    return [file for file in files if is_hints(file) and file not in wanted]


def _suffix(file: Path) -> str:
    return file.suffix.lower() if _SUFFIX.fullmatch(file.suffix) else ""
