"""TIFF: the directories (TIFF 6.0 section 2, and BigTIFF), without the pixels."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from dicomprinter.errors import InputError
from dicomprinter.imaging.refusals import damaged, too_large, unsupported
from dicomprinter.imaging.source import Source

SIGNATURES: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_FORMATS: Final = {1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_RATIONALS: Final = {5: "I", 10: "i"}
_LARGEST_ARRAY: Final = 1 << 22
_MOST_VALUES: Final = 1 << 16
_NO_PAGE: Final = 0b101  # of the subfile type: a thumbnail, a mask

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_STRIP_OFFSETS, _ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _STRIP_SIZES = 273, 274, 277, 278, 279
_X_RESOLUTION, _Y_RESOLUTION, _PLANAR, _UNIT = 282, 283, 284, 296
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_SIZES, _SAMPLE_FORMAT = 322, 323, 324, 325, 339
_EXTRA_SAMPLES, _PROFILE = 338, 34675
_READ: Final = frozenset(
    {
        *(_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIP_OFFSETS, _ORIENTATION, _SAMPLES),
        *(_ROWS_PER_STRIP, _STRIP_SIZES, _X_RESOLUTION, _Y_RESOLUTION, _PLANAR, _UNIT),
        *(_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_SIZES, _SAMPLE_FORMAT, _EXTRA_SAMPLES, _PROFILE),
    }
)
_PLACES: Final = frozenset({_STRIP_OFFSETS, _STRIP_SIZES, _TILE_OFFSETS, _TILE_SIZES, _PROFILE})

Tags = dict[int, tuple[float, ...]]


@dataclass(frozen=True)
class Directory:
    """One page.

    Args:
        index: its place in the file's chain, thumbnails counted.
        width: columns as stored, before the orientation.
        height: rows as stored.
        bits: of a sample.
        samples: of a pixel, alpha counted.
        alpha: whether the sample after the colours is 1 an alpha that the colours are multiplied by, 2 one of its own;
            0 when it is something else.
        photometric: 0 white is zero, 1 black is zero, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr.
        compression: 6 and 7 are JPEG.
        orientation: 1 to 8.
        resolution: dots per inch (horizontal, vertical) as stored.
        stored: bytes of pixel data in the file.
        profile: where the ICC profile lies in the file and how long it is, None when there is none.
    """

    index: int
    width: int
    height: int
    bits: int
    samples: int
    alpha: int
    photometric: int
    compression: int
    orientation: int
    resolution: tuple[float, float] | None
    stored: int
    profile: tuple[int, int] | None


def directories(data: Source, most: int) -> Iterator[Directory]:
    """Each page of the file, read when it is asked for; thumbnails and masks are no pages.

    Raises:
        InputError: the file is cut off, damaged, of a kind that cannot be decoded, or has more than `most` pages.
    """
    reader = _Reader(data)
    for index, offset in _chain(reader, most):
        yield _page(index, reader.directory(offset), len(data))


def directory(data: Source, index: int, most: int) -> Directory | None:
    """One page, counted from 0 without thumbnails, None when there is no such page; those before it are passed over.

    Raises:
        InputError: as `directories`, for this page.
    """
    reader = _Reader(data)
    found = next(islice(_chain(reader, most), index, None), None)
    return _page(found[0], reader.directory(found[1]), len(data)) if found else None


def _chain(reader: _Reader, most: int) -> Iterator[tuple[int, int]]:
    """The place in the chain and the offset of each directory that is a page."""
    seen: set[int] = set()
    is_blank = True
    offset = reader.first
    while offset:
        if offset in seen:
            raise damaged("TIFF", "its pages form a circle")
        seen.add(offset)
        if len(seen) > most:
            raise too_large(f"it has more than {most} pages", "MaximumPages")
        kind, following = reader.kind_and_next(offset)
        if not kind & _NO_PAGE:
            yield len(seen) - 1, offset
            is_blank = False
        offset = following
    if is_blank:
        raise damaged("TIFF", "it holds no page")


def orientation(exif: bytes) -> int:
    """The orientation that a block of EXIF tells, 1 when it tells none."""
    try:
        reader = _Reader(exif)
        value = _one(reader.directory(reader.first), _ORIENTATION, 1)
    except InputError:
        return 1
    return value if 1 <= value <= 8 else 1


class _Reader:
    def __init__(self, data: Source) -> None:
        self._data = data
        if data[:4] not in SIGNATURES:
            raise damaged("TIFF", "its header is wrong")
        self._order = "<" if data[:1] == b"I" else ">"
        self._big = 43 in (data[2], data[3])
        self._pointer = "Q" if self._big else "I"
        self.first = int(self._read(self._pointer, 8 if self._big else 4)[0])

    def directory(self, offset: int) -> Tags:
        """The directory's tags, of those that are read."""
        start, count, size = self._entries(offset)
        return dict(self._entry(start + number * size) for number in range(count))

    def kind_and_next(self, offset: int) -> tuple[int, int]:
        """The subfile type, and the offset of the next directory, 0 after the last."""
        start, count, size = self._entries(offset)
        following = int(self._read(self._pointer, start + count * size)[0])
        entry = struct.Struct(self._order + ("HHQQ" if self._big else "HHII"))
        for number, (tag, *_) in enumerate(entry.iter_unpack(self._data[start : start + count * size])):
            if tag == _SUBFILE:
                return _one(dict([self._entry(start + number * size)]), _SUBFILE, 0), following
        return 0, following

    def _entries(self, offset: int) -> tuple[int, int, int]:
        """Where the directory's entries begin, their number, and the bytes of each."""
        count = int(self._read("Q" if self._big else "H", offset)[0])
        start = offset + (8 if self._big else 2)
        size = 20 if self._big else 12
        if count > 4096 or start + count * size > len(self._data):
            raise damaged("TIFF", "it is cut off")
        return start, count, size

    def _entry(self, offset: int) -> tuple[int, tuple[float, ...]]:
        tag, kind = self._read("HH", offset)
        count = int(self._read(self._pointer, offset + 4)[0])
        place = offset + (12 if self._big else 8)
        code = _FORMATS.get(int(kind)) or _RATIONALS.get(int(kind))
        most = _LARGEST_ARRAY if tag in _PLACES else _MOST_VALUES
        if code is None or int(tag) not in _READ or count > most:
            return int(tag), ()
        if tag == _PROFILE:
            return _PROFILE, (int(self._read(self._pointer, place)[0]), count)
        rational = int(kind) in _RATIONALS
        letters = f"{count * (2 if rational else 1)}{code}"
        if struct.calcsize(self._order + letters) > (8 if self._big else 4):
            place = int(self._read(self._pointer, place)[0])
        values = self._read(letters, place)
        if rational:
            values = tuple(a / b if b else 0.0 for a, b in zip(values[::2], values[1::2], strict=True))
        return int(tag), values

    def _read(self, letters: str, offset: int) -> tuple[float, ...]:
        try:
            return struct.unpack_from(self._order + letters, self._data, offset)
        except (struct.error, OverflowError):
            raise damaged("TIFF", "it is cut off") from None


def _one(tags: Tags, tag: int, default: int) -> int:
    values = tags.get(tag)
    return int(values[0]) if values else default


def _page(index: int, tags: Tags, length: int) -> Directory:
    width, height = _one(tags, _WIDTH, 0), _one(tags, _HEIGHT, 0)
    if width < 1 or height < 1:
        raise damaged("TIFF", f"page {index + 1} has no size")
    bits = {int(bit) for bit in tags.get(_BITS) or (1,)}
    page = Directory(
        index=index,
        width=width,
        height=height,
        bits=max(bits),
        samples=_one(tags, _SAMPLES, 1),
        alpha=_one(tags, _EXTRA_SAMPLES, 0),
        photometric=_one(tags, _PHOTOMETRIC, 1),
        compression=_one(tags, _COMPRESSION, 1),
        orientation=_one(tags, _ORIENTATION, 1) if 1 <= _one(tags, _ORIENTATION, 1) <= 8 else 1,
        resolution=_resolution(tags),
        stored=_stored(index, tags, width, height, length),
        profile=(int(tags[_PROFILE][0]), int(tags[_PROFILE][1])) if tags.get(_PROFILE) else None,
    )
    allowed = {8: (0, 1, 2, 3, 5, 6), 16: (0, 1, 2, 5)}.get(page.bits, (0, 1, 3))
    sample_formats = {int(form) for form in tags.get(_SAMPLE_FORMAT) or (1,)}
    if len(bits) > 1 or page.bits not in (1, 2, 4, 8, 16) or page.photometric not in allowed or sample_formats - {1, 4}:
        raise unsupported(
            "TIFF", f"page {index + 1} has samples of an unusual kind (floating point, signed or Lab, say)"
        )
    needed = (width * page.bits * page.samples + 7) // 8 * height
    if page.compression == 1 and page.stored < needed:
        raise damaged("TIFF", f"page {index + 1} has fewer bytes than pixels")
    return page


def _stored(index: int, tags: Tags, width: int, height: int, length: int) -> int:
    """Check that every strip or tile lies inside the file, and that none is missing; bytes of all together."""
    if _TILE_OFFSETS in tags:
        offsets, sizes = tags[_TILE_OFFSETS], tags.get(_TILE_SIZES) or ()
        across, down = _one(tags, _TILE_WIDTH, 0), _one(tags, _TILE_HEIGHT, 0)
        if across < 1 or down < 1:
            raise damaged("TIFF", f"page {index + 1} has tiles without a size")
        needed = -(-width // across) * -(-height // down)
    else:
        offsets, sizes = tags.get(_STRIP_OFFSETS) or (), tags.get(_STRIP_SIZES) or ()
        rows = min(max(_one(tags, _ROWS_PER_STRIP, height), 1), height)
        needed = -(-height // rows)
    if _one(tags, _PLANAR, 1) == 2:
        needed *= _one(tags, _SAMPLES, 1)
    if len(offsets) < needed or len(sizes) < needed:
        raise damaged("TIFF", f"page {index + 1} lacks pixel data")
    if any(offset + size > length or size < 1 for offset, size in zip(offsets, sizes, strict=False)):
        raise damaged("TIFF", f"the pixels of page {index + 1} lie outside the file: it is cut off")
    return int(sum(sizes))


def _resolution(tags: Tags) -> tuple[float, float] | None:
    unit = {2: 1.0, 3: 2.54}.get(_one(tags, _UNIT, 2))
    x, y = tags.get(_X_RESOLUTION), tags.get(_Y_RESOLUTION)
    return (x[0] * unit, y[0] * unit) if unit and x and y else None
