"""Where the answers to a C-FIND have to end: a peer that finds for ever must not keep its caller for ever."""

from __future__ import annotations

import time
from typing import Final

from dicomprinter.dicom.network import failures
from dicomprinter.dicom.network.peer import Peer

# More than these no question of a job can mean.
MOST_MATCHES: Final = 10_000
MOST_BYTES: Final = 32 * 1024 * 1024
# So many DIMSE time-outs for all matches together: each of them may take one.
LONGEST: Final = 10


class FindLimits:
    """Counts the matches of one C-FIND, which begins now."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._matches = self._bytes = 0
        self._begun = time.monotonic()

    def count(self, length: int) -> None:
        """Count a match of so many bytes.

        Raises:
            PermanentError: there are more than can be meant.
            TransientError: the match is empty, or matches have been coming for too long.
        """
        self._matches += 1
        self._bytes += length
        if length == 0:
            raise failures.garbled(self._peer, detail="a match without a data set")
        if self._matches > MOST_MATCHES or self._bytes > MOST_BYTES:
            raise failures.too_many_matches(self._peer, self._matches)
        timeout = self._peer.dimse_timeout
        if timeout is not None and time.monotonic() - self._begun > LONGEST * timeout:
            raise failures.endless_matches(self._peer, LONGEST * timeout)
