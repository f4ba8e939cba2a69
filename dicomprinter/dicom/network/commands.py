"""Command sets: the heads of DIMSE messages, always in Implicit VR Little Endian (PS3.7 6.3.1 and Annex E)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Element numbers in group 0000.
AFFECTED_SOP_CLASS_UID: Final = 0x0002
REQUESTED_SOP_CLASS_UID: Final = 0x0003
COMMAND_FIELD: Final = 0x0100
MESSAGE_ID: Final = 0x0110
MESSAGE_ID_BEING_RESPONDED_TO: Final = 0x0120
PRIORITY: Final = 0x0700
COMMAND_DATA_SET_TYPE: Final = 0x0800
STATUS: Final = 0x0900
OFFENDING_ELEMENT: Final = 0x0901
ERROR_COMMENT: Final = 0x0902
AFFECTED_SOP_INSTANCE_UID: Final = 0x1000
REQUESTED_SOP_INSTANCE_UID: Final = 0x1001
EVENT_TYPE_ID: Final = 0x1002
ATTRIBUTE_IDENTIFIER_LIST: Final = 0x1005
ACTION_TYPE_ID: Final = 0x1008

HAS_DATA_SET: Final = 0x0001
NO_DATA_SET: Final = 0x0101

Value = int | str | tuple[int, ...]
"""What a command set may hold: a number (VR US), a UID (VR UI), or tags (VR AT)."""

_GROUP_LENGTH: Final = 0x0000
_ELEMENT: Final = struct.Struct("<HHL")
_US: Final = struct.Struct("<H")
_UNDEFINED: Final = 0xFFFFFFFF
_NUMBERS: Final = (COMMAND_FIELD, MESSAGE_ID, MESSAGE_ID_BEING_RESPONDED_TO, COMMAND_DATA_SET_TYPE, STATUS)
"""What an answer is judged by; a wrong length here makes the whole of it unreadable."""


@dataclass(frozen=True)
class Command:
    """A command set as it came.

    Args:
        elements: the values as sent, by element number; those that nobody knows too.
    """

    elements: Mapping[int, bytes]

    def number(self, element: int) -> int | None:
        """A value of VR US; None when it is missing, empty, or not one number."""
        value = self.elements.get(element, b"")
        return _US.unpack(value)[0] if len(value) == _US.size else None

    def text(self, element: int) -> str:
        """A value of VR LO without its padding; empty when it is missing.

        Only ASCII is allowed there; Latin 1 reads the same and fails for no byte.
        """
        return self.elements.get(element, b"").decode("latin-1").strip(" \0")

    def tags(self, element: int) -> tuple[int, ...]:
        """The values of VR AT; none when it is missing."""
        value = self.elements.get(element, b"")
        words = [word for (word,) in _US.iter_unpack(value[: len(value) // 4 * 4])]
        return tuple(group << 16 | number for group, number in zip(words[::2], words[1::2], strict=True))

    @property
    def has_data_set(self) -> bool:
        """Whether a data set follows."""
        return self.number(COMMAND_DATA_SET_TYPE) not in (None, NO_DATA_SET)


def encode_command(elements: Mapping[int, Value]) -> bytes:
    """Encode a command set, its group length in front.

    Args:
        elements: values by element number.
    """
    body = b"".join(_encoded(element, elements[element]) for element in sorted(elements))
    return _ELEMENT.pack(0, _GROUP_LENGTH, 4) + len(body).to_bytes(4, "little") + body


def decode_command(data: bytes) -> Command:
    """Decode a command set, whatever the order of its elements and whatever else it holds.

    The group length is not looked at. A last value that is cut short is taken as far as it goes, and a rest that is
    too short for an element is passed over: peers that count badly still say a status.

    Raises:
        ValueError: it breaks off, or a number in it is none.
    """
    elements: dict[int, bytes] = {}
    start, end = 0, len(data)
    while end - start >= _ELEMENT.size:
        group, element, length = _ELEMENT.unpack_from(data, start)
        if length == _UNDEFINED:
            raise ValueError(f"({group:04X},{element:04X}) has no length")
        start += _ELEMENT.size
        if group == 0:
            elements[element] = data[start : start + length]
        start += length
    for element in _NUMBERS:
        if len(elements.get(element, b"")) % _US.size:
            raise ValueError(f"(0000,{element:04X}) has {len(elements[element])} bytes")
    return Command(elements)


def _encoded(element: int, value: Value) -> bytes:
    if isinstance(value, int):
        return _ELEMENT.pack(0, element, _US.size) + _US.pack(value)
    if isinstance(value, tuple):
        tags = b"".join(_US.pack(tag >> 16) + _US.pack(tag & 0xFFFF) for tag in value)
        return _ELEMENT.pack(0, element, len(tags)) + tags
    # A UID that a peer has said goes back as far as it is one.
    encoded = value.encode("ascii", "replace")
    encoded += b"\0" * (len(encoded) % 2)
    return _ELEMENT.pack(0, element, len(encoded)) + encoded
