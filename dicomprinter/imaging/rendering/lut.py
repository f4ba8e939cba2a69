"""Lookup tables of DICOM objects, all written alike: modality, VOI, palettes (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).

pydicom's functions for them want a whole data set that was read from a file, tables of exactly the length that they
tell, and for palettes no more pixel values than the table's own bits can count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomprinter.dicom.forwarded.frames import swapped
from dicomprinter.dicom.page import Pixels

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LARGEST_DATA = 2 * 65_536
"""Bytes of a table."""


@dataclass(frozen=True, eq=False)
class Lut:
    """A table.

    Args:
        first: the value that its first entry is for; smaller ones have that entry too, larger ones the last.
        entries: uint8 or uint16.
        bits: of an entry.
    """

    first: int
    entries: Pixels
    bits: int

    @property
    def top(self) -> int:
        """The largest value that an entry can have."""
        return (1 << self.bits) - 1

    def of(self, values: Pixels) -> Pixels:
        """The entries for some values, whole or not, of any shape."""
        # One representation is for both signs (PS3.3 C.11.2.1.1); implicit VR cannot say which.
        first = self.first - 65_536 if self.first > 32_767 and values.size and values.min() < 0 else self.first
        places = np.clip(np.floor(values) - first, 0, self.entries.size - 1)
        found: Pixels = self.entries[places.astype(np.intp)]
        return found


def lut_of(item: Dataset, descriptor: str, data: str, *, is_big: bool) -> Lut:
    """The table that two elements hold.

    Args:
        item: holds them.
        descriptor: the keyword of number of entries, first value and bits.
        data: the keyword of the entries.
        is_big: whether bytes are big endian.

    Raises:
        ValueError: they are no table.
    """
    said = list(item.get(descriptor) or ())
    if len(said) != 3 or not 1 <= said[2] <= 16:
        raise ValueError("a lookup table has no usable descriptor")
    # 0 stands for 65,536, which 16 bits cannot count.
    number = (int(said[0]) & 0xFFFF) or 65_536
    entries = _entries(item.get(data), number, int(said[2]), is_big=is_big)[:number]
    if entries.size == 0:
        raise ValueError("a lookup table is empty")
    # Some tables use more bits than they tell.
    return Lut(int(said[1]), entries, max(int(said[2]), int(entries.max()).bit_length()))


def _entries(value: Any, number: int, bits: int, *, is_big: bool) -> Pixels:
    if not isinstance(value, bytes):
        numbers = [value] if isinstance(value, int) else list(value or ())
        return np.asarray(numbers, np.int64).astype(np.uint16)
    data = swapped(value, 2) if is_big else value
    if bits <= 8 and len(data) - number in (0, 1):
        return np.frombuffer(data, np.uint8)
    return np.frombuffer(data[: len(data) // 2 * 2], "<u2")
