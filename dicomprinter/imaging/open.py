"""One page of a file, as pixels; or what it will have, without them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from dicomprinter.dicom.page import Form, Page
from dicomprinter.errors import PermanentError
from dicomprinter.imaging import pdf
from dicomprinter.imaging.formats import picture
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.probe import sniff
from dicomprinter.imaging.refusals import refusing
from dicomprinter.imaging.source import mapped

PDF: Final = "application/pdf"


def open_page(path: Path, index: int, limits: Limits | None = None, *, dpi: float = 300) -> Page:
    """Decode one page: upright, on white, 8 bits a sample or 16 bit grey; colours in sRGB.

    Args:
        path: a picture or a PDF.
        index: the page, from 0.
        limits: checked before memory is taken.
        dpi: dots per inch, for PDF.

    Raises:
        PermanentError: the file is damaged, no picture, has no such page, or is beyond the limits.
        TransientError: the disk or the system fails.
    """
    limits = limits or Limits()
    with refusing(index), mapped(path, limits) as data:
        media_type = sniff(data)
        if media_type == PDF:
            return pdf.render(path, index, dpi, limits)
        found = picture(path, data, media_type, index, limits)
        if found is None:
            raise _no_pages(media_type)
        return found.page()


def open_form(
    path: Path, index: int, mode: ColourMode = ColourMode.AS_IS, limits: Limits | None = None, *, dpi: float = 300
) -> Form:
    """What `open_page` and `convert` give for the same arguments, from the headers alone.

    Raises:
        PermanentError: as `open_page`; damage that only shows in the pixels is not seen.
        TransientError: the disk or the system fails.
    """
    limits = limits or Limits()
    with refusing(index), mapped(path, limits) as data:
        media_type = sniff(data)
        if media_type == PDF:
            return in_mode(pdf.form(path, index, dpi, limits), mode)
        found = picture(path, data, media_type, index, limits)
        if found is None:
            raise _no_pages(media_type)
        return in_mode(found.form, mode)


def in_mode(form: Form, mode: ColourMode) -> Form:
    """What a page of this form has in a colour mode."""
    match mode:
        case ColourMode.AS_IS:
            return form
        case ColourMode.RGB:
            return replace(form, samples=3, bits_stored=8)
        case _:
            return replace(form, samples=1, bits_stored=8 if mode is ColourMode.MONOCHROME8 else 12)


def _no_pages(media_type: str) -> PermanentError:
    return PermanentError("the file has no pages", cause=f"it is {media_type}", remedy="give a picture or a PDF")
