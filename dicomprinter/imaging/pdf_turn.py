"""Turns pages of a PDF by their /Rotate: the file's bytes stay as they are, the changed pages are added at its end.

Such an incremental update (ISO 32000-1, 7.5.6) keeps everything else: text, forms, attachments, and the bytes that a
signature covers.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dicomprinter.errors import DicomPrinterError, PermanentError

_ANEW: Final = "save it anew with another program"
_DEEPEST: Final = 100
"""Page tree nodes above a page; a tree that refers to itself has no end."""


@dataclass(frozen=True)
class Turned:
    """A PDF whose pages were turned.

    Args:
        data: the file.
        signed: whether it holds a signature; readers will say that it was changed after that.
    """

    data: bytes
    signed: bool


def turn_pages(path: Path, turns: Mapping[int, int]) -> Turned:
    """Turn some pages.

    Args:
        path: the PDF.
        turns: degrees clockwise (90, 180 or 270), by the page's number from 0.

    Raises:
        PermanentError: it is encrypted, has a /Rotate that is no quarter turn, or cannot be written to.
    """
    try:
        data = _written(path, turns)
    except (DicomPrinterError, MemoryError):
        raise
    except Exception as error:
        # pypdf and what it meets in a damaged file raise whatever they like.
        raise _refused(f"its structure cannot be added to ({type(error).__name__})", _ANEW) from error
    return Turned(data, _checked(path, data, turns))


def _written(path: Path, turns: Mapping[int, int]) -> bytes:
    import pypdf  # noqa: PLC0415 - only a PDF whose pages are turned pays for it
    from pypdf.generic import NameObject, NumberObject  # noqa: PLC0415

    original = path.read_bytes()
    reader = pypdf.PdfReader(io.BytesIO(original))
    if reader.is_encrypted:
        raise _refused("it is encrypted", "save it without protection")
    writer = pypdf.PdfWriter(reader, incremental=True)
    for index, degrees in turns.items():
        page = writer.pages[index]
        page[NameObject("/Rotate")] = NumberObject((_rotation(page, index) + degrees) % 360)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def _rotation(page: Any, index: int) -> int:
    """The page's own /Rotate, or the one that it inherits (ISO 32000-1, table 30)."""
    node = page
    for _ in range(_DEEPEST):
        if "/Rotate" in node:
            return _quarter(node["/Rotate"], index)
        if "/Parent" not in node:
            return 0
        node = node["/Parent"].get_object()
    raise _refused("its pages refer to themselves", _ANEW)


def _quarter(value: Any, index: int) -> int:
    # A bool is an int, and a whole number may be written as 90.0.
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value % 90 == 0:
        return int(value) % 360
    raise _refused(f"page {index + 1} has a /Rotate that is no quarter turn", _ANEW)


def _checked(path: Path, data: bytes, turns: Mapping[int, int]) -> bool:
    """See with another reader that the pages are turned as they should be, and nothing else; whether it is signed."""
    import pypdfium2  # noqa: PLC0415
    import pypdfium2.raw as pdfium  # noqa: PLC0415

    try:
        with pypdfium2.PdfDocument(path) as before, pypdfium2.PdfDocument(data) as after:
            same = len(before) == len(after) and all(
                (before[index].get_rotation() + turns.get(index, 0)) % 360 == after[index].get_rotation()
                and before[index].get_mediabox() == after[index].get_mediabox()
                for index in range(len(before))
            )
            signed = bool(pdfium.FPDF_GetSignatureCount(before) > 0)
    except pypdfium2.PdfiumError:
        same = signed = False
    if not same:
        raise _refused("what was written cannot be read as it should", _ANEW)
    return signed


def _refused(cause: str, remedy: str) -> PermanentError:
    return PermanentError("the PDF's pages cannot be turned", cause=cause, remedy=remedy)
