"""A picture that is laid over others: its colours and its alpha."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dicomprinter.dicom.page import Pixels
from dicomprinter.errors import PermanentError
from dicomprinter.imaging import icc
from dicomprinter.imaging.colour import to_8_bits
from dicomprinter.imaging.formats import picture
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.picture import Picture, turned
from dicomprinter.imaging.probe import sniff
from dicomprinter.imaging.refusals import refusing
from dicomprinter.imaging.source import mapped


@dataclass(frozen=True, eq=False)
class Overlay:
    """Upright colours in sRGB, not multiplied by their alpha.

    Args:
        colours: (rows, columns) grey, uint8 or uint16, or (rows, columns, 3) RGB, uint8.
        alpha: (rows, columns), of the same type: how opaque each pixel is; None when all of them are.
    """

    colours: Pixels
    alpha: Pixels | None


def open_overlay(path: Path, limits: Limits | None = None) -> Overlay:
    """Decode the first page of a picture file with its alpha.

    Raises:
        PermanentError: the file is damaged, no picture, or beyond the limits.
        TransientError: the disk or the system fails.
    """
    limits = limits or Limits()
    with refusing(0), mapped(path, limits) as data:
        media_type = sniff(data)
        found = picture(path, data, media_type, 0, limits)
        if found is None:
            raise PermanentError(
                "the file is no picture", cause=f"it is {media_type}", remedy="give a PNG, JPEG, TIFF or BMP"
            )
        return _overlay(found)


def _overlay(found: Picture) -> Overlay:
    if found.decode_alpha is None:
        return Overlay(found.page().pixels, None)
    decoded = found.decode_alpha()
    samples = decoded.samples if decoded.samples.ndim == 3 else decoded.samples[:, :, None]
    number = samples.shape[2]
    alpha = samples[:, :, -1] if number in (2, 4) else None
    colours = samples[:, :, 0] if number <= 2 else samples[:, :, :3]
    if alpha is not None and decoded.is_multiplied:
        colours = _divided(colours, alpha)
    if colours.ndim == 3:
        # Of 16 bits in colour nothing comes after 8.
        colours = icc.to_srgb(np.ascontiguousarray(to_8_bits(colours)), found.profile)
        alpha = None if alpha is None else to_8_bits(alpha)
    upright = turned(colours, found.orientation)
    return Overlay(
        np.ascontiguousarray(upright),
        None if alpha is None else np.ascontiguousarray(turned(alpha, found.orientation)),
    )


def _divided(colours: Pixels, alpha: Pixels) -> Pixels:
    """Colours that are not multiplied by their alpha any more; where that is 0, they are black."""
    top = np.iinfo(colours.dtype).max
    share = np.maximum(alpha, 1).astype(np.uint32)
    if colours.ndim == 3:
        share = share[:, :, None]
    # 65,535 squared and half of it more is just below 2 to the 32.
    divided = (np.minimum(colours, share) * np.uint32(top) + share // 2) // share
    return divided.astype(colours.dtype)
