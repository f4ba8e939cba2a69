"""DICOM files (PS3.10 7.1)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final

from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite

_HEAD: Final = struct.Struct("<HH2sH")
_GROUP_LENGTH: Final = struct.Struct("<128x4sHH2sHL")
_TRANSFER_SYNTAX_UID: Final = (0x0002, 0x0010)
# The only one of the group's VRs with a length of four bytes, after two reserved ones (PS3.5 7.1.2).
_LONG: Final = b"OB"
_LONGEST_META: Final = 1024 * 1024


def write(dataset: Dataset, path: Path) -> None:
    """Write a complete object to a file, in the transfer syntax of its file meta information.

    Values that are files themselves (`dicom.pieces.Stitched`) are copied block by block. Nothing is forced to the disk.

    Raises:
        OSError: the file cannot be written.
    """
    dcmwrite(path, dataset, enforce_file_format=True)


def read_meta(file: BinaryIO) -> str:
    """Read the file meta information and leave the file at the data set (PS3.10 7.1).

    For files of this program's own: the group length has to be there, and right.

    Returns:
        The transfer syntax's UID, empty when there is none.

    Raises:
        ValueError: this is no DICOM file, or it breaks off.
    """
    beginning = file.read(_GROUP_LENGTH.size)
    if len(beginning) < _GROUP_LENGTH.size:
        raise ValueError("too short for a DICOM file")
    magic, group, element, vr, size, length = _GROUP_LENGTH.unpack(beginning)
    if (magic, group, element, vr, size) != (b"DICM", 0x0002, 0x0000, b"UL", 4) or length > _LONGEST_META:
        raise ValueError("it does not begin as a DICOM file does")
    meta = file.read(length)
    if len(meta) < length:
        raise ValueError("the file meta information breaks off")
    return _transfer_syntax(meta)


def _transfer_syntax(meta: bytes) -> str:
    start = 0
    while start + _HEAD.size <= len(meta):
        group, element, vr, length = _HEAD.unpack_from(meta, start)
        start += _HEAD.size
        if vr == _LONG:
            length = int.from_bytes(meta[start : start + 4], "little")
            start += 4
        if (group, element) == _TRANSFER_SYNTAX_UID:
            return meta[start : start + length].decode("ascii", "replace").rstrip(" \0")
        start += length
    return ""
