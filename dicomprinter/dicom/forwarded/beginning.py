"""How a DICOM file begins (PS3.10 7.1). Every file is asked, so this does without pydicom as long as it can."""

from __future__ import annotations

from typing import Final

MAGIC: Final = b"DICM"
PREAMBLE: Final = 128
# PS3.5 7.1.2: the length of these has four bytes, after two that are reserved.
LONG: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
SHORT: Final = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM"}
    | {"UI", "UL", "US"}
)
REPRESENTATIONS: Final = frozenset(vr.encode() for vr in LONG | SHORT)


def seems_dicom(head: bytes) -> bool:
    """Whether a file may be a DICOM file, by its first 132 bytes or more.

    With a preamble, without one, and data sets without file meta information that begin with group 0008.
    """
    if head[PREAMBLE : PREAMBLE + 4] == MAGIC or head[:4] == MAGIC:
        return True
    if len(head) < 8:
        return False
    has_vr = head[4:6] in REPRESENTATIONS
    if head[:2] == b"\x02\x00":
        return has_vr
    if head[:2] == b"\x00\x08":
        return has_vr
    if head[:2] != b"\x08\x00":
        return False
    return _is_known(int.from_bytes(head[2:4], "little")) and (has_vr or int.from_bytes(head[4:8], "little") < 1 << 16)


def _is_known(element: int) -> bool:
    """Whether group 0008 has this element."""
    from dicomprinter.dicom.tags import dictionary_vr  # noqa: PLC0415 - pydicom's dictionary, for what looks like DICOM

    return element == 0 or dictionary_vr(0x00080000 | element) is not None
