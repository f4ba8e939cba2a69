"""Files to drop, no two alike, and what archives have to show of each."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.imaging.decoder import Decoder
from tests.dicom.forwarding import made
from tests.system.help import grey, png, rgb
from torture.archive import of_document, of_pixels

A: Final = "A"
B: Final = "B"
DPI: Final = 36
PAGES: Final = 3
# A PDF that the program makes itself cannot be foretold.
SOME_PDF: Final = "pdf"


@dataclass(frozen=True)
class Made:
    """Files and what is wanted of them.

    Args:
        files: endings and contents; the last is the one that the others belong to.
        shown: for each archive what it has to show, if it gets them.
    """

    files: dict[str, bytes]
    shown: dict[str, frozenset[str]]


Maker = Callable[[int, Decoder, Path], Made]


def page(number: int, _decoder: Decoder, _folder: Path) -> Made:
    """A grey picture."""
    shown = frozenset({of_pixels(grey(number))})
    return Made({".png": png(number)}, {A: shown, B: shown})


def page_and_text(number: int, decoder: Decoder, folder: Path) -> Made:
    """A picture and the text beside it."""
    picture = page(number, decoder, folder)
    return Made({".txt": f"Befund {number}".encode(), **picture.files}, picture.shown)


def pages(number: int, _decoder: Decoder, _folder: Path) -> Made:
    """A TIFF of several colour pages; A may get them as frames of one object."""
    pictures = _pictures(number)
    first, *others = [Image.fromarray(picture) for picture in pictures]
    stream = io.BytesIO()
    first.save(stream, "TIFF", save_all=True, append_images=others)
    shown = frozenset(of_pixels(picture) for picture in pictures)
    return Made({".tiff": stream.getvalue()}, {A: shown, B: shown})


def frames(number: int, decoder: Decoder, folder: Path) -> Made:
    """The same, for A as one object."""
    return Made(pages(number, decoder, folder).files, {A: frozenset({of_pixels(np.stack(_pictures(number)))})})


def pdf(number: int, decoder: Decoder, folder: Path) -> Made:
    """A PDF of two pages: A gets it as it is, B its pages."""
    file = folder / f"made-{number}.pdf"
    canvas = Canvas(str(file), pagesize=(144, 144), invariant=True)
    for index in range(2):
        canvas.drawString(10, 100, f"{number} {index}")
        canvas.showPage()
    canvas.save()
    shown = frozenset(of_pixels(decoder.page(file, index, dpi=DPI).pixels) for index in range(2))
    data = file.read_bytes()
    file.unlink()
    return Made({".pdf": data}, {A: frozenset({of_document(data)}), B: shown})


def pdf_and_text(number: int, decoder: Decoder, folder: Path) -> Made:
    """A PDF of two pages that is to become part of another, and the text beside it."""
    made = pdf(number, decoder, folder)
    shown = {A: frozenset({SOME_PDF}), B: made.shown[B]}
    return Made({".txt": text_of(number).encode(), **made.files}, shown)


def text_of(number: int) -> str:
    """The text beside a PDF."""
    return f"Befund {number}"


def dicom(number: int, _decoder: Decoder, folder: Path) -> Made:
    """A DICOM file that is forwarded."""
    file = folder / f"made-{number}.dcm"
    uids = {"SOPInstanceUID": f"1.2.3.1.{number}", "StudyInstanceUID": f"1.2.3.2.{number}"}
    data = made(file, grey(number)[None], **uids).read_bytes()
    file.unlink()
    shown = frozenset({of_pixels(grey(number))})
    return Made({".dcm": data}, {A: shown, B: shown})


def text(number: int, _decoder: Decoder, _folder: Path) -> Made:
    """A text alone, which is set as a PDF."""
    return Made({".txt": f"Befund {number}".encode()}, {A: frozenset({SOME_PDF})})


def damaged(number: int, _decoder: Decoder, _folder: Path) -> Made:
    """Half a picture."""
    return Made({".png": png(number)[:60]}, {})


def _pictures(number: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    return [rgb(number * PAGES + index) for index in range(PAGES)]
