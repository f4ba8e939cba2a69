"""The image of an image box: scaled, and as a file in the encoding of its presentation context (PS3.3 C.13.5)."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from dicomprinter.dicom.identifiers import encode_identifier
from dicomprinter.dicom.page import Page, Pixels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GREY: Final = 0x20200110
_COLOUR: Final = 0x20200111
_PIXEL_DATA: Final = 0x7FE00010
_ITEM: Final = 0xFFFEE000


def scaled(page: Page, columns: int, rows: int) -> Page:
    """A page with so many pixels; the page itself when it has them."""
    if page.pixels.shape[:2] == (rows, columns):
        return page
    if page.bits_stored == 8:
        resized: Pixels = np.asarray(_resized(Image.fromarray(page.pixels), columns, rows))
    else:
        wide = np.asarray(_resized(Image.fromarray(page.pixels.astype(np.float32)), columns, rows))
        # The filter overshoots at hard edges.
        resized = np.clip(np.rint(wide), 0, (1 << page.bits_stored) - 1).astype(np.uint16)
    return replace(page, pixels=resized, resolution=None)


def write_image_box(file: Path, attributes: Dataset, page: Page, aspect: tuple[int, int], transfer_syntax: str) -> None:
    """Write what an N-SET sends. The image stands at its end, so the pixels go from their place into the file.

    Args:
        file: gets the encoded data set.
        attributes: the others; all stand before the image's.
        page: grey of 8 or 12 bits, or RGB of 8, which goes plane by plane (Planar Configuration 1).
        aspect: the height and the width of a pixel, in any unit.
        transfer_syntax: implicit or explicit VR, little endian.

    Raises:
        OSError: the file cannot be written.
    """
    head = encode_identifier(attributes, transfer_syntax)
    item = encode_identifier(_description(page, aspect), transfer_syntax)
    length = page.pixels.nbytes + page.pixels.nbytes % 2
    is_implicit = transfer_syntax == ImplicitVRLittleEndian
    pixel_head = _head(_PIXEL_DATA, b"OB" if page.bits_stored == 8 else b"OW", length, is_implicit=is_implicit)
    inside = len(item) + len(pixel_head) + length
    sequence = _head(_COLOUR if page.is_colour else _GREY, b"SQ", 8 + inside, is_implicit=is_implicit)
    with file.open("wb") as stream:
        stream.write(b"".join((head, sequence, _head(_ITEM, b"", inside, is_implicit=True), item, pixel_head)))
        for plane in _planes(page.pixels):
            _write(stream, plane)
        stream.write(bytes(page.pixels.nbytes % 2))


def _resized(image: Image.Image, columns: int, rows: int) -> Image.Image:
    return image.resize((columns, rows), Image.Resampling.LANCZOS)


def _planes(pixels: Pixels) -> Iterator[Pixels]:
    if pixels.ndim == 2:
        yield pixels
    else:
        for sample in range(pixels.shape[2]):
            yield pixels[:, :, sample]


def _write(stream: BinaryIO, plane: Pixels) -> None:
    little = plane if plane.dtype.itemsize == 1 else plane.astype("<u2", copy=False)
    stream.write(np.ascontiguousarray(little).data.cast("B"))


def _head(tag: int, vr: bytes, length: int, *, is_implicit: bool) -> bytes:
    """The tag and length of an element (PS3.5 7.1)."""
    group, element = tag >> 16, tag & 0xFFFF
    if is_implicit:
        return struct.pack("<HHL", group, element, length)
    return struct.pack("<HH2s2xL", group, element, vr, length)


def _description(page: Page, aspect: tuple[int, int]) -> Dataset:
    """The image's attributes but for its pixels (PS3.3 C.13.5.1)."""
    rows, columns = page.pixels.shape[:2]
    made = Dataset()
    made.SamplesPerPixel = 3 if page.is_colour else 1
    made.PhotometricInterpretation = "RGB" if page.is_colour else "MONOCHROME2"
    if page.is_colour:
        made.PlanarConfiguration = 1
    made.Rows, made.Columns = rows, columns
    if aspect[0] != aspect[1]:
        made.PixelAspectRatio = list(aspect)
    made.BitsAllocated = 8 if page.bits_stored == 8 else 16
    made.BitsStored = page.bits_stored
    made.HighBit = page.bits_stored - 1
    made.PixelRepresentation = 0
    return made
