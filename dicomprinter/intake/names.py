"""Names of files from outside: what they may be called here, and what a name promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from dicomprinter.errors import InputError

REASON: Final = ".reason.txt"
"""Ends the name of the text beside a rejected file."""
_ENDING: Final = re.compile(r"(\.[A-Za-z0-9]{1,5})?(\.json)?\Z", re.IGNORECASE)
_STEM_BYTES: Final = 135
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_TEMPORARY: Final = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".new", "~")
# What a desktop leaves in every folder that it shows.
_OF_A_DESKTOP: Final = frozenset({"desktop.ini", "thumbs.db"})
_NO_TEXT: Final = frozenset({".bmp", ".dcm", ".jpeg", ".jpg", ".pdf", ".png", ".tif", ".tiff"})


def is_left_alone(name: str) -> bool:
    """Whether what is called so in `incoming/` is not meant to become a job, or not yet."""
    lower = name.lower()
    return lower.startswith(".") or lower.endswith(_TEMPORARY) or lower in _OF_A_DESKTOP


def check_name(name: str, kind: str) -> None:
    """Refuse a text that is called a picture or a PDF: an error page, say, that was saved in its place.

    Args:
        name: the file's.
        kind: what `imaging.probe` found it to be.

    Raises:
        InputError: it is such a text.
    """
    suffix = Path(name).suffix.lower()
    if kind == "text" and suffix in _NO_TEXT:
        raise InputError(
            f"a file that is called {suffix} but holds a text",
            cause="the export failed and left a message, or the file was named wrongly",
            remedy="export it again; a text that is meant to become a report ends in .txt",
        )


def safe_name(name: str) -> str:
    """A file's name without what leads elsewhere or cannot be shown, at most 150 bytes long in UTF-8.

    The endings stay, so that a sidecar's name still begins with its file's.
    """
    shown = _UNSAFE.sub("_", printable(name)).lstrip(".")
    match = _ENDING.search(shown)
    ending = match[0] if match else ""
    stem = shown.removesuffix(ending).encode("utf-8")[:_STEM_BYTES].decode("utf-8", "ignore")
    return stem + ending or "file"


def printable(text: str) -> str:
    """Without control characters, and without bytes that are no text (names of other encodings)."""
    shown = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x1f\x7f]+", " ", shown).strip()
