"""Fonts for tests that must not depend on what a machine has: Bitstream Vera under other names."""

from __future__ import annotations

import struct
from pathlib import Path

from dicomprinter.imaging.fonts.folders import own_font

VERA = Path(own_font().file)
_FAMILY = "Bitstream Vera Sans"


def renamed(folder: Path, family: str, file: str = "Vera.ttf", *, fixed: bool = False) -> Path:
    """A copy of one of reportlab's fonts (Vera, VeraBd, VeraIt, VeraBI) with another family's name, no longer one."""
    data = bytearray((VERA.parent / file).read_bytes())
    for encoding in ("utf-16-be", "mac_roman"):
        data = data.replace(_FAMILY.encode(encoding), family.ljust(len(_FAMILY)).encode(encoding))
    if fixed:
        (count,) = struct.unpack_from(">H", data, 4)
        tables = {bytes(data[at : at + 4]): at for at in range(12, 12 + 16 * count, 16)}
        (post,) = struct.unpack_from(">I", data, tables[b"post"] + 8)
        struct.pack_into(">I", data, post + 12, 1)
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{family} {file}"
    made.write_bytes(data)
    return made


def collection(folder: Path, *files: Path) -> Path:
    """Several fonts as one file (OpenType 1.9.1, Font Collections)."""
    head = 12 + 4 * len(files)
    body, starts = b"", []
    for file in files:
        data = bytearray(file.read_bytes())
        place = head + len(body)
        starts.append(place)
        (count,) = struct.unpack_from(">H", data, 4)
        for at in range(12, 12 + 16 * count, 16):
            struct.pack_into(">I", data, at + 8, struct.unpack_from(">I", data, at + 8)[0] + place)
        body += bytes(data) + bytes(-len(data) % 4)
    made = folder / "collection.ttc"
    made.write_bytes(b"ttcf\0\1\0\0" + struct.pack(f">{len(files) + 1}I", len(files), *starts) + body)
    return made
