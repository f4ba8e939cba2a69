"""Giving a page another size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from PIL import Image

from dicomprinter.dicom.page import Form, Page, Pixels
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.edits.base import Note, PageEdit
from dicomprinter.imaging.limits import Limits


@dataclass(frozen=True)
class Resize(PageEdit):
    """Scales a page by Lanczos' filter, whose support grows as the page gets smaller, so nothing thin is lost.

    Args:
        width: in pixels.
        height: in pixels.
        keep_aspect: whether the page is made as large as fits into these, else it is stretched to them.
    """

    kind: ClassVar[str] = "resize"

    width: int
    height: int
    keep_aspect: bool

    def size(self, form: Form, number: int) -> tuple[int, int]:
        """Width and height of the result."""
        rows, columns = form.rows, form.columns
        if not self.keep_aspect:
            return self.width, self.height
        # In whole numbers, so that a page that fits already is not rounded to another size.
        if self.width * rows <= self.height * columns:
            return self.width, max(1, _rounded(rows * self.width, columns))
        return max(1, _rounded(columns * self.height, rows)), self.height

    def apply(self, page: Page, number: int, note: Note, limits: Limits | None = None) -> Page:
        """The scaled page; its dots an inch are scaled as well, so what is on it keeps its size."""
        if self.width < 1 or self.height < 1:
            raise PermanentError("a page cannot have less than one pixel", remedy="write 1 or more")
        rows, columns = page.pixels.shape[:2]
        width, height = self.size(page.form, number)
        if (width, height) == (columns, rows):
            return page
        resolution = page.resolution
        if resolution is not None:
            resolution = (resolution[0] * width / columns, resolution[1] * height / rows)
        return replace(page, pixels=_scaled(page.pixels, width, height), resolution=resolution)


def _rounded(top: int, bottom: int) -> int:
    return (2 * top + bottom) // (2 * bottom)


def _scaled(pixels: Pixels, width: int, height: int) -> Pixels:
    if pixels.dtype == np.uint8:
        return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))
    # Pillow filters 16 bits only as floating point, whose 24 bits lose none of them.
    scaled = Image.fromarray(pixels.astype(np.float32)).resize((width, height), Image.Resampling.LANCZOS)
    values = np.array(scaled)
    np.rint(values, out=values)
    np.clip(values, 0, 65_535, out=values)
    result: Pixels = values.astype(np.uint16)
    return result
