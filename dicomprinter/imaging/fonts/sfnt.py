"""TrueType and OpenType files: their names and their characters (OpenType 1.9.1, name, OS/2, post and cmap).

They are read, not mapped: one that is installed anew at this moment must not end the process.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

Tables = Mapping[bytes, tuple[int, int]]
"""Where each table lies in the file and how long it is."""

_COLLECTION: Final = b"ttcf"
_VERSIONS: Final = (b"\0\1\0\0", b"OTTO", b"true")
_OUTLINES: Final = frozenset({b"glyf", b"CFF ", b"CFF2"})
_FAMILIES: Final = (1, 16)  # name IDs: the family of four styles, the typographic family
_FULL: Final = (4, 6)  # the full name, the PostScript name
_MOST_FACES: Final = 64
_LARGEST_TABLE: Final = 1 << 24


@dataclass(frozen=True)
class Face:
    """One font of a file.

    Args:
        file: its path.
        index: which font of a collection, from 0.
        family: as a message names it.
        families: every family name, as `plain` writes it.
        full: every name of the single font, such as Arial Bold, as `plain` writes it.
        weight: 400 is regular, 700 bold (OS/2 usWeightClass).
        width: 5 is normal (OS/2 usWidthClass).
        is_italic: whether it slants.
        is_fixed: whether all characters are equally wide.
    """

    file: str
    index: int
    family: str
    families: frozenset[str]
    full: frozenset[str]
    weight: int
    width: int
    is_italic: bool
    is_fixed: bool


def plain(name: str) -> str:
    """A name without what spellings differ in: case, spaces, hyphens."""
    return "".join(character for character in name.casefold() if character.isalnum())


@lru_cache(maxsize=4096)
def faces(file: str, modified: int) -> tuple[Face, ...]:  # noqa: ARG001 - a file that changes is another one
    """The fonts of a file that was last modified then (nanoseconds); none of one that is damaged or has no outlines."""
    try:
        with Path(file).open("rb") as opened:
            return tuple(
                _face(opened, tables, file, index)
                for index, tables in enumerate(_directories(opened))
                if _OUTLINES & tables.keys()
            )
    except (OSError, ValueError, struct.error):
        return ()


def missing(face: Face, characters: Iterable[str]) -> set[str]:
    """Those of the characters that a font lacks; all of them when the file cannot be read any more."""
    wanted = set(characters)
    try:
        with Path(face.file).open("rb") as opened:
            tables = list(_directories(opened))[face.index]
            return wanted - set(_found(_table(opened, tables, b"cmap"), wanted))
    except (OSError, ValueError, struct.error, LookupError):
        return wanted


def _directories(file: BinaryIO) -> list[Tables]:
    """The table directory of each font of the file."""
    starts: tuple[int, ...] = (0,)
    head = file.read(12)
    if head[:4] == _COLLECTION:
        count = min(struct.unpack_from(">I", head, 8)[0], _MOST_FACES)
        starts = struct.unpack(f">{count}I", file.read(4 * count))
    return [_directory(file, start) for start in starts]


def _directory(file: BinaryIO, start: int) -> Tables:
    head = _read(file, start, 12)
    if head[:4] not in _VERSIONS:
        raise ValueError("not a font")
    (count,) = struct.unpack_from(">H", head, 4)
    records = struct.iter_unpack(">4sIII", file.read(16 * count))
    return {tag: (offset, length) for tag, _, offset, length in records}


def _table(file: BinaryIO, tables: Tables, tag: bytes) -> bytes:
    offset, length = tables.get(tag, (0, 0))
    if length > _LARGEST_TABLE:
        raise ValueError("a table is too large")
    return _read(file, offset, length)


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


def _face(opened: BinaryIO, tables: Tables, file: str, index: int) -> Face:
    names = list(_names(_table(opened, tables, b"name")))
    families = [text for number, text in names if number in _FAMILIES]
    metrics = _table(opened, tables, b"OS/2")
    weight, width = struct.unpack_from(">HH", metrics, 4) if len(metrics) >= 64 else (400, 5)
    selection = struct.unpack_from(">H", metrics, 62)[0] if len(metrics) >= 64 else 0
    post = _table(opened, tables, b"post")
    return Face(
        file,
        index,
        family=families[0] if families else Path(file).stem,
        families=frozenset(map(plain, families)),
        full=frozenset(plain(text) for number, text in names if number in _FULL),
        weight=weight,
        width=width,
        is_italic=bool(selection & 0x201),  # italic, oblique
        is_fixed=len(post) >= 16 and post[12:16] != b"\0\0\0\0",
    )


def _names(table: bytes) -> Iterator[tuple[int, str]]:
    """Name IDs and their texts in every language, English first."""
    _, count, storage = struct.unpack_from(">HHH", table, 0)
    found: list[tuple[bool, int, str]] = []
    for platform, _, language, number, length, offset in struct.iter_unpack(">6H", table[6 : 6 + 12 * count]):
        raw = table[storage + offset : storage + offset + length]
        text = raw.decode("mac_roman" if platform == 1 else "utf-16-be", "replace").strip("\0 ")
        is_english = (platform, language) in ((1, 0), (3, 0x409)) or platform == 0
        if text:
            found.append((not is_english, number, text))
    for _, number, text in sorted(found):
        yield number, text


def _found(cmap: bytes, wanted: Iterable[str]) -> Iterator[str]:
    """Those of the characters that the table maps to a glyph."""
    subtable = _subtable(cmap)
    form = struct.unpack_from(">H", subtable, 0)[0]
    has = {4: _has_in_segments, 12: _has_in_groups}.get(form)
    if has is None:
        raise ValueError("an unusual table of characters")
    for character in wanted:
        if has(subtable, ord(character)):
            yield character


def _subtable(cmap: bytes) -> bytes:
    """Of all of Unicode, else of its first 65,536 characters."""
    (count,) = struct.unpack_from(">H", cmap, 2)
    known = {
        (platform, encoding): offset
        for platform, encoding, offset in struct.iter_unpack(">HHI", cmap[4 : 4 + 8 * count])
    }
    for place in ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0)):
        if place in known:
            return cmap[known[place] :]
    raise ValueError("no table of Unicode")


def _has_in_segments(table: bytes, code: int) -> bool:
    """Format 4."""
    (count,) = struct.unpack_from(">H", table, 6)
    ends = struct.unpack_from(f">{count // 2}H", table, 14)
    segment = bisect_left(ends, code)
    if segment == len(ends):
        return False
    start, delta, reach = (struct.unpack_from(">H", table, 16 + count * part + 2 * segment)[0] for part in (1, 2, 3))
    if code < start:
        return False
    if reach == 0:
        return bool((code + delta) & 0xFFFF)
    place = 16 + count * 3 + 2 * segment + reach + 2 * (code - start)
    glyph = struct.unpack_from(">H", table, place)[0]
    return bool(glyph and (glyph + delta) & 0xFFFF)


def _has_in_groups(table: bytes, code: int) -> bool:
    """Format 12."""
    (count,) = struct.unpack_from(">I", table, 12)
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        first, last, glyph = struct.unpack_from(">III", table, 16 + 12 * middle)
        if code < first:
            high = middle
        elif code > last:
            low = middle + 1
        else:
            return bool(glyph + code - first)
    return False
