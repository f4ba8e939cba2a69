"""Scans in PDF, drawn a band of rows at a time.

PDFium stretches a picture with a second one in between, as wide as the page and as high as what is drawn. Drawing a
scan by bands makes that small, so that a page is held twice (decoded and drawn) instead of three times. Shadings and
turned pictures come out a little different then, so everything but upright pictures and plain text is drawn at once.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from dicomprinter.dicom.page import Pixels

_BAND: Final = 512
_MARGIN: Final = 16
"""Rows on either side that are drawn and not kept: what is interpolated there wants rows beyond them."""
_MOST_STRETCHED: Final = 6
"""Rows of the page for one of a picture, so that its neighbours lie within the margin."""
_MOST_PIXELS: Final = 18_000_000
"""PDFium keeps no larger picture (60 million bytes), and would decode it again for each band."""


def is_scan(document: Any, page: Any, scale: float) -> bool:
    """Whether a page is upright pictures and text alone, so that bands of it give the same pixels as the whole.

    Args:
        document: pypdfium2's.
        page: one of it.
        scale: pixels for a unit of the PDF.
    """
    import pypdfium2.raw as pdfium  # noqa: PLC0415 - only a PDF pays for it

    if document.get_formtype() or page.get_rotation() or page.get_bbox()[:2] != (0, 0):
        return False
    if pdfium.FPDFPage_GetAnnotCount(page) or pdfium.FPDFPage_HasTransparency(page):
        return False
    pixels = 0
    for item in page.get_objects(max_depth=1):
        if pdfium.FPDFPageObj_HasTransparency(item):
            return False
        if item.type == pdfium.FPDF_PAGEOBJ_TEXT:
            continue
        if item.type != pdfium.FPDF_PAGEOBJ_IMAGE:
            return False
        _, turn, slant, height, _, _ = item.get_matrix().get()
        width_in_pixels, height_in_pixels = item.get_px_size()
        if turn or slant or abs(height) * scale > _MOST_STRETCHED * height_in_pixels:
            return False
        pixels += width_in_pixels * height_in_pixels
    return 0 < pixels <= _MOST_PIXELS


def draw(page: Any, bitmap: Any, sides: tuple[int, int]) -> Pixels:
    """Draw a page for which `is_scan` is true.

    Args:
        page: pypdfium2's.
        bitmap: RGB, its rows without a gap; what it holds does not matter.
        sides: columns and rows that the whole page takes; the bitmap may cut off the last of them.

    Returns:
        (rows, columns, 3), the bitmap's own memory: exactly what drawing the whole page would give.
    """
    import pypdfium2.raw as pdfium  # noqa: PLC0415 - only a PDF pays for it

    matrix = _matrix(page, sides)
    pixels: Pixels = bitmap.to_numpy()
    rows, columns = pixels.shape[:2]
    for start in range(0, rows, _BAND):
        top, bottom = max(0, start - _MARGIN), min(rows, start + _BAND + _MARGIN)
        done = pixels[top:start].copy()
        pixels[top:bottom] = 255
        clip = pdfium.FS_RECTF(0, top, columns, bottom)
        flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
        pdfium.FPDF_RenderPageBitmapWithMatrix(bitmap, page, matrix, clip, flags)
        pixels[top:start] = done
    return pixels


def _matrix(page: Any, sides: tuple[int, int]) -> Any:
    """To the last bit what PDFium takes by itself for a page of this many columns and rows, in its 32 bit numbers."""
    import pypdfium2.raw as pdfium  # noqa: PLC0415 - only a PDF pays for it

    columns, rows = map(np.float32, sides)
    width, height = np.float32(page.get_width()), np.float32(page.get_height())
    down = rows / height
    return pdfium.FS_MATRIX(columns / width, 0, 0, down, 0, rows - height * down)
