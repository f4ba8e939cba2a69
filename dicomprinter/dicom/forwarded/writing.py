"""Elements going out: little endian, with implicit or explicit VR, sequences delimited so that nothing is held back."""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element

from dicomprinter.dicom.forwarded.beginning import LONG
from dicomprinter.dicom.forwarded.structure import ITEM, ITEM_END, SEQUENCE_END, UNDEFINED

_LONGEST_SHORT: Final = 0xFFFE


class Output:
    """A data set that is being written.

    Args:
        file: open for writing; never moved backwards.
        implicit: whether it has no representations.
        terms: its Specific Character Set.
    """

    def __init__(self, file: BinaryIO, implicit: bool, terms: tuple[str, ...]) -> None:
        self.file = file
        self.implicit = implicit
        self.terms = terms

    def header(self, tag: int, vr: str, length: int) -> None:
        """What stands before a value; one that is too long for its representation goes as UN (PS3.5 6.2.2)."""
        place = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        if self.implicit:
            self.file.write(place + struct.pack("<I", length))
        elif vr in LONG or length > _LONGEST_SHORT:
            long = vr if vr in LONG else "UN"
            self.file.write(place + long.encode() + struct.pack("<HI", 0, length))
        else:
            self.file.write(place + vr.encode() + struct.pack("<H", length))

    def value(self, tag: int, vr: str, data: bytes) -> None:
        """A whole element; a value of odd length gets its padding (PS3.5 6.2)."""
        data += padding(vr, len(data))
        self.header(tag, vr, len(data))
        self.file.write(data)

    def element(self, element: DataElement) -> None:
        """An element of pydicom's, whose texts have been checked against the character set."""
        buffer = DicomBytesIO()
        buffer.is_implicit_VR = self.implicit
        buffer.is_little_endian = True
        write_data_element(buffer, element, list(self.terms))
        self.file.write(buffer.getvalue())

    def begin_sequence(self, tag: int) -> None:
        """Items follow, then `end_sequence`."""
        self.header(tag, "SQ", UNDEFINED)

    def end_sequence(self) -> None:
        """After the last item."""
        self._delimiter(SEQUENCE_END, 0)

    def begin_item(self) -> None:
        """Elements follow, then `end_item`."""
        self._delimiter(ITEM, UNDEFINED)

    def end_item(self) -> None:
        """After an item's last element."""
        self._delimiter(ITEM_END, 0)

    def fragment(self, data: bytes | memoryview) -> None:
        """An item of compressed pixel data (PS3.5 A.4)."""
        self._delimiter(ITEM, len(data) + len(data) % 2)
        self.file.write(data)
        self.file.write(bytes(len(data) % 2))

    def _delimiter(self, tag: int, length: int) -> None:
        self.file.write(struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length))


def padding(vr: str, length: int) -> bytes:
    """What makes a value of this length even: a space behind texts, else a zero (PS3.5 6.2)."""
    if length % 2 == 0:
        return b""
    return b"\0" if vr == "UI" or vr in LONG - {"UC", "UR", "UT"} else b" "
