"""Turning a page by quarters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from dicomprinter.dicom.page import Form, Page
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.edits.base import Note, PageEdit
from dicomprinter.imaging.limits import Limits

_QUARTERS = (0, 90, 180, 270)


@dataclass(frozen=True)
class Rotate(PageEdit):
    """Turns a page clockwise.

    Args:
        angle: 0, 90, 180 or 270 degrees.
    """

    kind: ClassVar[str] = "rotate"

    angle: int

    def apply(self, page: Page, number: int, note: Note, limits: Limits | None = None) -> Page:
        """The turned page; its resolutions change places by a quarter."""
        if self.angle not in _QUARTERS:
            raise PermanentError(f"a page cannot be turned by {self.angle} degrees", remedy="write 90, 180 or 270")
        if self.angle == 0:
            return page
        resolution = page.resolution
        if resolution is not None and self.angle != 180:
            resolution = (resolution[1], resolution[0])
        pixels = np.ascontiguousarray(np.rot90(page.pixels, -self.angle // 90))
        return replace(page, pixels=pixels, resolution=resolution)

    def size(self, form: Form, number: int) -> tuple[int, int]:
        """The sides, which change places by a quarter."""
        return (form.rows, form.columns) if self.angle % 180 else (form.columns, form.rows)
