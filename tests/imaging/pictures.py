"""Pictures made by hand, byte by byte, so that no decoder's idea of a format is tested against itself."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour_type: int, rows: Sequence[bytes], *extra: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = (chunk(b"IHDR", header), *extra, chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


Values = tuple[int, ...] | tuple[Fraction, ...] | bytes


def tiff(*pages: tuple[dict[int, Values], bytes], order: str = "<") -> bytes:
    """A TIFF of pages: tags and the bytes of one strip. Fractions are RATIONAL, bytes UNDEFINED, else SHORT or LONG."""
    data = (b"II*\0" if order == "<" else b"MM\0*") + b"\0\0\0\0"
    link = 4
    for tags, strip in pages:
        offset, data = len(data), data + strip + b"\0" * (len(strip) % 2)
        entries = {**tags, 273: (offset,), 279: (len(strip),)}
        arrays = b""
        directory = len(data)
        after = directory + 2 + 12 * len(entries) + 4
        body = struct.pack(order + "H", len(entries))
        for tag, values in sorted(entries.items()):
            kind, packed = _packed(values, order)
            if len(packed) > 4:
                place = after + len(arrays)
                arrays += packed + b"\0" * (len(packed) % 2)
                packed = struct.pack(order + "I", place)
            body += struct.pack(order + "HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
        data = data[:link] + struct.pack(order + "I", directory) + data[link + 4 :] + body + b"\0\0\0\0" + arrays
        link = after - 4
    return data


def _packed(values: Values, order: str) -> tuple[int, bytes]:
    if isinstance(values, bytes):
        return 7, values
    if isinstance(values[0], Fraction):
        return 5, b"".join(struct.pack(order + "II", *value.as_integer_ratio()) for value in values)
    kind, letter = (3, "H") if max(values) < 1 << 16 else (4, "I")
    return kind, struct.pack(f"{order}{len(values)}{letter}", *values)


def tiff_page(
    width: int, height: int, bits: int, strip: bytes, *, photometric: int = 1, samples: int = 1, **tags: int | Values
) -> tuple[dict[int, Values], bytes]:
    more = {int(name[3:]): (value,) if isinstance(value, int) else value for name, value in tags.items()}
    return {
        256: (width,),
        257: (height,),
        258: (bits,) * samples,
        259: (1,),
        262: (photometric,),
        277: (samples,),
        278: (height,),
        **more,
    }, strip


def pdf(pages: int = 1, more: str = "") -> bytes:
    kids = " ".join(f"{number + 3} 0 R" for number in range(pages))
    bodies = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>",
        *[f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 144]{more}>>"] * pages,
    ]
    return pdf_of(*(body.encode() for body in bodies))


def pdf_of(*bodies: bytes) -> bytes:
    """A PDF of objects, numbered from 1; the first is the catalogue."""
    data, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(bodies) + 1
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer
