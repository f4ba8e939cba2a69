"""Cutting the edges of a page off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from dicomprinter.dicom.page import STRIP, Form, Page, Pixels
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.edits.base import Note, PageEdit
from dicomprinter.imaging.limits import Limits

Edge = int | Literal["auto"]


@dataclass(frozen=True)
class Trim(PageEdit):
    """Cuts pixels off each edge: a number of them, or `auto`, rows or columns as long as they are of one colour.

    The numbers come first. That colour is the one of the top left pixel of what they leave.
    """

    kind: ClassVar[str] = "trim"

    top: Edge
    bottom: Edge
    left: Edge
    right: Edge

    def apply(self, page: Page, number: int, note: Note, limits: Limits | None = None) -> Page:
        """What is left of the page; one that is blank loses nothing by itself, and the history says so.

        Raises:
            PermanentError: the numbers leave nothing.
        """
        rows, columns = page.pixels.shape[:2]
        top, bottom, left, right = self._left(page.form, number)
        if self.shows_in_pixels:
            inner = _content(page.pixels[top:bottom, left:right])
            if inner is None:
                note("a blank page has no edge to find: it keeps those that are auto")
            else:
                upper, lower, first, last = inner
                top, bottom = top + upper * (self.top == "auto"), bottom - lower * (self.bottom == "auto")
                left, right = left + first * (self.left == "auto"), right - last * (self.right == "auto")
        if (top, bottom, left, right) == (0, rows, 0, columns):
            return page
        return replace(page, pixels=np.ascontiguousarray(page.pixels[top:bottom, left:right]))

    def size(self, form: Form, number: int) -> tuple[int, int]:
        """What the numbers leave."""
        top, bottom, left, right = self._left(form, number)
        return right - left, bottom - top

    @property
    def shows_in_pixels(self) -> bool:
        """An edge that is looked for does."""
        return "auto" in (self.top, self.bottom, self.left, self.right)

    def _left(self, form: Form, number: int) -> tuple[int, int, int, int]:
        """The first row that the numbers leave and the one behind the last; the same of the columns."""
        rows, columns = form.rows, form.columns
        top, bottom = _number(self.top), rows - _number(self.bottom)
        left, right = _number(self.left), columns - _number(self.right)
        if top >= bottom or left >= right:
            raise PermanentError(
                f"page {number} has {columns} × {rows} pixels; to cut {left} + {columns - right} off its width and "
                f"{top} + {rows - bottom} off its height leaves nothing",
                cause="the page is smaller than the action expects",
                remedy='cut less, or write "auto"',
            )
        return top, bottom, left, right


def _number(edge: Edge) -> int:
    if edge == "auto":
        return 0
    if edge < 0:
        raise PermanentError("an edge of less than no pixels cannot be cut off", remedy="write 0 or more")
    return edge


def _content(pixels: Pixels) -> tuple[int, int, int, int] | None:
    """How much is of the top left pixel's colour at the top, bottom, left and right; None when all of it is."""
    rows, columns = pixels.shape[:2]
    edge = np.broadcast_to(pixels[0, 0], pixels.shape[1:])
    top = _alike(pixels, edge)
    if top == rows:
        return None
    bottom = _alike(pixels[::-1], edge)
    differs = np.zeros(edge.shape, np.bool_)
    for start in range(top, rows - bottom, STRIP):
        differs |= (pixels[start : min(start + STRIP, rows - bottom)] != edge).any(axis=0)
        if differs[0].any() and differs[-1].any():
            break
    (across,) = np.nonzero(differs.reshape(columns, -1).any(axis=1))
    return top, bottom, int(across[0]), columns - 1 - int(across[-1])


def _alike(pixels: Pixels, edge: Pixels) -> int:
    """How many rows there are before the first with a pixel of another colour."""
    rows = len(pixels)
    for start in range(0, rows, STRIP):
        strip = pixels[start : start + STRIP]
        (found,) = np.nonzero((strip != edge).reshape(len(strip), -1).any(axis=1))
        if len(found):
            return start + int(found[0])
    return rows
