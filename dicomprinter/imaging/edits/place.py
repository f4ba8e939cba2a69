"""Where on a page something is drawn, and how it is laid over what is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dicomprinter.dicom.page import STRIP, Page, Pixels

_OPAQUE: Final = np.uint32(255 * 255)


@dataclass(frozen=True)
class Box:
    """Pixels of a page: from its left edge and top, up to its right edge and bottom, which are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def slices(self) -> tuple[slice, slice]:
        """For an array of (rows, columns, …)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def box_of(page: Page, x: float, y: float, width: float, height: float) -> Box:
    """A place in percent of a page's sides as pixels; what lies beyond the page is left out."""
    rows, columns = page.pixels.shape[:2]

    def edge(percent: float, side: int) -> int:
        return min(side, round(percent * side / 100))

    return Box(edge(x, columns), edge(y, rows), edge(x + width, columns), edge(y + height, rows))


def samples_of(page: Page, colour: tuple[int, int, int]) -> Pixels:
    """A colour (0 to 255 each) as a pixel of the page: (3,) of RGB, else () of its luminance in the page's grey.

    The luminance is 0.299 R + 0.587 G + 0.114 B.
    """
    if page.is_colour:
        return np.array(colour, np.uint32)
    top = (1 << page.bits_stored) - 1
    red, green, blue = colour
    return np.array(((red * 299 + green * 587 + blue * 114) * top + 127_500) // 255_000, np.uint32)


def fill(pixels: Pixels, colour: Pixels, alpha: int) -> None:
    """Lay a colour over pixels in place, as `lay` does, equally everywhere."""
    if alpha == 255:
        pixels[...] = colour
    elif alpha > 0:
        for start in range(0, len(pixels), STRIP):
            rows = slice(start, start + STRIP)
            pixels[rows] = _mixed(pixels[rows], colour, np.array(alpha * 255, np.uint32))


def lay(pixels: Pixels, colour: Pixels, cover: Pixels, alpha: int) -> None:
    """Lay a colour over pixels in place, rounded half up.

    Args:
        pixels: (rows, columns) or (rows, columns, 3); uint8 or uint16.
        colour: () or (3,), as `samples_of` gives it.
        cover: (rows, columns), uint8: how much of each pixel is covered.
        alpha: 0 to 255: how opaque the colour is.
    """
    for start in range(0, len(pixels), STRIP):
        rows = slice(start, start + STRIP)
        share = cover[rows].astype(np.uint32) * np.uint32(alpha)
        pixels[rows] = _mixed(pixels[rows], colour, share[:, :, None] if pixels.ndim == 3 else share)


def _mixed(below: Pixels, above: Pixels, share: Pixels) -> Pixels:
    """65,535 times 255 squared, and half of the latter more, is below 2 to the 32."""
    mixed: Pixels = (below.astype(np.uint32) * (_OPAQUE - share) + above * share + _OPAQUE // 2) // _OPAQUE
    return mixed
