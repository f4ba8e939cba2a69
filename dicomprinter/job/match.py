"""The files in the folder of a job that waits for an operator, which answer what it asks.

match        lines `(gggg,eeee)=value` in UTF-8, renamed in
match.json   the same as a data set in the DICOM JSON model (PS3.18 F)
*.refused    such a file that could not be used; the history says why
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from dicomprinter.dicom.query.match import Match, from_json, from_lines

if TYPE_CHECKING:
    from pathlib import Path

_LINES, _JSON = "match", "match.json"
_REFUSED: Final = ".refused"
_MOST_BYTES: Final = 1 << 20


def match_file(folder: Path) -> Path | None:
    """The answer that lies in a job's folder; None when there is none."""
    return next((file for name in (_LINES, _JSON) if os.path.lexists(file := folder / name)), None)


def read_match(file: Path) -> Match:
    """Read an answer.

    Raises:
        ValueError: it says nothing that can be used; the reason holds nothing of its content.
        OSError: it cannot be read now.
    """
    if file.is_symlink() or not file.is_file():
        raise ValueError("it is a link or no file")
    with file.open("rb") as stream:
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError("it is larger than 1 MB")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    return from_json(text) if file.name == _JSON else from_lines(text)


def set_aside(file: Path) -> str:
    """Keep a file that is no answer under another name, which is returned; nothing is overwritten."""
    number = 1
    while os.path.lexists(kept := file.with_name(f"{file.name}{_REFUSED}{f'.{number}' if number > 1 else ''}")):
        number += 1
    file.rename(kept)
    return kept.name
