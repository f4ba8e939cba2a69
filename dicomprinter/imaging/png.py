"""PNG: the chunks (PNG 3rd edition, 5), without the pixels."""

from __future__ import annotations

import json
import math
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dicomprinter.dicom.page import LossySource
from dicomprinter.imaging import tiff
from dicomprinter.imaging.refusals import damaged
from dicomprinter.imaging.source import Source

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_LARGEST_PROFILE: Final = 1 << 24
OWN_CHUNK: Final = b"dpPG"
"""Private, not to be copied by who changes the picture: JSON of what a page of ours has beside its pixels."""
_LARGEST_OWN: Final = 1_000
_METHOD: Final = re.compile("[A-Z0-9_]{1,16}")


@dataclass(frozen=True)
class PngHeader:
    """What the chunks tell.

    Args:
        width: in pixels.
        height: in pixels.
        depth: bits of a sample.
        is_colour: RGB or a palette, else grey.
        orientation: of EXIF, 1 to 8.
        resolution: dots per inch (horizontal, vertical), None when unknown.
        profile: of ICC.
        lossy: what the pixels went through before they were kept as a page of a job.
    """

    width: int
    height: int
    depth: int
    is_colour: bool
    orientation: int
    resolution: tuple[float, float] | None
    profile: bytes | None
    lossy: LossySource | None


def inspect(data: Source) -> PngHeader:
    """Walk every chunk and check its CRC.

    Raises:
        InputError: the file is cut off or damaged.
    """
    frame: tuple[int, int, int, bool] | None = None
    orientation, resolution, profile, has_pixels = 1, None, None, False
    exact, lossy = None, None
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
        elif kind == OWN_CHUNK and end - start <= _LARGEST_OWN:
            exact, lossy = _own(data[start:end])
    if frame is None or not has_pixels:
        raise damaged("PNG", "it holds no pixels")
    return PngHeader(*frame, orientation, exact or resolution, profile, lossy)


def _own(chunk: bytes) -> tuple[tuple[float, float] | None, LossySource | None]:
    """The exact resolution and the lossy history; a file from elsewhere may say anything here, or nonsense."""
    try:
        said = json.loads(chunk)
        resolution, lossy = said["resolution"], said["lossy"]
        exact = None if resolution is None else (float(resolution[0]), float(resolution[1]))
        source = None if lossy is None else LossySource(str(lossy["method"]), float(lossy["ratio"]))
    except (LookupError, OverflowError, RecursionError, TypeError, ValueError):
        return None, None
    if source and not (_METHOD.fullmatch(source.method) and math.isfinite(source.ratio) and source.ratio > 0):
        source = None
    return exact, source


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
