"""A page as a file of the job: PNG (3rd edition), which the decoder opens again as the same page.

PNG knows neither an exact resolution nor a lossy history; both stand in a private chunk, `png.OWN_CHUNK`.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import asdict
from typing import Final, cast

import numpy as np

from dicomprinter.dicom.page import Page, Pixels
from dicomprinter.imaging.png import OWN_CHUNK, SIGNATURE

_UP: Final = 2
"""The filter that costs least and helps both text and photographs: each byte less the one above it."""
_LEVEL: Final = 1
_LARGEST_CHUNK: Final = 1 << 30


def encode_page_file(page: Page) -> bytes:
    """A PNG of a page of 8 bits a sample, or of grey of 16 bits.

    Raises:
        ValueError: the page has 12 bits; pages are kept before a colour mode makes such ones.
    """
    if page.bits_stored not in (8, 16):
        raise ValueError("bits")
    import imagecodecs  # noqa: PLC0415 - keeps the start lean

    rows, columns = page.pixels.shape[:2]
    header = struct.pack(">IIBBBBB", columns, rows, page.bits_stored, 2 if page.is_colour else 0, 0, 0, 0)
    own = {"resolution": page.resolution, "lossy": asdict(page.lossy) if page.lossy else None}
    # It takes whatever has a buffer, though its signature names three.
    compressed = memoryview(imagecodecs.deflate_encode(cast(bytes, _filtered(page.pixels)), level=_LEVEL))
    return b"".join(
        (
            SIGNATURE,
            *_chunk(b"IHDR", header),
            *(_chunk(b"pHYs", _physical(page.resolution)) if page.resolution else ()),
            *_chunk(OWN_CHUNK, json.dumps(own).encode()),
            *(
                part
                for start in range(0, len(compressed), _LARGEST_CHUNK)
                for part in _chunk(b"IDAT", compressed[start : start + _LARGEST_CHUNK])
            ),
            *_chunk(b"IEND", b""),
        )
    )


def _filtered(pixels: Pixels) -> Pixels:
    """The bytes of each row, most significant first, less those of the row above, after a byte that says so."""
    rows = pixels.shape[0]
    big = pixels if pixels.dtype == np.uint8 else pixels.astype(">u2")
    flat = np.ascontiguousarray(big).view(np.uint8).reshape(rows, -1)
    filtered = np.empty((rows, flat.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=filtered[1:, 1:])
    return filtered


def _physical(resolution: tuple[float, float]) -> bytes:
    """Pixels a metre, for other programs."""
    x, y = (min(round(dots / 0.0254), 2**31 - 1) for dots in resolution)
    return struct.pack(">IIB", x, y, 1)


def _chunk(kind: bytes, data: bytes | memoryview) -> tuple[bytes, bytes, bytes | memoryview, bytes]:
    return struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
