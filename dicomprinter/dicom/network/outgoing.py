"""A file on its way out, as the fragments of a data set (PS3.8 9.3.5 and Annex E)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from dicomprinter.dicom.network.pdus import LAST, fragment_head

# Read and sent at once; it stays in the processor's cache.
_AT_ONCE: Final = 128 * 1024
# A system takes some 1024 pieces in one call (POSIX IOV_MAX), and each fragment is two.
_MOST_FRAGMENTS: Final = 500


class OutgoingFile:
    """Cuts files into fragments, block by block through one piece of memory.

    Args:
        longest: bytes of a fragment at most.
    """

    def __init__(self, longest: int) -> None:
        count = max(1, min(_AT_ONCE // longest, _MOST_FRAGMENTS))
        self._longest = longest
        self._block = memoryview(bytearray(count * longest))
        self._slots = [self._block[start : start + longest] for start in range(0, count * longest, longest)]

    def batches(self, file: io.BufferedReader, length: int, context: int) -> Iterator[list[bytes | memoryview]]:
        """The next `length` bytes of a file as P-DATA-TF PDUs, each a head and a fragment; good until the next batch.

        The file is not mapped: one that became shorter would kill the process.

        Raises:
            EOFError: the file is shorter than that.
        """
        head = fragment_head(self._longest, context, 0)
        whole = [part for slot in self._slots for part in (head, slot)]
        while length > len(self._block):
            self._read(file, len(self._block))
            length -= len(self._block)
            yield whole
        self._read(file, length)
        before, rest = divmod(length - 1, self._longest)
        rest += 1
        start = before * self._longest
        yield [*whole[: 2 * before], fragment_head(rest, context, LAST), self._block[start : start + rest]]

    def _read(self, file: io.BufferedReader, count: int) -> None:
        if file.readinto(self._block[:count]) != count:
            raise EOFError
