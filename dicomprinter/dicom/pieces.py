"""A large value made of pieces, in memory or in files, so that it never stands in memory as a whole."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from itertools import accumulate
from typing import BinaryIO


@dataclass(frozen=True)
class FileSlice:
    """Some bytes of an open file; what else reads the file may move its position between two reads."""

    file: BinaryIO
    offset: int
    length: int

    def __len__(self) -> int:
        return self.length

    def read(self, start: int, size: int) -> bytes:
        """At most `size` bytes from `start`."""
        self.file.seek(self.offset + start)
        return self.file.read(min(size, self.length - start))


Piece = bytes | memoryview | FileSlice


class Stitched(BufferedIOBase):
    """Pieces one after the other, as a file that pydicom can write as a value.

    Args:
        pieces: their lengths in bytes must not change.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = [piece for piece in pieces if len(piece)]
        self._ends = list(accumulate(len(piece) for piece in self._pieces))
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, as in a file."""
        end = self._ends[-1] if self._ends else 0
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: end}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes, of several pieces where they are short; all that are left without a size."""
        left = max(0, (self._ends[-1] if self._ends else 0) - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        found: list[bytes] = []
        while wanted > 0:
            number = bisect_right(self._ends, self._position)
            piece = self._pieces[number]
            start = self._position - (self._ends[number] - len(piece))
            block = piece.read(start, wanted) if isinstance(piece, FileSlice) else bytes(piece[start : start + wanted])
            if not block:
                raise OSError("a file became shorter while it was read")
            found.append(block)
            self._position += len(block)
            wanted -= len(block)
        return found[0] if len(found) == 1 else b"".join(found)
