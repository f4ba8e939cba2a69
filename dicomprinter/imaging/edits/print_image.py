"""Laying a picture over pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final, Literal, Self

import numpy as np
from PIL import Image

from dicomprinter.dicom.page import STRIP, Page, Pixels
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.edits.base import Note, PageEdit
from dicomprinter.imaging.edits.place import Box, box_of
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.overlay import Overlay, open_overlay

_LUMINANCE: Final = np.array([0.299, 0.587, 0.114], np.float32)
Crop = tuple[float, float, float, float]


@dataclass(frozen=True)
class PrintImage(PageEdit):
    """Lays a picture over some pages; what is transparent in it lets the page through.

    Args:
        file: the picture, below the job's folder.
        x: the left edge, in percent of the page's width.
        y: the top, in percent of the page's height.
        width: in percent of the page's width.
        height: in percent of the page's height.
        aspect: keep fits it in, in the middle; ignore stretches it; expand fills the rectangle and cuts it.
        pages: the pages as ranges from 1, both ends included; an end of None is the last one.
    """

    kind: ClassVar[str] = "print_image"

    file: str
    x: float
    y: float
    width: float
    height: float
    aspect: Literal["keep", "ignore", "expand"]
    pages: tuple[tuple[int, int | None], ...]

    def below(self, folder: Path) -> Self:
        """With the picture's path."""
        return replace(self, file=str(folder / self.file))

    def apply(self, page: Page, number: int, note: Note, limits: Limits | None = None) -> Page:
        """The page with the picture; in grey where the page is.

        Raises:
            PermanentError: the picture is gone, damaged, none, or beyond the limits.
        """
        if not any(first <= number and (last is None or number <= last) for first, last in self.pages):
            return page
        box = box_of(page, self.x, self.y, self.width, self.height)
        if box.width < 1 or box.height < 1:
            note("nothing of the picture is drawn: its rectangle has no pixel")
            return page
        overlay = _opened(Path(self.file), limits)
        box, crop = _placed(overlay, box, self.aspect)
        pixels = page.pixels.copy()
        _lay(pixels[box.slices], *_scaled(overlay, (box.width, box.height), crop), (1 << page.bits_stored) - 1)
        return replace(page, pixels=pixels)


def _opened(file: Path, limits: Limits | None) -> Overlay:
    try:
        return open_overlay(file, limits)
    except (InputError, PermanentError) as error:
        raise PermanentError(
            "the job's copy of the picture cannot be used",
            cause="; ".join(part for part in (error.what, error.cause) if part),
            remedy="print the job again",
        ) from error


def _placed(overlay: Overlay, box: Box, aspect: str) -> tuple[Box, Crop]:
    """The part of the rectangle that is drawn on, and the part of the picture that goes there."""
    rows, columns = overlay.colours.shape[:2]
    across, down = box.width / columns, box.height / rows
    whole = (0.0, 0.0, float(columns), float(rows))
    if aspect == "keep":
        factor = min(across, down)
        width, height = max(1, round(columns * factor)), max(1, round(rows * factor))
        left, top = box.left + (box.width - width) // 2, box.top + (box.height - height) // 2
        return Box(left, top, left + width, top + height), whole
    if aspect == "expand":
        factor = max(across, down)
        width, height = box.width / factor, box.height / factor
        left, top = (columns - width) / 2, (rows - height) / 2
        return box, (left, top, left + width, top + height)
    return box, whole


def _scaled(overlay: Overlay, size: tuple[int, int], crop: Crop) -> tuple[Pixels, Pixels]:
    """Colours, multiplied by their alpha, and alpha, of this width and height.

    Returns:
        (rows, columns[, 3]) and (rows, columns), uint8 from 0 to 255 or float32 from 0 to 1.
    """
    colours, alpha = overlay.colours, overlay.alpha
    if alpha is None:
        alpha = np.full(colours.shape[:2], np.iinfo(colours.dtype).max, colours.dtype)
    if colours.dtype == np.uint8:
        # Four bytes a pixel in each step, whatever the picture's size.
        samples = np.dstack((colours, alpha)) if colours.ndim == 3 else np.stack((colours, alpha), axis=-1)
        with Image.fromarray(samples) as image, image.convert("RGBa" if colours.ndim == 3 else "La") as multiplied:
            scaled = np.asarray(_resized(multiplied, size, crop))
        return (scaled[:, :, :3] if colours.ndim == 3 else scaled[:, :, 0]), scaled[:, :, -1]
    share = alpha.astype(np.float32) / np.float32(65535)
    # The curve runs over a little at sharp edges.
    bands = (np.asarray(_resized(Image.fromarray(band), size, crop)).clip(0, 1) for band in _multiplied(colours, share))
    return next(bands), next(bands)


def _multiplied(grey: Pixels, share: Pixels) -> tuple[Pixels, Pixels]:
    return grey.astype(np.float32) * (share / np.float32(65535)), share


def _resized(image: Image.Image, size: tuple[int, int], crop: Crop) -> Image.Image:
    return image.resize(size, Image.Resampling.BICUBIC, box=crop)


def _lay(pixels: Pixels, colours: Pixels, alpha: Pixels, top: int) -> None:
    """Lay colours over pixels in place, rounded half up; `top` is the pixels' white."""
    unit = np.float32(1 if colours.dtype == np.float32 else 255)
    for start in range(0, len(pixels), STRIP):
        rows = slice(start, start + STRIP)
        above = colours[rows] * (np.float32(top) / unit)
        if pixels.ndim == 2 and above.ndim == 3:
            above = above @ _LUMINANCE
        through = 1 - alpha[rows] / unit
        if pixels.ndim == 3:
            through = through[:, :, None]
            above = above if above.ndim == 3 else above[:, :, None]
        pixels[rows] = np.minimum(pixels[rows] * through + above + np.float32(0.5), top)
