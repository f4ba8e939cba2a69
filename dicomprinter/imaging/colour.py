"""Colour modes: RGB, 8 bit grey, 12 bit grey. Whole numbers throughout, so every result is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dicomprinter.dicom.page import STRIP, Page, Pixels, by_strips
from dicomprinter.imaging.mode import ColourMode


def convert(page: Page, mode: ColourMode) -> Page:
    """The page in a colour mode; values are rounded half up.

    AS_IS changes nothing. RGB repeats grey. MONOCHROME8 and MONOCHROME12 take the luminance
    0.299 R + 0.587 G + 0.114 B, for 12 bits in full precision; grey of more or fewer bits is scaled.
    """
    if mode is ColourMode.AS_IS:
        return page
    if mode is ColourMode.RGB:
        if page.is_colour:
            return page
        grey = to_grey(page, 8)
        return replace(grey, pixels=np.repeat(grey.pixels[:, :, None], 3, axis=2))
    return to_grey(page, 8 if mode is ColourMode.MONOCHROME8 else 12)


def to_grey(page: Page, bits: int) -> Page:
    """The page in grey with 8 or 12 bits."""
    pixels = page.pixels
    if not page.is_colour and page.bits_stored == bits:
        return page
    if page.is_colour:
        scaled = by_strips(pixels, bits, _luminance_8 if bits == 8 else _luminance_12)
    elif bits == 12 and page.bits_stored == 8:
        scaled = by_strips(pixels, bits, lambda grey: (grey << 4) | (grey >> 4))
    else:
        top, wished = (1 << page.bits_stored) - 1, (1 << bits) - 1
        scaled = by_strips(pixels, bits, lambda grey: (grey * wished + top // 2) // top)
    return replace(page, pixels=scaled, bits_stored=bits)


def lay_on_white(colours: Pixels, alpha: Pixels, *, multiplied: bool = False) -> Pixels:
    """Colours of (rows, columns[, 3]) over white, by an alpha of (rows, columns); both of one type, full range.

    `multiplied` says that the colours have been multiplied by their alpha.
    """
    # 65,535 squared and half of it more is just below 2 to the 32.
    top = np.uint32(np.iinfo(colours.dtype).max)
    result = np.empty_like(colours)
    for start in range(0, colours.shape[0], STRIP):
        rows = slice(start, start + STRIP)
        cover = alpha[rows].astype(np.uint32)
        if colours.ndim == 3:
            cover = cover[:, :, None]
        if multiplied:
            result[rows] = np.minimum(colours[rows] + (top - cover), top)
        else:
            result[rows] = (colours[rows] * cover + (top - cover) * top + top // 2) // top
    return result


def to_8_bits(pixels: Pixels) -> Pixels:
    """Pixels of any shape brought from 16 bits to 8, rounded half up; 8 bits stay as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    return by_strips(pixels, 8, lambda wide: (wide * 255 + 32767) // 65535, samples=True)


def _luminance_8(rgb: Pixels) -> Pixels:
    grey: Pixels = (rgb[..., 0] * 299 + rgb[..., 1] * 587 + rgb[..., 2] * 114 + 500) // 1000
    return grey


def _luminance_12(rgb: Pixels) -> Pixels:
    # 299 R + 587 G + 114 B runs to 255,000; 4095 / 255,000 is 273 / 17,000.
    grey: Pixels = ((rgb[..., 0] * 299 + rgb[..., 1] * 587 + rgb[..., 2] * 114) * 273 + 8500) // 17000
    return grey
