"""The text layer of a PDF, line by line as a person reads it: from the top, and each line from the left."""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.pdf import opened
from dicomprinter.imaging.refusals import damaged, too_large

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Parts of a character's height: baselines as near as this are one line (a raised number is 0.3 higher), a gap this
# wide is a space, and a wider one stands between columns.
_SAME_LINE: Final = 0.45
_SPACE: Final = 0.15
_COLUMN: Final = 1.5
# Fake bold: the same character printed twice, this near.
_TWICE: Final = 0.1
# PDFium's mark for a hyphen at the end of a line.
_HYPHEN: Final = "\x02"


@dataclass(frozen=True)
class _Character:
    """A character on the page, turned so that its line runs to the right; x and y of its origin in points."""

    index: int
    text: str
    x: float
    y: float
    right: float
    height: float


def read_texts(path: Path, limits: Limits) -> list[str]:
    """The text of each page, with what is written into forms and notes; lines end with a line feed.

    Characters a little apart have a space between them, columns two.

    Raises:
        InputError: the file cannot be opened, or has more text than a job may have.
    """
    import pypdfium2  # noqa: PLC0415 - only a PDF pays for it

    found: list[str] = []
    size = 0
    with opened(path) as document:
        document.init_forms()
        for index in range(len(document)):
            try:
                text = "".join(f"{line}\n" for line in _lines(_flat(document, index), limits.text))
            except pypdfium2.PdfiumError:
                raise damaged("PDF", f"page {index + 1} cannot be read") from None
            size += len(text.encode("utf-8"))
            if size > limits.text:
                raise too_large(f"its text has more than {limits.text} bytes", "MaximumTextSize")
            found.append(text)
    return found


def _flat(document: Any, index: int) -> Any:
    """A page with what is filled in, which is no part of its own content; here nothing is written back."""
    import pypdfium2.raw  # noqa: PLC0415

    page = document[index]
    pypdfium2.raw.FPDFPage_Flatten(page, pypdfium2.raw.FLAT_NORMALDISPLAY)
    page.close()
    return document[index]


def _lines(page: Any, most: int) -> Iterator[str]:
    """Text that runs in another direction than most of the page follows it."""
    directions: dict[int, list[_Character]] = {}
    for direction, character in _characters(page, most):
        directions.setdefault(direction, []).append(character)
    counts = Counter({direction: len(characters) for direction, characters in directions.items()})
    for direction, _ in counts.most_common():
        for line in _rows(directions[direction]):
            text = _joined(line)
            if text:
                yield text


def _characters(page: Any, most: int) -> Iterator[tuple[int, _Character]]:
    """Each character and the quarter turns of its line, counterclockwise; blanks that PDFium invents are left out."""
    import pypdfium2.raw as pdfium  # noqa: PLC0415

    layer = page.get_textpage()
    count = layer.count_chars()
    if count > most:
        raise too_large(f"its text has more than {most} bytes", "MaximumTextSize")
    box, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    for index in range(count):
        text = chr(pdfium.FPDFText_GetUnicode(layer, index))
        text = "-" if text == _HYPHEN else text
        if pdfium.FPDFText_IsGenerated(layer, index) == 1 or (text != "\t" and unicodedata.category(text) == "Cc"):
            continue
        pdfium.FPDFText_GetLooseCharBox(layer, index, box)
        pdfium.FPDFText_GetCharOrigin(layer, index, x, y)
        # PDFium counts clockwise.
        quarters = -round(pdfium.FPDFText_GetCharAngle(layer, index) / (math.pi / 2)) % 4
        left, bottom, right, top = _turned(quarters, (box.left, box.bottom, box.right, box.top))
        along, above, *_ = _turned(quarters, (x.value, y.value, x.value, y.value))
        if all(map(math.isfinite, (left, bottom, right, top, along, above))):
            yield quarters, _Character(index, text, along, above, right, max(top - bottom, 0.1))


def _turned(quarters: int, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A box after as many quarter turns clockwise about the origin."""
    left, bottom, right, top = box
    for _ in range(quarters):
        left, bottom, right, top = bottom, -right, top, -left
    return left, bottom, right, top


def _rows(characters: list[_Character]) -> Iterator[list[_Character]]:
    """Lines from the top, each in the order in which it is read."""
    line: list[_Character] = []
    for character in sorted(characters, key=lambda one: (-one.y, one.index)):
        if line and line[0].y - character.y > _SAME_LINE * max(character.height, line[0].height):
            yield _in_order(line)
            line = []
        line.append(character)
    if line:
        yield _in_order(line)


def _in_order(line: list[_Character]) -> list[_Character]:
    # PDFium has put what is written from the right into the order in which it is read.
    if any(unicodedata.bidirectional(one.text) in ("R", "AL") for one in line if one.text.isalpha()):
        return sorted(line, key=lambda one: one.index)
    return sorted(line, key=lambda one: (one.x, one.index))


def _joined(line: Iterable[_Character]) -> str:
    text = ""
    last: _Character | None = None
    for one in line:
        if last is not None:
            gap, height = one.x - last.right, max(one.height, last.height)
            if one.text == last.text and one.index != last.index + 1 and abs(one.x - last.x) < _TWICE * height:
                continue
            if gap > _SPACE * height and not (one.text.isspace() or last.text.isspace()):
                text += " "
            if gap > _COLUMN * height:
                text += " "
        text += one.text
        last = one
    # Characters beyond the first plane come as two.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
