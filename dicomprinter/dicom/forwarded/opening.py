"""A DICOM file opened to be walked through: where its data set begins and how that is written (PS3.10 7.1)."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicomprinter.dicom.forwarded.beginning import MAGIC, PREAMBLE, REPRESENTATIONS, seems_dicom
from dicomprinter.dicom.forwarded.structure import (
    BLOCK,
    EXPLICIT,
    IMPLICIT,
    Coding,
    Element,
    Reader,
    Span,
    StructureError,
)
from dicomprinter.dicom.tags import tag_text
from dicomprinter.dicom.text import is_value
from dicomprinter.errors import PermanentError

_META: Final = 0x0002
_BIG: Final = Coding(implicit=False, big=True)
# PS3.5 A.5; the others are JPIP Referenced Deflate, and the same with HTJ2K (PS3.5 A.7, A.12).
DEFLATED: Final = frozenset(
    {DeflatedExplicitVRLittleEndian, UID("1.2.840.10008.1.2.4.95"), UID("1.2.840.10008.1.2.4.205")}
)


class TooLargeError(StructureError):
    """A data set that grows beyond what is allowed when it is inflated."""


@dataclass(frozen=True)
class Source:
    """An open file.

    Args:
        reader: over the data set; over what it inflates to when it is deflated.
        start: where the data set begins there.
        stop: where its last element ends.
        coding: how it is written.
        transfer_syntax: the one of the file meta information, or what the data set itself shows to be native.
        elements: those of the top level, in the file's order.
        stored: the data set as it stands in the file, deflated or not.
    """

    reader: Reader
    start: int
    stop: int
    coding: Coding
    transfer_syntax: UID
    elements: tuple[Element, ...]
    stored: tuple[Reader, Span]

    def find(self, tag: int) -> Element | None:
        """The element of the top level, None where there is none."""
        return next((element for element in self.elements if element.tag == tag), None)


@contextmanager
def opened(path: Path, most: int | None = None) -> Iterator[Source]:
    """Open a file and find its elements.

    Args:
        path: with or without preamble and file meta information.
        most: bytes that a deflated data set may inflate to.

    Raises:
        StructureError: it is no DICOM file, or damaged; TooLargeError beyond `most`.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        reader = Reader(file, size)
        start, named = _meta(reader)
        if named in DEFLATED:
            with TemporaryFile() as inflated:
                length = _inflate(reader, start, inflated, most)
                yield _source(Reader(inflated, length), 0, named, (reader, Span(start, size)))
        else:
            yield _source(reader, start, named, None)


@contextmanager
def usable(path: Path) -> Iterator[Source]:
    """`opened` for a file that was accepted before.

    Raises:
        PermanentError: it is no sound DICOM file.
    """
    try:
        with opened(path) as source:
            yield source
    except StructureError as error:
        raise PermanentError(
            "the DICOM file cannot be read", cause=str(error), remedy="copy or export the file again"
        ) from error


def _source(reader: Reader, start: int, named: UID | None, stored: tuple[Reader, Span] | None) -> Source:
    syntax, coding = _coding(reader, start, named)
    elements = reader.top(start, coding)
    if not elements:
        raise StructureError("it holds no elements")
    meta = next((element for element in elements if element.tag >> 16 == _META), None)
    if meta is not None:
        # Written before the rest, as they have to be, such elements would be taken for those of the file.
        raise StructureError(f"{tag_text(meta.tag)} stands in the data set, and belongs before it")
    stop = elements[-1].end
    return Source(reader, start, stop, coding, syntax, tuple(elements), stored or (reader, Span(start, stop)))


def _meta(reader: Reader) -> tuple[int, UID | None]:
    """Where the data set begins, and the transfer syntax where it is named."""
    head = reader.read(Span(0, min(PREAMBLE + 4, reader.size)))
    if not seems_dicom(head):
        raise StructureError("it is no DICOM file")
    start = 0
    if head[PREAMBLE:] == MAGIC:
        start = PREAMBLE + 4
    elif head[:4] == MAGIC:
        start = 4
    named = ""
    for element in reader.elements(_file_meta(reader, start), EXPLICIT):
        if element.tag == 0x00020010:
            named = reader.read(element).decode("ascii", "replace").strip("\0 ")
        start = element.end
    if named and not is_value("UI", named):
        raise StructureError("its transfer syntax is no UID")
    return start, UID(named) if named else None


def _file_meta(reader: Reader, start: int) -> Span:
    """Group 0002; its own group length is not relied on."""
    position = start
    while True:
        head = reader.read(Span(position, min(position + 8, reader.size)))
        if head[:2] != b"\x02\x00":
            return Span(start, position)
        rest = Span(position, reader.size)
        position = next(reader.elements(rest, EXPLICIT)).end


def _coding(reader: Reader, start: int, named: UID | None) -> tuple[UID, Coding]:
    """What the first element shows counts where the name says otherwise: some programs name the wrong one."""
    head = reader.read(Span(start, min(start + 8, reader.size)))
    has_vr = head[4:6] in REPRESENTATIONS
    if named is None:
        if has_vr and head[:1] == b"\0" and head[1:2] != b"\0":
            return ExplicitVRBigEndian, _BIG
        named = ExplicitVRLittleEndian if has_vr else ImplicitVRLittleEndian
    if named in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        return (ExplicitVRLittleEndian, EXPLICIT) if has_vr else (ImplicitVRLittleEndian, IMPLICIT)
    if named.is_private:
        return named, EXPLICIT if has_vr else IMPLICIT
    if not has_vr:
        raise StructureError("it is not written as its transfer syntax says")
    return named, _BIG if named == ExplicitVRBigEndian else EXPLICIT


def _inflate(reader: Reader, start: int, target: BinaryIO, most: int | None) -> int:
    """PS3.5 A.5: RFC 1951 without a header; a byte of padding may follow."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    length = 0
    try:
        for block in reader.blocks(start, reader.size):
            left = block
            while left and not stream.eof:
                data = stream.decompress(left, BLOCK)
                left = stream.unconsumed_tail
                length += len(data)
                if most is not None and length > most:
                    raise TooLargeError(f"it inflates to more than {most} bytes")
                target.write(data)
    except zlib.error as error:
        raise StructureError("its deflated data set is damaged") from error
    if not stream.eof:
        raise StructureError("its deflated data set is cut off")
    target.flush()
    return length
