"""The DICOMDIR of a File-set (PS3.3 Annex F): read as bytes, records added behind those that are there.

What is there stays where it is, so a folder of ten thousand files grows by a record without any of them being read.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from dicomprinter.dicom.part10 import read_meta
from dicomprinter.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEAD: Final = struct.Struct("<HH2sH")
_ITEM_HEAD: Final = struct.Struct("<HHL")
_ULONG: Final = struct.Struct("<L")
_LONG: Final = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_FIRST: Final = 0x00041200
_LAST: Final = 0x00041202
_SEQUENCE: Final = 0x00041220
_NEXT: Final = 0x00041400
_IN_USE: Final = 0x00041410
_LOWER: Final = 0x00041420
_KIND: Final = 0x00041430
_SOP_INSTANCE: Final = 0x00041511
# What tells a record from its neighbours; of all others it is the instance that they name.
_KEYS: Final = {b"PATIENT": 0x00100020, b"STUDY": 0x0020000D, b"SERIES": 0x0020000E}
_DEEPEST: Final = 16


@dataclass
class _Record:
    """A directory record: where its links stand, what tells it from others, and the records below it."""

    kind: bytes
    key: bytes
    next_at: int
    lower_at: int
    below: dict[tuple[bytes, bytes], _Record] = field(default_factory=dict)
    last_below: _Record | None = None


@dataclass
class _Scanned:
    """What a record's elements say; offsets of the links' values, and the other elements that matter."""

    next_at: int = 0
    lower_at: int = 0
    is_in_use: bool = True
    kind: bytes = b""
    key: bytes = b""


class Dicomdir:
    """A File-set's directory in memory; `data` is the file.

    Raises:
        ValueError: it is no DICOMDIR, or damaged.
    """

    def __init__(self, data: bytes) -> None:
        self._data = bytearray(data)
        self._first_at = self._last_at = self._sequence_at = 0
        self._tail = b""
        self.instances: set[str] = set()
        """The SOP Instance UIDs that are listed."""
        self._root = _Record(b"", b"", 0, 0)
        try:
            items = self._read_top()
            self._walk(self._root, self._link(self._first_at), items, set(), 0)
        except (struct.error, IndexError) as error:
            raise ValueError("it breaks off") from error
        self._root.next_at = 0

    @classmethod
    def empty(cls, file_set_id: str, sop_instance_uid: str) -> Self:
        """The directory of a File-set without files."""
        dataset = Dataset()
        dataset.FileSetID = file_set_id
        dataset.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
        dataset.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
        dataset.FileSetConsistencyFlag = 0
        dataset.DirectoryRecordSequence = []
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
        meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
        meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
        dataset.file_meta = meta
        stream = io.BytesIO()
        dcmwrite(stream, dataset, enforce_file_format=True)
        return cls(stream.getvalue())

    def add(self, records: Sequence[Dataset]) -> None:
        """Add an instance: its PATIENT, STUDY, SERIES and own record; of the first three, those that are not there.

        Args:
            records: each with (0004,1430) and its keys; the last one names its file (0004,1500), (0004,1511) too.

        Raises:
            ValueError: a value cannot be written.
        """
        above = self._root
        for dataset in records:
            kind = str(dataset.DirectoryRecordType).encode("ascii")
            encoded = _encoded(dataset)
            key = _scan(encoded, 0, len(encoded)).key
            found = above.below.get((kind, key)) if kind in _KEYS else None
            above = found or self._append(above, kind, key, encoded)
        self.instances.add(above.key.decode("ascii", "replace"))

    def content(self) -> bytes:
        """The file."""
        head = bytes(self._data[: self._sequence_at]) + _ULONG.pack(_UNDEFINED)
        items = bytes(self._data[self._sequence_at + 4 :])
        return head + items + _ITEM_HEAD.pack(*_split(_SEQUENCE_END), 0) + self._tail

    # Reading

    def _read_top(self) -> dict[int, tuple[int, int]]:
        """The elements around the records; each record's offset with the place of its elements."""
        stream = io.BytesIO(bytes(self._data))
        if read_meta(stream) != ExplicitVRLittleEndian:
            raise ValueError("it is not in Explicit VR Little Endian (PS3.10 8.6)")
        end = 0
        items: dict[int, tuple[int, int]] | None = None
        for tag, start, length, after in _elements(self._data, stream.tell(), len(self._data)):
            end = after
            if tag == _FIRST:
                self._first_at = start
            elif tag == _LAST:
                self._last_at = start
            elif tag == _SEQUENCE:
                self._sequence_at = start - 4
                items = {at: (first, last) for at, first, last in _items(self._data, start, length)}
                last_item = max((last for _, last in items.values()), default=start)
                closed = self._after_item(last_item, after)
                self._tail = bytes(self._data[after:])
                del self._data[closed:]
                break
        if items is None or not (self._first_at and self._last_at) or end == 0:
            raise ValueError("it has no Directory Record Sequence (0004,1220)")
        return items

    def _after_item(self, end: int, after: int) -> int:
        """Where an item ends, with the delimiter that one of undefined length has."""
        if end + 8 <= after:
            group, element, _ = _ITEM_HEAD.unpack_from(self._data, end)
            if (group << 16 | element) == _ITEM_END:
                return end + 8
        return end

    def _walk(self, above: _Record, offset: int, items: dict[int, tuple[int, int]], seen: set[int], depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError("its records are nested too deeply")
        while offset:
            if offset in seen or offset not in items:
                raise ValueError("a record is named that is not there")
            seen.add(offset)
            found = _scan(self._data, *items[offset])
            if not (found.next_at and found.lower_at and found.kind):
                raise ValueError("a record lacks its links or its type")
            record = _Record(found.kind, found.key, found.next_at, found.lower_at)
            above.last_below = record
            if found.is_in_use:
                above.below.setdefault((record.kind, record.key), record)
                if record.kind not in _KEYS and record.key:
                    self.instances.add(record.key.decode("ascii", "replace"))
            self._walk(record, self._link(record.lower_at), items, seen, depth + 1)
            offset = self._link(record.next_at)

    def _link(self, at: int) -> int:
        return int(_ULONG.unpack_from(self._data, at)[0])

    # Adding

    def _append(self, above: _Record, kind: bytes, key: bytes, encoded: bytes) -> _Record:
        offset = len(self._data)
        start = offset + _ITEM_HEAD.size
        if offset + len(encoded) > _UNDEFINED:
            raise ValueError("it would be larger than 4 GB")
        self._data += _ITEM_HEAD.pack(*_split(_ITEM), len(encoded)) + encoded
        found = _scan(self._data, start, len(self._data))
        record = _Record(kind, key, found.next_at, found.lower_at)
        if above.last_below is not None:
            _ULONG.pack_into(self._data, above.last_below.next_at, offset)
        else:
            _ULONG.pack_into(self._data, above.lower_at or self._first_at, offset)
        if above is self._root:
            _ULONG.pack_into(self._data, self._last_at, offset)
        above.last_below = record
        above.below.setdefault((kind, key), record)
        return record


def _split(tag: int) -> tuple[int, int]:
    return tag >> 16, tag & 0xFFFF


def _elements(data: bytes | bytearray, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Each element's tag, where its value begins, its length (`_UNDEFINED` as it stands) and where the next begins."""
    while at < end:
        group, element, vr, length = _HEAD.unpack_from(data, at)
        tag = group << 16 | element
        if tag == _ITEM_END:
            return
        at += _HEAD.size
        if vr in _LONG:
            (length,) = _ULONG.unpack_from(data, at)
            at += 4
        after = at + length if length != _UNDEFINED else _end_of_sequence(data, at, end)
        if after > end:
            raise ValueError("it breaks off")
        yield tag, at, length, after
        at = after


def _end_of_sequence(data: bytes | bytearray, at: int, end: int, depth: int = 0) -> int:
    """Where a sequence of undefined length ends."""
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply")
    while at < end:
        group, element, length = _ITEM_HEAD.unpack_from(data, at)
        tag = group << 16 | element
        at += _ITEM_HEAD.size
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise ValueError("a sequence holds something else than items")
        at = at + length if length != _UNDEFINED else _end_of_item(data, at, end, depth)
    raise ValueError("it breaks off")


def _end_of_item(data: bytes | bytearray, at: int, end: int, depth: int) -> int:
    while at < end:
        group, element, vr, length = _HEAD.unpack_from(data, at)
        if (group << 16 | element) == _ITEM_END:
            return at + 8
        at += _HEAD.size
        if vr in _LONG:
            (length,) = _ULONG.unpack_from(data, at)
            at += 4
        at = at + length if length != _UNDEFINED else _end_of_sequence(data, at, end, depth + 1)
    raise ValueError("it breaks off")


def _items(data: bytearray, at: int, length: int) -> Iterator[tuple[int, int, int]]:
    """Each item's offset, and where its elements begin and end."""
    end = len(data) if length == _UNDEFINED else at + length
    while at < end:
        group, element, size = _ITEM_HEAD.unpack_from(data, at)
        tag = group << 16 | element
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise ValueError("its sequence holds something else than records")
        start = at + _ITEM_HEAD.size
        after = start + size if size != _UNDEFINED else _end_of_item(data, start, end, 0)
        if after > end:
            raise ValueError("it breaks off")
        yield at, start, after if size != _UNDEFINED else after - _ITEM_HEAD.size
        at = after


def _scan(data: bytes | bytearray, start: int, end: int) -> _Scanned:
    found = _Scanned()
    wanted = _SOP_INSTANCE
    for tag, at, length, after in _elements(data, start, end):
        if tag in (_NEXT, _LOWER) and length != _ULONG.size:
            raise ValueError("a link is no offset")
        if tag == _NEXT:
            found.next_at = at
        elif tag == _LOWER:
            found.lower_at = at
        elif tag == _IN_USE:
            found.is_in_use = data[at:after] != b"\0\0"
        elif tag == _KIND:
            found.kind = bytes(data[at:after]).strip(b" \0")
            wanted = _KEYS.get(found.kind, _SOP_INSTANCE)
        elif tag == wanted:
            found.key = bytes(data[at:after]).rstrip(b" \0")
            return found
    return found


def _encoded(dataset: Dataset) -> bytes:
    record = Dataset()
    record.update(dataset)
    record.OffsetOfTheNextDirectoryRecord = 0
    record.RecordInUseFlag = 0xFFFF
    record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    try:
        write_dataset(stream, record)
    except Exception as error:  # pydicom raises whatever a wrong value leads to
        raise ValueError(f"a value cannot be written ({type(error).__name__})") from error
    return stream.getvalue()
