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
