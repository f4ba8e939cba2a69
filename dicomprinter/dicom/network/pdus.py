"""Protocol data units as bytes: their frame, and the fragments of messages in them (PS3.8 9.3 and Annex E)."""

from __future__ import annotations

import struct
from typing import Final

ACCEPT: Final = 0x02
REJECT: Final = 0x03
P_DATA: Final = 0x04
RELEASE_REQUEST: Final = 0x05
RELEASE_ANSWER: Final = 0x06
ABORT: Final = 0x07

# Bits of a fragment's control byte.
COMMAND: Final = 0x01
LAST: Final = 0x02

_HEADER: Final = struct.Struct(">BxL")
_PDU_TYPES: Final = range(0x01, 0x08)
# The longest P-DATA-TF from a peer that may send any length; guards against reading noise as a length, too.
_LONGEST_PDU: Final = 64 * 1024 * 1024
# Far above what other PDUs need and what we announce: peers that never look at that are met with, and borne with.
_BORNE_WITH: Final = 4 * 1024 * 1024
# Peers put one fragment or two into a PDU. Each costs us an object, and may be empty.
_MOST_FRAGMENTS: Final = 10_000
# PDU header 6 bytes; the fragment's length, context and control bytes count as part of the PDU's length.
_FRAGMENT_HEAD: Final = struct.Struct(">BxLLBB")
FRAGMENT_OVERHEAD: Final = 6


class NotAPduError(ValueError):
    """What came is no PDU; the message says what it looks like."""


class PduReader:
    """Cuts what comes from a connection into PDUs, however it comes in pieces.

    Args:
        max_pdu: the longest P-DATA-TF in bytes that the peer may send; 0 is unlimited. What is longer, and longer than
            four megabytes, is refused before it is read.
    """

    def __init__(self, max_pdu: int = 0) -> None:
        self._data = bytearray()
        self._longest_data = min(max(max_pdu, _BORNE_WITH), _LONGEST_PDU) if max_pdu else _LONGEST_PDU

    def feed(self, data: bytes) -> None:
        """Take what has come."""
        self._data += data

    def take(self) -> tuple[int, bytes] | None:
        """The next PDU as (type, everything after its length); None while it is not whole.

        Raises:
            NotAPduError: it does not begin as one, or is too long.
        """
        if len(self._data) < _HEADER.size:
            return None
        kind, length = _HEADER.unpack_from(self._data)
        if kind not in _PDU_TYPES or length > _LONGEST_PDU:
            raise NotAPduError(f"it begins with the bytes {self._data[: _HEADER.size].hex(' ')}")
        if length > (self._longest_data if kind == P_DATA else _BORNE_WITH):
            raise NotAPduError(f"a PDU of {length} bytes, more than was agreed on")
        end = _HEADER.size + length
        if len(self._data) < end:
            return None
        body = bytes(self._data[_HEADER.size : end])
        del self._data[:end]
        return kind, body


def short_pdu(kind: int) -> bytes:
    """A-RELEASE-RQ, A-RELEASE-RP, or A-ABORT from the service's user: four reserved bytes each."""
    return _HEADER.pack(kind, 4) + bytes(4)


def pdu(kind: int, body: bytes) -> bytes:
    """A whole PDU."""
    return _HEADER.pack(kind, len(body)) + body


def fragment_head(length: int, context: int, control: int) -> bytes:
    """What stands before a fragment of `length` bytes that is alone in its P-DATA-TF (PS3.8 9.3.5)."""
    return _FRAGMENT_HEAD.pack(P_DATA, FRAGMENT_OVERHEAD + length, 2 + length, context, control)


def fragments(data: bytes, context: int, control: int, longest: int) -> bytes:
    """P-DATA-TF PDUs with one fragment each, for a whole command set or data set.

    Args:
        data: what is sent.
        context: the presentation context's number.
        control: COMMAND or 0; LAST is added to the last.
        longest: bytes of a fragment at most.
    """
    parts: list[bytes] = []
    for start in range(0, len(data), longest):
        part = data[start : start + longest]
        last = LAST if start + longest >= len(data) else 0
        parts += (fragment_head(len(part), context, control | last), part)
    return b"".join(parts)


def split_fragments(body: bytes) -> list[tuple[int, int, bytes]]:
    """The fragments in a P-DATA-TF as (context's number, control byte, bytes) (PS3.8 9.3.5.1).

    Raises:
        ValueError: one does not fit into its PDU, or there are more than anybody sends.
    """
    found: list[tuple[int, int, bytes]] = []
    start = 0
    while start < len(body):
        length = int.from_bytes(body[start : start + 4], "big")
        end = start + 4 + length
        if length < 2 or end > len(body):
            raise ValueError("a fragment that does not fit into its PDU")
        if len(found) == _MOST_FRAGMENTS:
            raise ValueError(f"a PDU of more than {_MOST_FRAGMENTS} fragments")
        found.append((body[start + 4], body[start + 5], body[start + 6 : end]))
        start = end
    return found
