"""Pictures made by hand, byte by byte, so that no decoder's idea of a format is tested against itself."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour_type: int, rows: Sequence[bytes], *extra: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = (chunk(b"IHDR", header), *extra, chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def tiff(*pages: tuple[dict[int, tuple[int, ...]], bytes], order: str = "<") -> bytes:
    """A TIFF of uncompressed pages: tags (all SHORT or LONG) and the bytes of one strip."""
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
            kind, letter = (4, "I") if tag in (273, 279) else (3, "H")
            packed = struct.pack(f"{order}{len(values)}{letter}", *values)
            if len(packed) > 4:
                place = after + len(arrays)
                arrays += packed + b"\0" * (len(packed) % 2)
                packed = struct.pack(order + "I", place)
            body += struct.pack(order + "HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
        data = data[:link] + struct.pack(order + "I", directory) + data[link + 4 :] + body + b"\0\0\0\0" + arrays
        link = after - 4
    return data


def tiff_page(
    width: int, height: int, bits: int, strip: bytes, *, photometric: int = 1, samples: int = 1, **tags: int
) -> tuple[dict[int, tuple[int, ...]], bytes]:
    more = {int(name.removeprefix("tag")): (value,) for name, value in tags.items()}
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


def pdf(pages: int = 1) -> bytes:
    kids = " ".join(f"{number + 3} 0 R" for number in range(pages))
    bodies = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>",
        *["<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 144]>>"] * pages,
    ]
    text, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(text))
        text += f"{number} 0 obj{body}endobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(bodies) + 1
    trailer = f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(text)}\n%%EOF\n"
    return f"{text}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()
