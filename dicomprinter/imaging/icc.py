"""ICC profiles (ICC.1): colours of any profile become sRGB, which is what a viewer takes RGB for."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageCms

from dicomprinter.dicom.page import STRIP, Pixels

# The corners, and enough between them to tell the curves.
_STEPS: Final = np.linspace(0, 255, 9).round().astype(np.uint8)
_ALIKE: Final = 2  # levels of 255: the profiles that call themselves sRGB differ by so much


def is_srgb(profile: bytes) -> bool:
    """Whether the profile's colours are those of sRGB, whatever it calls itself; False for one that cannot be used."""
    transform = _transform(profile, "RGB")
    return transform is not None and _changes_nothing(transform)


def to_srgb(pixels: Pixels, profile: bytes | None) -> Pixels:
    """RGB or CMYK as sRGB.

    Args:
        pixels: (rows, columns, 3) RGB or (rows, columns, 4) CMYK, where 0 is no ink; uint8.
        profile: theirs, if there is one.

    Returns:
        (rows, columns, 3). Without a profile that can be used RGB stays as it is, and CMYK is converted plainly.
    """
    mode = "CMYK" if pixels.shape[2] == 4 else "RGB"
    transform = _transform(profile, mode) if profile else None
    if transform is None:
        return _plain(pixels) if mode == "CMYK" else pixels
    if mode == "RGB" and _changes_nothing(transform):
        return pixels
    result = np.empty((*pixels.shape[:2], 3), np.uint8)
    for start in range(0, len(pixels), STRIP):
        rows = slice(start, start + STRIP)
        result[rows] = _applied(transform, pixels[rows], mode)
    return result


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    grid = np.stack(np.meshgrid(_STEPS, _STEPS, _STEPS), axis=-1).reshape(1, -1, 3)
    return bool((np.abs(grid.astype(int) - _applied(transform, grid, "RGB")) <= _ALIKE).all())


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None for a profile that is broken or of another colour space: plain colours are better than no page."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        # Its intent is perceptual, so black ink is black on the screen, where paper would leave it a dark grey.
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


def _plain(pixels: Pixels) -> Pixels:
    """Each colour is what its ink and the black leave."""
    result = np.empty((*pixels.shape[:2], 3), np.uint8)
    for start in range(0, len(pixels), STRIP):
        rows = slice(start, start + STRIP)
        left = 255 - pixels[rows].astype(np.uint16)  # two of them multiplied still fit
        result[rows] = (left[..., :3] * left[..., 3:] + 127) // 255
    return result


def _applied(transform: ImageCms.ImageCmsTransform, pixels: Pixels, mode: str) -> Pixels:
    rows, columns = pixels.shape[:2]
    strip = Image.frombytes(mode, (columns, rows), np.ascontiguousarray(pixels).tobytes())
    converted = transform.apply(strip)
    return np.asarray(converted)
