"""BMP: the headers, without the pixels."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from dicomprinter.imaging.refusals import damaged, unsupported
from dicomprinter.imaging.source import Source

SIGNATURE: Final = b"BM"
_UNCOMPRESSED: Final = (0, 3, 6)  # plain, with masks, with masks and alpha
_RUN_LENGTH: Final = (1, 2)


@dataclass(frozen=True)
class BmpHeader:
    """Size in pixels, dots per inch (horizontal, vertical)."""

    width: int
    height: int
    resolution: tuple[float, float] | None


def inspect(data: Source) -> BmpHeader:
    """Check the headers, and that the file is long enough for its pixels.

    Raises:
        InputError: the file is cut off, damaged, or of a kind that cannot be decoded.
    """
    if len(data) < 26:
        raise damaged("BMP", "it is cut off")
    start, header = struct.unpack_from("<II", data, 10)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression, size, x, y = 0, 0, 0, 0
    elif header >= 40 and len(data) >= 54:
        width, height, _, bits, compression, size, x, y = struct.unpack_from("<iiHHIIii", data, 18)
    else:
        raise damaged("BMP", "its header is wrong")
    height = abs(height)
    if width < 1 or height < 1:
        raise damaged("BMP", "its header describes no picture")
    if bits not in (1, 4, 8, 16, 24, 32) or compression not in _UNCOMPRESSED + _RUN_LENGTH:
        raise unsupported("BMP", "its pixels are compressed in an unusual way")
    needed = size if compression in _RUN_LENGTH else (width * bits + 31) // 32 * 4 * height
    if start + needed > len(data):
        raise damaged("BMP", "it is cut off")
    return BmpHeader(width, height, (x * 0.0254, y * 0.0254))
