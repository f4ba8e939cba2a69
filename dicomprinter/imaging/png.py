"""PNG: the chunks (PNG 3rd edition, 5), without the pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dicomprinter.imaging import tiff
from dicomprinter.imaging.refusals import damaged
from dicomprinter.imaging.source import Source

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_LARGEST_PROFILE: Final = 1 << 24


@dataclass(frozen=True)
class PngHeader:
    """Size in pixels, bits of a sample, EXIF orientation 1 to 8, dots per inch (horizontal, vertical), ICC profile."""

    width: int
    height: int
    depth: int
    is_colour: bool
    orientation: int
    resolution: tuple[float, float] | None
    profile: bytes | None


def inspect(data: Source) -> PngHeader:
    """Walk every chunk and check its CRC.

    Raises:
        InputError: the file is cut off or damaged.
    """
    frame: tuple[int, int, int, bool] | None = None
    orientation, resolution, profile, has_pixels = 1, None, None, False
    for kind, start, end in _chunks(data):
        if (kind == b"IHDR") == bool(frame):
            raise damaged("PNG", "its header is missing or stands twice")
        if kind == b"IHDR":
            frame = _frame(data[start:end])
        elif kind == b"IDAT":
            has_pixels = True
        elif kind == b"pHYs" and end - start == 9:
            x, y, unit = struct.unpack(">IIB", data[start:end])
            resolution = (x * 0.0254, y * 0.0254) if unit == 1 else None
        elif kind == b"eXIf":
            orientation = tiff.orientation(data[start:end])
        elif kind == b"iCCP":
            profile = _profile(data[start:end])
    if frame is None or not has_pixels:
        raise damaged("PNG", "it holds no pixels")
    return PngHeader(*frame, orientation, resolution, profile)


def _frame(header: bytes) -> tuple[int, int, int, bool]:
    if len(header) != 13:
        raise damaged("PNG", "its header has a wrong length")
    width, height, depth, colour_type, _, _, _ = struct.unpack(">IIBBBBB", header)
    if not width or not height or depth not in _COLOUR_TYPES.get(colour_type, ()):
        raise damaged("PNG", "its header describes no picture")
    return width, height, depth, bool(colour_type & 2)


def _profile(chunk: bytes) -> bytes | None:
    """A name, a zero, the way of compression, and the profile; None for one that is damaged or too large to be one."""
    _, _, compressed = chunk.partition(b"\0")
    try:
        unpacked = zlib.decompressobj()
        profile = unpacked.decompress(compressed[1:], _LARGEST_PROFILE)
    except zlib.error:
        return None
    return profile if unpacked.eof else None


def _chunks(data: Source) -> Iterator[tuple[bytes, int, int]]:
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        start, end = position + 8, position + 8 + length
        if end + 4 > len(data):
            break
        kind = data[position + 4 : start]
        with memoryview(data) as view, view[position + 4 : end] as checked:
            crc = zlib.crc32(checked)
        if struct.pack(">I", crc) != data[end : end + 4]:
            raise damaged("PNG", "a checksum is wrong")
        yield kind, start, end
        if kind == b"IEND":
            return
        position = end + 4
    raise damaged("PNG", "it is cut off")
