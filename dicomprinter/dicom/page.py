"""One page's pixels, as an object of the standard can hold them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

# uint8 or uint16; numpy's own types do not follow a dtype through arithmetic and slices.
Pixels = npt.NDArray[Any]
STRIP: Final = 64  # rows: the working copy stays in the processor's cache


@dataclass(frozen=True)
class LossySource:
    """What a lossy compression did to the pixels before they came here (PS3.3 C.7.6.1.1.5).

    Args:
        method: a defined term of Lossy Image Compression Method, such as `ISO_10918_1`.
        ratio: size before divided by size after.
    """

    method: str
    ratio: float


@dataclass(frozen=True)
class Form:
    """What the pages of one multi-frame object have in common (PS3.3 C.7.6.3).

    Args:
        rows: of the upright page.
        columns: of the upright page.
        samples: 1 grey, 3 RGB.
        bits_stored: 8, 12 or 16.
    """

    rows: int
    columns: int
    samples: int
    bits_stored: int

    @property
    def frame_bytes(self) -> int:
        """The size of the native pixels."""
        return self.rows * self.columns * self.samples * (1 if self.bits_stored == 8 else 2)


@dataclass(frozen=True, eq=False)
class Page:
    """Upright pixels, nothing transparent, black is 0.

    Args:
        pixels: (rows, columns) grey or (rows, columns, 3) RGB; uint8 with 8 bits, else grey uint16.
        bits_stored: 8, 12 (0 to 4095) or 16.
        resolution: dots per inch (horizontal, vertical), None when unknown.
        lossy: the compression that the pixels went through, None when there was none.
    """

    pixels: Pixels
    bits_stored: int
    resolution: tuple[float, float] | None = None
    lossy: LossySource | None = None

    @property
    def is_colour(self) -> bool:
        """Whether the page has three samples a pixel."""
        return self.pixels.ndim == 3

    @property
    def form(self) -> Form:
        """What it shares with the other frames of an object."""
        rows, columns = self.pixels.shape[:2]
        return Form(rows, columns, 3 if self.is_colour else 1, self.bits_stored)


@dataclass(frozen=True, eq=False)
class Bitstream:
    """A page that goes into an object as the JPEG that it came as (PS3.5 A.4.1).

    Args:
        form: of the decoded page.
        data: the codestream, from SOI to EOI.
        resolution: dots per inch (horizontal, vertical), None when unknown.
        lossy: what its compression did.
    """

    form: Form
    data: bytes
    resolution: tuple[float, float] | None
    lossy: LossySource


def by_strips(pixels: Pixels, bits: int, change: Callable[[Pixels], Pixels], *, samples: bool = False) -> Pixels:
    """Work in 32 bits without a 32 bit copy of the whole page.

    Args:
        pixels: (rows, columns) or (rows, columns, samples).
        bits: of the result, which is uint8 with 8, else uint16.
        change: from some rows in uint32 to the same rows of the result.
        samples: whether the result keeps the last axis.
    """
    shape = pixels.shape if samples else pixels.shape[:2]
    result = np.empty(shape, np.uint8 if bits == 8 else np.uint16)
    for start in range(0, pixels.shape[0], STRIP):
        rows = slice(start, start + STRIP)
        result[rows] = change(pixels[rows].astype(np.uint32))
    return result
