"""The connected marks of a mask, by runs: rows of ink that touch belong together (8 neighbours)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dicomprinter.imaging.orientation.ink import Mask

Numbers = npt.NDArray[np.int64]

MOST_RUNS: Final = 400_000
"""A page of the smallest print has 150,000; more is noise, and nothing that can be read."""


@dataclass(frozen=True, eq=False)
class Marks:
    """Marks and the runs that they are made of.

    Args:
        left, right, top, bottom: (marks,), the edges; right and bottom lie just outside.
        area: (marks,), pixels of ink.
        row, start, end: (runs,), in the order of the page; end lies just outside.
        mark: (runs,), whose run it is.
    """

    left: Numbers
    right: Numbers
    top: Numbers
    bottom: Numbers
    area: Numbers
    row: Numbers
    start: Numbers
    end: Numbers
    mark: Numbers

    @property
    def height(self) -> Numbers:
        """(marks,), pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> Numbers:
        """(marks,), pixels."""
        return self.right - self.left


def find_marks(mask: Mask) -> Marks | None:
    """The marks of a mask; None when there are too many to be text."""
    rows, columns = mask.shape
    wide = columns + 1
    padded = np.zeros((rows, wide), np.int8)
    padded[:, :columns] = mask
    edges = np.flatnonzero(np.diff(padded.ravel(), prepend=np.int8(0)))
    # The last column is blank, so that no run goes on in the next row.
    start, end = edges[0::2].astype(np.int64), edges[1::2].astype(np.int64)
    if len(start) > MOST_RUNS:
        return None
    mark = _joined(start, end, wide)
    names, mark = np.unique(mark, return_inverse=True)
    row, start, end = start // wide, start % wide, end - (start // wide) * wide
    count = len(names)
    left, right = np.full(count, columns), np.zeros(count, np.int64)
    top, bottom = np.full(count, rows), np.zeros(count, np.int64)
    np.minimum.at(left, mark, start)
    np.maximum.at(right, mark, end)
    np.minimum.at(top, mark, row)
    np.maximum.at(bottom, mark, row + 1)
    area = np.bincount(mark, end - start, count).astype(np.int64)
    return Marks(left, right, top, bottom, area, row, start, end, mark)


def _joined(start: Numbers, end: Numbers, wide: int) -> Numbers:
    """(runs,), a number for each run that those that touch share."""
    # The runs of the next row that touch a run lie side by side.
    first = np.searchsorted(end - wide, start, "left")
    counts = np.maximum(np.searchsorted(start - wide, end, "right") - first, 0)
    one = np.repeat(np.arange(len(start)), counts)
    other = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    return united(len(start), one, other)


def united(count: int, one: Numbers, other: Numbers) -> Numbers:
    """(count,), a number for each thing that all those that are linked share.

    Args:
        count: things.
        one: (links,), what each link joins.
        other: (links,), with what.
    """
    name = np.arange(count)
    while True:
        one, other = name[one], name[other]
        apart = one != other
        if not apart.any():
            return name
        one, other = one[apart], other[apart]
        np.minimum.at(name, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(shorter := name[name], name):
            name = shorter
