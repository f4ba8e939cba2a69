"""PNG, JPEG, TIFF and BMP: looked at, and decoded here, where a crash or a hang is what is looked for."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.bitstream import bitstream
from dicomprinter.imaging.colour import convert
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.open import open_form, open_page
from dicomprinter.imaging.probe import probe
from fuzz.files import Scratch
from fuzz.target import Target
from tests.imaging.pictures import chunk, png, tiff, tiff_page

_LIMITS: Final = Limits(pixels=1 << 18, side=4096, pages=4, bytes=1 << 20)
_SCRATCH: Final = Scratch()
_PNG: Final = b"\x89PNG\r\n\x1a\n"

# As in the decoder's process: our own limits have been asked before Pillow is.
Image.MAX_IMAGE_PIXELS = None


def _run(data: bytes) -> None:
    for file in _SCRATCH.each(data, _with_checksums(data)):
        _look(file)


def _look(file: Path) -> None:
    try:
        found = probe(file, _LIMITS)
    except InputError:
        return
    if found.kind != "image":
        return
    assert len(found.size) == found.frames
    for index in range(min(found.frames, 2)):
        _decode(file, index)
    try:
        bitstream(file, ColourMode.AS_IS, _LIMITS)
    except PermanentError:
        return


def _decode(file: Path, index: int) -> None:
    try:
        form = open_form(file, index, ColourMode.AS_IS, _LIMITS)
        page = open_page(file, index, _LIMITS)
    except PermanentError:
        return
    assert page.form == form
    for mode in (ColourMode.MONOCHROME8, ColourMode.RGB):
        assert convert(page, mode).form == open_form(file, index, mode, _LIMITS)


def _with_checksums(data: bytes) -> bytes:
    """A PNG whose checksums are right again, so that what is behind them is looked at."""
    if not data.startswith(_PNG):
        return data
    result, position = bytearray(_PNG), len(_PNG)
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        body = data[position + 4 : position + 8 + length]
        result += struct.pack(">I", length) + body + struct.pack(">I", zlib.crc32(body))
        position += 12 + length
    return bytes(result)


def _seeds() -> Iterator[bytes]:
    half = Fraction(1, 2)
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(200)))
    yield png(2, 2, 8, 0, [b"ab", b"cd"])
    yield png(2, 2, 16, 6, [bytes(16)] * 2, chunk(b"pHYs", struct.pack(">IIB", 11811, 11811, 1)), profile)
    yield png(4, 1, 2, 3, [b"\x1b"], chunk(b"PLTE", bytes(range(12))), chunk(b"tRNS", b"\0\x80"))
    yield png(1, 1, 8, 4, [b"\1\2"], chunk(b"eXIf", tiff(tiff_page(1, 1, 8, b"x", tag274=6))))
    yield tiff(tiff_page(2, 2, 8, bytes(4)), tiff_page(9, 1, 1, b"\xaa\x80", photometric=0))
    yield tiff(
        tiff_page(1, 2, 8, bytes(8), photometric=2, samples=4, tag338=1, tag282=(half,), tag283=(half,)), order=">"
    )
    yield tiff(tiff_page(2, 1, 16, bytes(4), tag274=6, tag34675=b"profile" * 20))
    pixels = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    for mode, form, options in (
        ("RGB", "JPEG", {"subsampling": 1}),
        ("L", "JPEG", {"progressive": True, "dpi": (300, 300)}),
        ("CMYK", "JPEG", {}),
        ("RGB", "BMP", {}),
        ("P", "BMP", {}),
        ("RGB", "TIFF", {"compression": "tiff_lzw"}),
        ("1", "TIFF", {"compression": "group4"}),
        ("RGB", "TIFF", {"compression": "jpeg"}),
        ("CMYK", "TIFF", {"compression": "tiff_adobe_deflate"}),
    ):
        buffer = io.BytesIO()
        Image.fromarray(pixels).convert(mode).save(buffer, form, **options)
        yield buffer.getvalue()


TARGET = Target(
    run=_run,
    seeds=_seeds,
    executions=20_000,
    structured=2_000,
    words=(
        b"IHDR",
        b"IDAT",
        b"PLTE",
        b"iCCP",
        b"eXIf",
        b"\xff\xd8",
        b"\xff\xc0",
        b"\xff\xda",
        b"\xff\xe2MPF\0",
        b"II*\0",
        b"MM\0+",
    ),
    longest=4096,
)
