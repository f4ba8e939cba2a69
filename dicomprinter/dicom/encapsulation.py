"""Frames as the value of Pixel Data (PS3.5 8.2 and A.4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from dicomprinter.dicom.pieces import Piece

_ITEM: Final = b"\xfe\xff\x00\xe0"
_LARGEST_OFFSET: Final = 2**32 - 1


def encapsulated(frames: Sequence[Piece]) -> list[Piece]:
    """The items of compressed Pixel Data: the Basic Offset Table, then a fragment a frame.

    The delimiter at the end is the writer's. The table is empty where an offset would not fit in it (PS3.5 A.4).
    """
    starts = list(accumulate((8 + _even(frame) for frame in frames[:-1]), initial=0))
    table = struct.pack(f"<{len(starts)}I", *starts) if starts[-1] <= _LARGEST_OFFSET else b""
    pieces: list[Piece] = [_ITEM + struct.pack("<I", len(table)) + table]
    for frame in frames:
        pieces += [_ITEM + struct.pack("<I", _even(frame)), frame, bytes(_even(frame) - len(frame))]
    return pieces


def padded(frames: Sequence[Piece]) -> list[Piece]:
    """Native Pixel Data: the frames one after the other, even in length as a whole (PS3.5 8.1.1)."""
    return [*frames, bytes(sum(map(len, frames)) % 2)]


def _even(frame: Piece) -> int:
    return len(frame) + len(frame) % 2
