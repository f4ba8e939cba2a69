"""A picture before it is decoded: what its headers tell, and how to get at the pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dicomprinter.dicom.page import Form, LossySource, Page, Pixels
from dicomprinter.imaging import icc


@dataclass(frozen=True, eq=False)
class WithAlpha:
    """Pixels as stored, before anything is laid on white.

    Args:
        samples: (rows, columns[, 1 to 4]): grey, grey and alpha, RGB, or RGB and alpha; uint8 or uint16.
        is_multiplied: whether the colours have been multiplied by their alpha.
    """

    samples: Pixels
    is_multiplied: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """One page of a picture file.

    Args:
        width: columns as stored, before the orientation.
        height: rows as stored.
        is_colour: whether it becomes RGB, else grey.
        bits: 8, or 16 of grey.
        decode: the pixels as stored, without alpha: (rows, columns[, 3 for RGB or 4 for CMYK]), uint8 or uint16.
        orientation: 1 to 8 (Exif 2.32, 4.6.4 A, tag 0112).
        resolution: dots per inch (horizontal, vertical) as stored.
        lossy: the compression that it went through.
        profile: an ICC profile of the pixels that `decode` gives.
        decode_alpha: the pixels with their alpha, where they may have any.
    """

    width: int
    height: int
    is_colour: bool
    bits: int
    decode: Callable[[], Pixels]
    orientation: int = 1
    resolution: tuple[float, float] | None = None
    lossy: LossySource | None = None
    profile: bytes | None = None
    decode_alpha: Callable[[], WithAlpha] | None = None

    @property
    def form(self) -> Form:
        """What `page` will have."""
        rows, columns = (self.width, self.height) if self.orientation >= 5 else (self.height, self.width)
        return Form(rows, columns, 3 if self.is_colour else 1, self.bits)

    @property
    def upright_resolution(self) -> tuple[float, float] | None:
        """Dots per inch (horizontal, vertical) of the upright page; None when the file tells nothing plausible."""
        if self.resolution is None:
            return None
        horizontal, vertical = self.resolution
        # Some programs write 0, or 1, for a resolution they do not know.
        if not (2 <= horizontal <= 20_000 and 2 <= vertical <= 20_000):
            return None
        return (vertical, horizontal) if self.orientation >= 5 else (horizontal, vertical)

    def page(self) -> Page:
        """Decode it: upright, colours in sRGB.

        Raises:
            ValueError: the pixels are other than the headers told.
        """
        pixels = self.decode()
        if pixels.ndim == 3:
            pixels = icc.to_srgb(pixels, self.profile)
        pixels = np.ascontiguousarray(turned(pixels, self.orientation))
        page = Page(pixels, 16 if pixels.dtype == np.uint16 else 8, self.upright_resolution, self.lossy)
        if page.form != self.form:
            raise ValueError("form")
        return page


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """Upright pixels of those that were stored with an orientation of 1 to 8 (Exif 2.32, 4.6.4 A, tag 0112)."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
