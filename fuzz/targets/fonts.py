"""Font files: their names and characters, which a PrintText asks of every font of a machine."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Mapping
from typing import Final

from dicomprinter.imaging.fonts.choice import choose
from dicomprinter.imaging.fonts.folders import own_font
from dicomprinter.imaging.fonts.sfnt import faces, missing, plain
from fuzz.files import Scratch
from fuzz.target import Target

_SCRATCH: Final = Scratch()
_TIMES: Final[Iterator[int]] = itertools.count()
_CHARACTERS: Final = frozenset("Az09\0é\uffffж漢\U0001f600\U0010ffff\ud800")


def _run(data: bytes) -> None:
    file = str(_SCRATCH.file(data, ".ttf"))
    found = faces(file, next(_TIMES))
    for face in found:
        assert face.file == file
        assert missing(face, _CHARACTERS) <= _CHARACTERS
        assert all(plain(name) == name for name in face.families | face.full)
    chosen = choose("Fuzz Sans", _CHARACTERS, found, own_font())
    assert chosen.fonts


def _font(tables: Mapping[bytes, bytes], version: bytes = b"\0\1\0\0") -> bytes:
    head, body = 12 + 16 * len(tables), b""
    records = b""
    for tag, table in sorted(tables.items()):
        records += struct.pack(">4sIII", tag, 0, head + len(body), len(table))
        body += table
    return version + struct.pack(">HHHH", len(tables), 0, 0, 0) + records + body


def _name() -> bytes:
    texts = [
        (3, 0x409, 1, "Fuzz Sans".encode("utf-16-be")),
        (1, 0, 4, b"Fuzz Sans Bold"),
        (3, 0x411, 16, "漢".encode("utf-16-be")),
    ]
    records, storage = b"", b""
    for platform, language, number, text in texts:
        records += struct.pack(">6H", platform, 1, language, number, len(text), len(storage))
        storage += text
    return struct.pack(">HHH", 0, len(texts), 6 + len(records)) + records + storage


def _segments() -> bytes:
    """A to Z by a delta, 0 to 9 by an array of glyphs."""
    ends, starts, deltas, reaches = (0x39, 0x5A, 0xFFFF), (0x30, 0x41, 0xFFFF), (0, 0x10000 - 0x40, 1), (6, 0, 0)
    arrays = [struct.pack(">3H", *values) for values in (ends, starts, deltas, reaches)]
    body = arrays[0] + b"\0\0" + b"".join(arrays[1:]) + struct.pack(">10H", *range(10))
    return struct.pack(">7H", 4, 14 + len(body), 0, 6, 4, 1, 2) + body


def _groups() -> bytes:
    groups = ((0x41, 0x5A, 1), (0x6F22, 0x6F22, 40), (0x1F600, 0x1F640, 50))
    body = b"".join(struct.pack(">III", *group) for group in groups)
    return struct.pack(">HHIII", 12, 0, 16 + len(body), 0, len(groups)) + body


def _seeds() -> Iterator[bytes]:
    metrics = struct.pack(">hHHH", 0, 600, 700, 5).ljust(62, b"\0") + b"\2\1"
    common = {b"name": _name(), b"OS/2": metrics, b"post": bytes(15) + b"\1"}
    for platform, encoding, table in ((3, 1, _segments()), (3, 10, _groups())):
        cmap = struct.pack(">HHHHI", 0, 1, platform, encoding, 12) + table
        plainly = _font({**common, b"cmap": cmap, b"glyf": b""})
        yield plainly
        yield _font({**common, b"cmap": cmap, b"CFF ": b""}, b"OTTO")
        start = 12 + 4 * 2
        shifted = bytearray(plainly)
        for at in range(12, 12 + 16 * 5, 16):
            struct.pack_into(">I", shifted, at + 8, struct.unpack_from(">I", shifted, at + 8)[0] + start)
        yield b"ttcf\0\1\0\0" + struct.pack(">III", 2, start, start) + bytes(shifted)


TARGET = Target(
    run=_run,
    seeds=_seeds,
    executions=20_000,
    structured=2_000,
    words=(
        b"ttcf",
        b"OTTO",
        b"true",
        b"glyf",
        b"cmap",
        b"name",
        b"OS/2",
        b"post",
        b"\0\4",
        b"\0\x0c",
        b"\xff\xff\xff\xff",
    ),
    longest=2048,
)
