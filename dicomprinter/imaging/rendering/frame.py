"""One frame of a DICOM image as a page; or how many there are, without a pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.uid import UID

from dicomprinter.dicom.forwarded.decoders import DecodedFrame, decodes
from dicomprinter.dicom.forwarded.opening import Source, opened
from dicomprinter.dicom.forwarded.original import PIXEL_DATA, PixelLayout, original_of
from dicomprinter.dicom.forwarded.structure import StructureError
from dicomprinter.dicom.page import Page
from dicomprinter.errors import PermanentError, TransientError
from dicomprinter.imaging.colour import convert
from dicomprinter.imaging.dicom_file import decode_frame
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.refusals import check_size, refusing, too_large
from dicomprinter.imaging.rendering.cells import Cells
from dicomprinter.imaging.rendering.colours import palette_of, rgb_of
from dicomprinter.imaging.rendering.description import Descriptions, descriptions
from dicomprinter.imaging.rendering.grey import Grey
from dicomprinter.imaging.rendering.images import Images

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Each is the height of a pixel, then its width; where one is wrong, the next may be right.
_SHAPES: Final = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")
_FLATTEST: Final = 100
_UNCOMPRESSED: Final = "send it uncompressed, or compressed in another way"


def images_of(path: Path, limits: Limits | None = None) -> Images:
    """How many frames a file has that `render_frame` can be asked for.

    Raises:
        PermanentError: its pixels cannot be decoded here, or are more than the limits allow.
        TransientError: the disk or the system fails.
    """
    limits = limits or Limits()
    with refusing(0):
        with _opened(path, limits) as source:
            original = original_of(source)
        layout, name = original.pixels, UID(original.sop_class_uid).name
        if layout is None:
            return Images(name, 0)
        _check(layout, original.transfer_syntax_uid)
        if original.frames > limits.pages:
            raise too_large(f"{original.frames} frames; {limits.pages} are allowed", "MaximumPages")
        check_size(layout.columns, layout.rows, limits)
        return Images(name, original.frames, layout.rows, layout.columns)


def render_frame(
    path: Path, index: int, mode: ColourMode, note: Callable[[str], object], limits: Limits | None = None
) -> Page:
    """A frame as it is to be seen: by its Modality LUT, its VOI LUT or first window, its palette, its own black.

    Without a window the frame's own values are spread from black to white. Grey of 12 bits has them from the window.

    Args:
        path: a file of which `images_of` knows frames.
        index: which, from 0.
        mode: the colour mode.
        note: takes what the job's history should tell.
        limits: how large a frame may be.

    Returns:
        A page; of its resolution only the proportion counts.

    Raises:
        PermanentError: it cannot be decoded, or is not what it says.
        TransientError: the disk or the system fails.
    """
    limits = limits or Limits()
    with refusing(index):
        frame = decode_frame(path, index, limits)
        with _reading():
            stat = path.stat()
            layout, every = _known(path, stat.st_mtime_ns, stat.st_size, limits)
        said = every.of(index)
        bits = 12 if mode is ColourMode.MONOCHROME12 else 8
        cells = _cells(frame, layout)
        photometric = frame.photometric_interpretation
        if frame.samples == 3 and photometric in ("RGB", "YBR_FULL"):
            pixels, bits = rgb_of(cells, photometric), 8
        elif frame.samples == 1 and photometric == "PALETTE COLOR":
            pixels, bits = palette_of(cells, said, is_big=every.is_big), 8
        elif frame.samples == 1:
            pixels = Grey(said, every.is_big, photometric == "MONOCHROME1", bits, note).of(cells)
        else:
            raise _no_colours()
        return convert(Page(pixels, bits, _proportion(said)), mode)


def _check(layout: PixelLayout, syntax: UID) -> None:
    """Refuse pixels of a kind that nothing here decodes, before anybody is asked for film."""
    if layout.tag != PIXEL_DATA:
        raise _undecodable("its pixels are real numbers", "send it as an image of whole numbers")
    if layout.is_encapsulated and not decodes(syntax, layout):
        raise _undecodable(f"{syntax.name} is not decoded here", _UNCOMPRESSED)
    if layout.rows < 1 or layout.columns < 1 or layout.bits_allocated not in (1, 8, 16, 32):
        raise _undecodable("its rows, columns or bits are missing or odd", "export the file again")
    if not 0 < layout.bits_stored <= layout.bits_allocated:
        raise _undecodable("it has more bits stored than allocated", "export the file again")
    if layout.samples not in (1, 3):
        raise _no_colours()


def _cells(frame: DecodedFrame, layout: PixelLayout) -> Cells:
    raw = np.frombuffer(frame.data, f"<u{frame.bits_allocated // 8}")
    shape = (frame.rows, frame.columns) if frame.samples == 1 else (frame.rows, frame.columns, frame.samples)
    lowest, high = frame.bits_stored - 1, layout.high_bit
    high_bit = high if lowest <= high < frame.bits_allocated else lowest
    return Cells(raw.reshape(shape), frame.bits_stored, high_bit, frame.is_signed)


@lru_cache(maxsize=2)
def _known(path: Path, _changed: int, _size: int, limits: Limits) -> tuple[PixelLayout, Descriptions]:
    """What is the same for every frame, found once."""
    with _opened(path, limits) as source:
        layout = original_of(source).pixels
        if layout is None:
            raise StructureError("it has no pixels")
        _check(layout, source.transfer_syntax)
        return layout, descriptions(source, limits.pages)


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[Source]:
    try:
        with _reading(), opened(path, limits.bytes) as source:
            yield source
    except StructureError as error:
        raise _undecodable(str(error), "copy or export the file again") from error


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransientError(
            "the file cannot be read now", cause=error.strerror or "", remedy="check the disk"
        ) from error


def _proportion(said: Dataset) -> tuple[float, float] | None:
    """The height and the width of a pixel in small whole numbers, None for a square."""
    for keyword in _SHAPES:
        value = said.get(keyword)
        if value is None or isinstance(value, str | bytes) or not hasattr(value, "__len__") or len(value) != 2:
            continue
        height, width = float(value[0]), float(value[1])
        if height <= 0 or width <= 0 or not 1 / _FLATTEST <= height / width <= _FLATTEST:
            continue
        shape = Fraction(height / width).limit_denominator(1000)
        return None if shape == 1 else (float(shape.numerator), float(shape.denominator))
    return None


def _undecodable(cause: str, remedy: str) -> PermanentError:
    return PermanentError("the pixels of the DICOM file cannot be shown", cause=cause, remedy=remedy)


def _no_colours() -> PermanentError:
    return _undecodable(
        "its Photometric Interpretation (0028,0004) and Samples per Pixel (0028,0002) go together in no known way",
        "send it in grey, RGB, YBR_FULL or with a palette",
    )
