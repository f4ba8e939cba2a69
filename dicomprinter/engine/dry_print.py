"""The printer of a dry run: keeps the images of each film as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.filereader import read_dataset

from dicomprinter.actions.print.classes import FILM_BOX
from dicomprinter.actions.print.printer import StandIn
from dicomprinter.dicom.network.normalized import Operation, Request
from dicomprinter.dicom.status import print_status
from dicomprinter.dicom.syntaxes import ImplicitVRLittleEndian

if TYPE_CHECKING:
    from dicomprinter.dicom.page import Pixels

_SLIDES: Final = 12
"""Images on a film of which only a printer knows how many it has."""


class DryPrinter:
    """Makes room for as many images as are asked for, and says yes to everything.

    Args:
        folder: gets `film-1-image-1.png` and so on.
        transfer_syntax: in which images come.
    """

    def __init__(self, folder: Path, transfer_syntax: str) -> None:
        self._folder = folder
        self._is_implicit = transfer_syntax == ImplicitVRLittleEndian
        self._films = 0

    def answer(self, request: Request) -> StandIn:
        """What a printer that is well would answer."""
        made = Dataset()
        match request.operation, request.data:
            case Operation.GET, _:
                made.PrinterStatus = "NORMAL"
            case Operation.CREATE, Dataset() as data if request.sop_class == FILM_BOX:
                self._films += 1
                made.ReferencedImageBoxSequence = [
                    _named(f"{request.sop_instance}.{number + 1}") for number in range(_places(data.ImageDisplayFormat))
                ]
            case Operation.SET, Path() as file:
                self._keep(file)
        return StandIn(print_status(0), request.sop_instance, made)

    def _keep(self, file: Path) -> None:
        with file.open("rb") as stream:
            box = read_dataset(stream, self._is_implicit, is_little_endian=True)
        image = (box.get("BasicGrayscaleImageSequence") or box.BasicColorImageSequence)[0]
        self._folder.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(_pixels(image))
        picture.save(self._folder / f"film-{self._films}-image-{box.ImageBoxPosition}.png")


def _pixels(image: Dataset) -> Pixels:
    """As a picture has them: RGB pixel by pixel, 12 bits in the whole of 16."""
    rows, columns, size = image.Rows, image.Columns, image.BitsAllocated // 8
    samples = image.SamplesPerPixel
    count = rows * columns * samples
    pixels: Pixels = np.frombuffer(image.PixelData, np.uint8 if size == 1 else np.dtype("<u2"), count)
    if samples == 3:
        return np.ascontiguousarray(np.moveaxis(pixels.reshape(3, rows, columns), 0, -1))
    wide = pixels.reshape(rows, columns)
    return wide if size == 1 else wide << 4 | wide >> 8


def _places(display_format: str) -> int:
    kind, _, counts = str(display_format).partition("\\")
    numbers = [int(number) for number in counts.split(",")] if counts else []
    if kind == "STANDARD":
        return numbers[0] * numbers[1]
    return sum(numbers) if kind in ("ROW", "COL") else _SLIDES


def _named(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPInstanceUID = uid
    return item
