"""A text that comes alone, set as a PDF: plain pages in a fixed-width font."""

from __future__ import annotations

import textwrap
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.errors import InputError
from dicomprinter.imaging.fonts.folders import font_folders
from dicomprinter.imaging.refusals import too_large

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_SIZE = 10
_LEADING = 12
_MARGIN = 20 * mm
_COLUMNS = 79
_PIECE = 100 * _COLUMNS
_HEIGHT = int((A4[1] - 2 * _MARGIN) // _LEADING)
_FONT_FILES = ("DejaVuSansMono.ttf", "LiberationMono-Regular.ttf", "consola.ttf", "Menlo.ttc", "cour.ttf")


def set_texts(folder: Path, names: Collection[str], ending: str, most: int) -> tuple[str, ...]:
    """`set_as_pdf` for each of a job's texts: the PDFs' names, with another ending."""
    documents = [Path(name).with_suffix(ending).as_posix() for name in names]
    for name, document in zip(names, documents, strict=True):
        set_as_pdf((folder / name).read_text(encoding="utf-8-sig"), folder / document, most)
    return tuple(documents)


def set_as_pdf(text: str, target: Path, most: int) -> None:
    """Write a text as A4 pages; a form feed begins a new one.

    Raises:
        InputError: no font of this machine has all its characters, or it needs more than `most` pages.
    """
    font = _font(text)
    canvas = Canvas(str(target), pagesize=A4, invariant=1)
    for page in text.removesuffix("\f").split("\f"):
        lines = _lines(page)
        part = list(islice(lines, _HEIGHT)) or [""]
        while part:
            canvas.setFont(font, _SIZE)
            for number, line in enumerate(part):
                canvas.drawString(_MARGIN, A4[1] - _MARGIN - _LEADING * (number + 1), line)
            canvas.showPage()
            if canvas.getPageNumber() > most + 1:
                raise too_large(f"the text needs more than {most} pages", "MaximumPages")
            part = list(islice(lines, _HEIGHT))
    canvas.save()


def _lines(page: str) -> Iterator[str]:
    for line in page.expandtabs().splitlines():
        # In pieces: a word is cut at the end of each line, and what is left of it copied each time.
        for start in range(0, max(len(line), 1), _PIECE):
            yield from textwrap.wrap(line[start : start + _PIECE], _COLUMNS, drop_whitespace=False) or [""]


def _font(text: str) -> str:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        font = _unicode_font()
        if font is not None and all(ord(char) in font.face.charToGlyph for char in text if not char.isspace()):
            pdfmetrics.registerFont(font)
            return str(font.fontName)
        raise InputError(
            "the text cannot be set as pages",
            cause="no fixed-width font of this machine has all its characters",
            remedy="install the DejaVu fonts, or print the text to a PDF",
        ) from None
    return "Courier"


def _unicode_font() -> TTFont | None:
    for folder in font_folders():
        for name in _FONT_FILES:
            for file in sorted(folder.rglob(name)) if folder.is_dir() else ():
                try:
                    return TTFont(Path(name).stem, str(file))
                except TTFError:
                    continue
    return None
