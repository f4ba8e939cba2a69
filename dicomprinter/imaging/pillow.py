"""Pixels of what Pillow has opened."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from dicomprinter.dicom.page import STRIP, Pixels
from dicomprinter.imaging.colour import lay_on_white

_GREY_ALPHA = ("LA", "La")
_COLOUR_ALPHA = ("RGBA", "RGBa", "PA")
_GREY = ("1", "L", *_GREY_ALPHA)


def is_colour(image: Image.Image) -> bool:
    """Whether `pixels` will be RGB."""
    return image.mode not in _GREY


def pixels(image: Image.Image) -> Pixels:
    """8 bit grey, RGB or CMYK, (rows, columns[, 3 or 4]), of any of Pillow's modes. The image is closed.

    Raises:
        ValueError: a mode of more than 8 bits.
    """
    convert = _conversion(image)
    image.load()
    columns, rows = image.size
    samples = {False: (), True: (4,) if image.mode == "CMYK" else (3,)}[is_colour(image)]
    result = np.empty((rows, columns, *samples), np.uint8)
    for start in range(0, rows, STRIP):
        stop = min(start + STRIP, rows)
        with image.crop((0, start, columns, stop)) as strip:
            result[start:stop] = convert(strip)
    image.close()
    return result


def with_alpha(image: Image.Image) -> Pixels:
    """As `pixels`, but 2 samples (grey, alpha) or 4 (RGB, alpha) of a mode that has alpha. The image is closed.

    Raises:
        ValueError: a mode of more than 8 bits.
    """
    if image.mode not in (*_GREY_ALPHA, *_COLOUR_ALPHA):
        return pixels(image)
    # Pillow's own arrays share memory with what is closed.
    samples = np.array(image.convert("LA" if image.mode in _GREY_ALPHA else "RGBA"))
    image.close()
    return samples


def _conversion(image: Image.Image) -> Callable[[Image.Image], Pixels]:
    mode = image.mode
    if mode == "1":
        return lambda strip: np.asarray(strip.convert("L"))
    if mode in ("L", "RGB", "CMYK"):
        return np.asarray
    if mode in _GREY_ALPHA:
        return lambda strip: _on_white(strip.convert("LA"))
    if mode in _COLOUR_ALPHA:
        return lambda strip: _on_white(strip.convert("RGBA"))
    if mode in ("P", "RGBX", "YCbCr"):
        return lambda strip: np.asarray(strip.convert("RGB"))
    raise ValueError(mode)


def _on_white(strip: Image.Image) -> Pixels:
    values = np.asarray(strip)
    return lay_on_white(values[:, :, 0] if values.shape[2] == 2 else values[:, :, :3], values[:, :, -1])
