"""What a fuzzing process has done so far, in memory that outlives it: a crash of any kind leaves its input here."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Final

_HEAD: Final = struct.Struct("<QQQQ")
_MOST: Final = 1 << 20


class Book:
    """Counts executions and keeps the input that is being tried.

    Args:
        file: shared by the process and whoever looks after it; made when it is not there.
    """

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(_HEAD.size + _MOST))
        with file.open("rb+") as stream:
            self._memory = mmap.mmap(stream.fileno(), 0)
        self.executions, self.slowest, self.kilobytes, self._length = _HEAD.unpack_from(self._memory)

    def begin(self, data: bytes) -> None:
        """Write down an input before it is tried."""
        self._length = min(len(data), _MOST)
        self._memory[_HEAD.size : _HEAD.size + self._length] = data[:_MOST]
        self._store()

    def weigh(self, kilobytes: int) -> None:
        """Write down the most memory that the process has had by now."""
        self.kilobytes = kilobytes
        self._store()

    def end(self, nanoseconds: int) -> None:
        """Count it, with the processor time that it took."""
        self.executions += 1
        self.slowest = max(self.slowest, nanoseconds)
        self._length = 0
        self._store()

    @property
    def current(self) -> bytes:
        """The input that was being tried."""
        return self._memory[_HEAD.size : _HEAD.size + self._length]

    @property
    def seconds(self) -> float:
        """The processor time of the slowest execution."""
        return float(self.slowest) / 1e9

    def close(self) -> None:
        """Let go of the memory; the file stays."""
        self._memory.close()

    def _store(self) -> None:
        _HEAD.pack_into(self._memory, 0, self.executions, self.slowest, self.kilobytes, self._length)
