"""One page's pixels, as an object of the standard can hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

# uint8 or uint16; numpy's own types do not follow a dtype through arithmetic and slices.
Pixels = npt.NDArray[Any]


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
