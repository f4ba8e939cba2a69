"""Which way the characters of a PDF page run, from its own text: nothing has to be drawn or recognised."""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from typing import Any, Final

from dicomprinter.imaging.orientation.finding import Finding

_ENOUGH: Final = 20
"""Visible characters from which the text says something of the page; a stamp on a scan has fewer."""
_MOST: Final = 20_000
"""Characters that are looked at."""
_SLANT: Final = 10
"""Degrees by which a text may be off; a watermark across the page is no line."""


def text_finding(page: Any) -> Finding | None:
    """What the text of a page says; None when it has too little that can be seen.

    The invisible text of a recognised scan does not count: it says what a program took the picture for.

    Args:
        page: pypdfium2's.
    """
    import pypdfium2.raw as pdfium  # noqa: PLC0415 - only a PDF pays for it

    text = page.get_textpage()
    shown = page.get_rotation()
    counts: Counter[int] = Counter()
    lines: dict[int, set[int]] = {}
    across, down, matrix = ctypes.c_double(), ctypes.c_double(), pdfium.FS_MATRIX()
    for index in range(min(text.count_chars(), _MOST)):
        if pdfium.FPDFText_GetUnicode(text, index) <= 32 or pdfium.FPDFText_IsGenerated(text, index) == 1:
            continue
        if not _is_seen(pdfium, text, index):
            continue
        if not pdfium.FPDFText_GetMatrix(text, index, matrix) or not math.isfinite(matrix.a + matrix.b):
            continue
        # Counter-clockwise in the page's own space, in which /Rotate turns it clockwise.
        angle = math.degrees(math.atan2(matrix.b, matrix.a))
        quarter = round(angle / 90) * 90
        if abs(angle - quarter) > _SLANT:
            continue
        turn = (quarter - shown) % 360
        counts[turn] += 1
        size = pdfium.FPDFText_GetFontSize(text, index)
        if pdfium.FPDFText_GetCharOrigin(text, index, across, down) and math.isfinite(size) and size > 0:
            at = down.value if quarter % 180 == 0 else across.value
            lines.setdefault(turn, set()).add(round(at / size * 2) if math.isfinite(at) else 0)
    total = counts.total()
    if total < _ENOUGH:
        return None
    return _finding(counts, {turn: len(found) for turn, found in lines.items()}, total)


def _is_seen(pdfium: Any, text: Any, index: int) -> bool:
    item = pdfium.FPDFText_GetTextObject(text, index)
    return not item or pdfium.FPDFTextObj_GetTextRenderMode(item) != pdfium.FPDF_TEXTRENDERMODE_INVISIBLE


def _finding(counts: Counter[int], lines: dict[int, int], total: int) -> Finding:
    across, down = counts[0] + counts[180], counts[90] + counts[270]
    one, other = (0, 180) if across >= down else (90, 270)
    best = one if counts[one] >= counts[other] else other
    along = counts[one] + counts[other]
    return Finding(
        clockwise=best,
        axis=abs(across - down) / total,
        direction=abs(counts[one] - counts[other]) / along,
        across=across / total,
        down=down / total,
        lines=lines.get(best, 0),
    )
