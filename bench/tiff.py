"""A TIFF of many pages that is quick to write and small on the disk."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SHORT: Final = 3
_LONG: Final = 4
_RATIONAL: Final = 5
_STRIP: Final = 128
"""Rows."""


def write_tiff(path: Path, page: NDArray[np.uint8], count: int) -> None:
    """Write `count` directories over one set of strips (Adobe Deflate): each page is decoded by itself all the same.

    Args:
        path: the file to be.
        page: (rows, columns, 3).
        count: how many pages.
    """
    rows, columns = page.shape[:2]
    strips = [zlib.compress(page[start : start + _STRIP].tobytes(), 1) for start in range(0, rows, _STRIP)]
    data = bytearray(b"II*\0\0\0\0\0")
    offsets = []
    for strip in strips:
        offsets.append(len(data))
        data += strip
    shared = {
        258: _put(data, struct.pack("<3H", 8, 8, 8)),
        273: _put(data, struct.pack(f"<{len(strips)}L", *offsets)),
        279: _put(data, struct.pack(f"<{len(strips)}L", *map(len, strips))),
        282: _put(data, struct.pack("<2L", 300, 1)),
    }
    if len(strips) == 1:
        shared[273], shared[279] = offsets[0], len(strips[0])
    entries = (
        (256, _LONG, 1, columns),
        (257, _LONG, 1, rows),
        (258, _SHORT, 3, shared[258]),
        (259, _SHORT, 1, 8),
        (262, _SHORT, 1, 2),
        (273, _LONG, len(strips), shared[273]),
        (277, _SHORT, 1, 3),
        (278, _LONG, 1, _STRIP),
        (279, _LONG, len(strips), shared[279]),
        (282, _RATIONAL, 1, shared[282]),
        (283, _RATIONAL, 1, shared[282]),
        (296, _SHORT, 1, 2),
    )
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    link = 4
    for _ in range(count):
        start = _put(data, directory + b"\0\0\0\0")
        struct.pack_into("<L", data, link, start)
        link = start + len(directory)
    path.write_bytes(data)


def _put(data: bytearray, value: bytes) -> int:
    """Append at an even offset."""
    if len(data) % 2:
        data += b"\0"
    start = len(data)
    data += value
    return start
