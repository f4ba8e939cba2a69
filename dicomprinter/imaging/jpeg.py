"""JPEG: the markers (ISO/IEC 10918-1 Annex B), without the pixels."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Final

from dicomprinter.imaging.refusals import damaged, unsupported
from dicomprinter.imaging.source import Source

SIGNATURE: Final = b"\xff\xd8\xff"
BASELINE: Final = 0xC0
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_DECODED: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})  # sequential and progressive, Huffman and arithmetic
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
# The first marker after compressed data: FF 00 is a data byte, FF D0 to D7 are restarts.
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


@dataclass(frozen=True)
class Component:
    """Its identifier and its sampling factors, horizontal and vertical."""

    identifier: int
    sampling: tuple[int, int]


@dataclass(frozen=True)
class JpegHeader:
    """What the markers tell.

    Args:
        width: in pixels.
        height: in pixels.
        components: in the order of the frame.
        length: bytes from SOI to EOI.
        scans: the number of components in each scan.
        adobe_transform: what an Adobe segment tells of the colours (0 as they are, 1 YCbCr, 2 YCCK), None without one.
        markers: every marker that has a segment; that of the frame tells the process.
        is_one_of_many: whether other pictures follow in the file (CIPA DC-007, Multi-Picture Format).
    """

    width: int
    height: int
    components: tuple[Component, ...]
    length: int
    scans: tuple[int, ...]
    adobe_transform: int | None
    markers: frozenset[int]
    is_one_of_many: bool


@dataclass
class _Seen:
    frame: tuple[int, int, tuple[Component, ...]] | None = None
    scans: list[int] = field(default_factory=list)
    adobe_transform: int | None = None
    markers: set[int] = field(default_factory=set)
    is_one_of_many: bool = False

    def take(self, marker: int, segment: bytes) -> None:
        self.markers.add(marker)
        if marker in _FRAMES:
            self.frame = _frame(marker, segment)
        elif marker == 0xDA:
            self.scans.append(segment[0] if segment else 0)
        elif marker == 0xEE and segment[:5] == b"Adobe" and len(segment) >= 12:
            self.adobe_transform = segment[11]
        elif marker == 0xE2 and segment[:4] == b"MPF\0":
            self.is_one_of_many = True


def inspect(data: Source) -> JpegHeader:
    """Walk the markers to the end of the image.

    Raises:
        InputError: the file is cut off, damaged, or of a process that cannot be decoded.
    """
    seen = _Seen()
    position = 2
    while position + 2 <= len(data):
        if data[position] != 0xFF:
            raise damaged("JPEG", "a marker is missing")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        position += 2
        if marker == 0xD9:
            return _header(seen, position)
        if marker in _ALONE:
            continue
        segment = _segment(data, position)
        seen.take(marker, segment)
        position += len(segment) + 2
        if marker == 0xDA:
            following = _AFTER_SCAN.search(data, position)
            if following is None:
                break
            position = following.start()
    raise damaged("JPEG", "it is cut off")


def _header(seen: _Seen, length: int) -> JpegHeader:
    if seen.frame is None or not seen.scans:
        raise damaged("JPEG", "it holds no picture")
    return JpegHeader(
        *seen.frame,
        length,
        tuple(seen.scans),
        seen.adobe_transform,
        frozenset(seen.markers),
        seen.is_one_of_many,
    )


def _segment(data: Source, position: int) -> bytes:
    length = int.from_bytes(data[position : position + 2], "big")
    if length < 2 or position + length > len(data):
        raise damaged("JPEG", "it is cut off")
    return data[position + 2 : position + length]


def _frame(marker: int, segment: bytes) -> tuple[int, int, tuple[Component, ...]]:
    if len(segment) < 6:
        raise damaged("JPEG", "its frame header is too short")
    precision, height, width, number = struct.unpack(">BHHB", segment[:6])
    if not width or not height or number not in (1, 3, 4) or len(segment) < 6 + 3 * number:
        raise damaged("JPEG", "its header describes no picture")
    if marker not in _DECODED or precision != 8:
        raise unsupported("JPEG", "it is lossless, hierarchical, or has more than 8 bits a sample")
    components = (segment[6 + 3 * each : 9 + 3 * each] for each in range(number))
    return width, height, tuple(Component(one[0], (one[1] >> 4, one[1] & 15)) for one in components)
