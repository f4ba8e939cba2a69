"""The cells of a frame's pixel data, and the values that they store (PS3.5 8.1.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dicomprinter.dicom.page import STRIP, Pixels


@dataclass(frozen=True, eq=False)
class Cells:
    """Samples as they stand, with whatever is above and below the bits that count.

    Args:
        raw: (rows, columns) or (rows, columns, samples), uint8, uint16 or uint32.
        bits_stored: those that count.
        high_bit: the highest of them.
        is_signed: whether they are two's complement.
    """

    raw: Pixels
    bits_stored: int
    high_bit: int
    is_signed: bool

    def stored(self, raw: Pixels) -> Pixels:
        """The values of some cells, as int64."""
        values: Pixels = raw.astype(np.int64) >> (self.high_bit + 1 - self.bits_stored)
        values &= (1 << self.bits_stored) - 1
        if self.is_signed:
            values -= values >> (self.bits_stored - 1) << self.bits_stored
        return values

    def mapped(self, change: Callable[[Pixels], Pixels]) -> Pixels:
        """What a function of the stored values makes of each cell; one that gives colours adds an axis."""
        if self.raw.itemsize <= 2:
            table = change(self.stored(np.arange(1 << 8 * self.raw.itemsize)))
            return table[self.raw]
        strips = [change(self.stored(self.raw[start : start + STRIP])) for start in range(0, len(self.raw), STRIP)]
        return np.concatenate(strips)

    def present(self) -> Pixels:
        """Values that the frame has: every one, of cells of 32 bits the smallest and the largest."""
        if self.raw.itemsize <= 2:
            is_there = np.zeros(1 << 8 * self.raw.itemsize, bool)
            for start in range(0, len(self.raw), STRIP):
                is_there[self.raw[start : start + STRIP]] = True
            return self.stored(np.flatnonzero(is_there))
        ends = []
        for start in range(0, len(self.raw), STRIP):
            values = self.stored(self.raw[start : start + STRIP])
            ends += [values.min(), values.max()]
        return np.array([min(ends), max(ends)])

    def limits(self) -> Pixels:
        """The smallest and the largest value that a cell can store."""
        low = -(1 << (self.bits_stored - 1)) if self.is_signed else 0
        return np.array([low, low + (1 << self.bits_stored) - 1])
