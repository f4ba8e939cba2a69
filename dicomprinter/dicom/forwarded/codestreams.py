"""What a codestream says of its size, before any decoder sets memory aside for it.

A few hundred bytes can tell a picture of gigabytes, which decoders fill with grey or zeros.
"""

from __future__ import annotations

import struct
from typing import Final

SIZ: Final = b"\xff\x4f\xff\x51"
"""How a JPEG 2000 codestream begins: SOC, then SIZ (ISO/IEC 15444-1 A.5.1)."""
_SOI: Final = b"\xff\xd8"
# SOF0 to SOF15 but for DHT, JPG and DAC (ISO/IEC 10918-1 B.1.1.3), and SOF55 of JPEG-LS (ISO/IEC 14495-1 C.1.1).
_FRAMES: Final = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_FILLER: Final = 0xFF


def told_size(data: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and samples of a JPEG, JPEG-LS or JPEG 2000 codestream; None where it does not tell them."""
    try:
        start = data.find(SIZ, 0, 4096)
        if start >= 0:
            return _of_jpeg_2000(data, start + len(SIZ))
        return _of_jpeg(data) if data.startswith(_SOI) else None
    except (IndexError, struct.error):
        return None


def _of_jpeg_2000(data: bytes, position: int) -> tuple[int, int, int]:
    right, bottom, left, top = struct.unpack_from(">4I", data, position + 4)
    (samples,) = struct.unpack_from(">H", data, position + 36)
    return bottom - top, right - left, samples


def _of_jpeg(data: bytes) -> tuple[int, int, int] | None:
    position = len(_SOI)
    while data[position] == _FILLER:
        marker = data[position + 1]
        if marker == _FILLER:
            position += 1
            continue
        if marker in _FRAMES:
            rows, columns, samples = struct.unpack_from(">HHB", data, position + 5)
            # 0 rows are told behind the first scan (DNL), or as a parameter of JPEG-LS.
            return (rows, columns, samples) if rows and columns else None
        (length,) = struct.unpack_from(">H", data, position + 2)
        position += 2 + length
    return None
