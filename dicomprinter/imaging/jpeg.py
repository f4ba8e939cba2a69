"""JPEG: the markers (ISO/IEC 10918-1 Annex B), without the pixels."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final

from dicomprinter.imaging.refusals import damaged, unsupported
from dicomprinter.imaging.source import Source

SIGNATURE: Final = b"\xff\xd8\xff"
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_DECODED: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})  # sequential and progressive, Huffman and arithmetic
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
# The first marker after compressed data: FF 00 is a data byte, FF D0 to D7 are restarts.
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


@dataclass(frozen=True)
class JpegHeader:
    """Size in pixels, the number of components, and where the picture ends in the file."""

    width: int
    height: int
    components: int
    length: int


def inspect(data: Source) -> JpegHeader:
    """Walk the markers to the end of the image.

    Raises:
        InputError: the file is cut off, damaged, or of a process that cannot be decoded.
    """
    frame: tuple[int, int, int] | None = None
    scanned = False
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
            if frame is None or not scanned:
                raise damaged("JPEG", "it holds no picture")
            return JpegHeader(*frame, position)
        if marker in _ALONE:
            continue
        segment = _segment(data, position)
        if marker in _FRAMES:
            frame = _frame(marker, segment)
        position += len(segment) + 2
        if marker == 0xDA:
            scanned = True
            following = _AFTER_SCAN.search(data, position)
            if following is None:
                break
            position = following.start()
    raise damaged("JPEG", "it is cut off")


def _segment(data: Source, position: int) -> bytes:
    length = int.from_bytes(data[position : position + 2], "big")
    if length < 2 or position + length > len(data):
        raise damaged("JPEG", "it is cut off")
    return data[position + 2 : position + length]


def _frame(marker: int, segment: bytes) -> tuple[int, int, int]:
    if len(segment) < 6:
        raise damaged("JPEG", "its frame header is too short")
    precision, height, width, components = struct.unpack(">BHHB", segment[:6])
    if not width or not height or components not in (1, 3, 4):
        raise damaged("JPEG", "its header describes no picture")
    if marker not in _DECODED or precision != 8:
        raise unsupported("JPEG", "it is lossless, hierarchical, or has more than 8 bits a sample")
    return width, height, components
