"""A page reduced to what is looked at, and what on it is ink."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from dicomprinter.dicom.page import Pixels

Mask = npt.NDArray[np.bool_]

_WINDOW: Final = 15
"""Pixels on each side: broader than a stroke, narrower than a shadow of the scanner."""
_LEAST_CONTRAST: Final = 24
"""Grey values between the page's darkest and brightest; a blank page with noise has less."""
_LEVELS: Final = (0.001, 0.5, 0.999)
"""Of all pixels: so many are darker than the darkest, the middle and the brightest that count."""
_SHARE: Final = 0.12
"""Of that contrast: so much darker than its surroundings is ink."""


def reduced(grey: Pixels, longest: int) -> Pixels:
    """The page with its longer side of this many pixels at most.

    Args:
        grey: (rows, columns), uint8.
        longest: pixels.
    """
    rows, columns = grey.shape
    if max(rows, columns) <= longest:
        return grey
    scale = longest / max(rows, columns)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def ink(grey: Pixels) -> Mask:
    """What is darker than its surroundings; on a dark page, what is brighter.

    Args:
        grey: (rows, columns), uint8.
    """
    counted = np.cumsum(np.bincount(grey.ravel(), minlength=256))
    darkest, middle, brightest = (
        int(value) for value in np.searchsorted(counted, [counted[-1] * level for level in _LEVELS])
    )
    contrast = brightest - darkest
    if contrast < _LEAST_CONTRAST:
        return np.zeros(grey.shape, np.bool_)
    if middle < darkest + contrast / 2:
        grey = 255 - grey
    around = np.asarray(Image.fromarray(grey).filter(ImageFilter.BoxBlur(_WINDOW)))
    found: Mask = grey.astype(np.int16) < around.astype(np.int16) - max(8, int(contrast * _SHARE))
    return found
