"""PDF through PDFium: is it whole, how many pages, what a page looks like. One thread only, as PDFium asks."""

from __future__ import annotations

import math
import mmap
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from dicomprinter.dicom.page import Form, Page
from dicomprinter.errors import InputError
from dicomprinter.imaging import pdf_scan
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.refusals import check_size, damaged, no_page, too_large
from dicomprinter.imaging.source import Source

SIGNATURE: Final = b"%PDF-"
_TAIL: Final = 2048


def count_pages(path: Path, data: Source, limits: Limits) -> int:
    """The number of pages.

    Raises:
        InputError: the file needs a password, is damaged or cut off, or has no or too many pages.
    """
    # PDFium would mend a file that breaks off, and leave out pages without a word.
    marks = re.findall(rb"startxref\s+(\d+)\s+%%EOF", data[max(0, len(data) - _TAIL) :])
    if not marks or int(marks[-1]) >= len(data):
        raise damaged("PDF", "its end is missing: it is cut off")
    with opened(path) as document:
        pages = len(document)
        if pages == 0:
            raise damaged("PDF", "it has no pages")
        if pages > limits.pages:
            raise too_large(f"{pages} pages; {limits.pages} are allowed", "MaximumPages")
        for index in range(pages):
            _size(document, index)
    return pages


def render(path: Path, index: int, dpi: float, limits: Limits) -> Page:
    """One page in RGB on white, forms and notes drawn.

    Args:
        path: the PDF.
        index: the page, from 0.
        dpi: dots per inch.
        limits: of the page in pixels.

    Raises:
        InputError: the file cannot be opened, or the page is too large at this resolution.
        PermanentError: it has no such page.
    """
    import pypdfium2.raw  # noqa: PLC0415 - only a PDF pays for it

    with opened(path) as document:
        rows, columns = _pixels(document, index, dpi, limits)
        document.init_forms()
        # A side that is no whole number of pixels is rounded up; the extra line would be blank, and is left out here.
        page = document[index]
        scale = dpi / 72
        if pdf_scan.is_scan(document, page, scale):
            sides = math.ceil(page.get_width() * scale), math.ceil(page.get_height() * scale)
            bitmap = _bitmap(columns, rows, format=pypdfium2.raw.FPDFBitmap_BGR, rev_byteorder=True)
            return Page(pdf_scan.draw(page, bitmap, sides), 8, (dpi, dpi))
        bitmap = page.render(
            scale=scale,
            rev_byteorder=True,
            fill_color=(255, 255, 255, 255),
            bitmap_maker=lambda _width, _height, **options: _bitmap(columns, rows, **options),
        )
        return Page(bitmap.to_numpy(), 8, (dpi, dpi))


@contextmanager
def page_of(path: Path, index: int) -> Iterator[Any]:
    """A page of pypdfium2's, open within the block.

    Raises:
        InputError: the file cannot be opened, or the page cannot be read.
        PermanentError: it has no such page.
    """
    with opened(path) as document:
        if not 0 <= index < len(document):
            raise no_page(index)
        _size(document, index)
        yield document[index]


def form(path: Path, index: int, dpi: float, limits: Limits) -> Form:
    """What `render` gives for the same arguments, from the page's size.

    Raises:
        InputError: as `render`.
        PermanentError: as `render`.
    """
    with opened(path) as document:
        rows, columns = _pixels(document, index, dpi, limits)
    return Form(rows, columns, 3, 8)


def _bitmap(columns: int, rows: int, **options: Any) -> Any:
    """Its rows follow each other without a gap, so that they need no copy."""
    import pypdfium2  # noqa: PLC0415

    return pypdfium2.PdfBitmap.new_native(columns, rows, **options)


def _pixels(document: Any, index: int, dpi: float, limits: Limits) -> tuple[int, int]:
    if not 0 <= index < len(document):
        raise no_page(index)
    width, height = (max(1, round(side * dpi / 72)) for side in _size(document, index))
    check_size(width, height, limits, f"page {index + 1} at {dpi:g} dpi has ", "choose a lower resolution")
    return height, width


def _size(document: Any, index: int) -> tuple[float, float]:
    """A page's width and height in points.

    A CropBox that leaves nothing of the page is passed over, as viewers do (ISO 32000-1, 14.11.2.1): from here on, for
    as long as the document is open, the page is what its MediaBox says.
    """
    import pypdfium2  # noqa: PLC0415

    try:
        size = document.get_page_size(index)
        if min(size) <= 0:
            with closing(document[index]) as page:
                # PDFium takes the MediaBox where the CropBox is empty, not where both have nothing in common.
                page.set_cropbox(0, 0, 0, 0)
            size = document.get_page_size(index)
    except pypdfium2.PdfiumError:
        size = 0, 0
    width, height = size
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise damaged("PDF", f"page {index + 1} cannot be read, or its boxes give it no size")
    return width, height


def opened(path: Path) -> Any:
    """A pypdfium2.PdfDocument, to be used in a `with`.

    Raises:
        InputError: it needs a password, or is damaged.
    """
    import pypdfium2  # noqa: PLC0415 - only a PDF pays for it
    import pypdfium2.raw  # noqa: PLC0415

    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        is_password = error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD
        # PDFium may tell the error of an earlier file; an encrypted one says so in its trailer, which is in clear.
        if is_password and _holds(path, b"/Encrypt"):
            raise InputError(
                "the PDF needs a password",
                cause="it is protected against opening",
                remedy="save it without a password, or print it to this program",
            ) from None
        raise damaged("PDF", "it has no pages, or its structure cannot be read") from None


def _holds(path: Path, text: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(text) >= 0
