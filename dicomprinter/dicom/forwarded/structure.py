"""Where each element of a data set stands in its file (PS3.5 7); no value is read."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from dicomprinter.dicom.forwarded.beginning import LONG, REPRESENTATIONS, SHORT
from dicomprinter.dicom.tags import dictionary_vr, tag_text

UNDEFINED: Final = 0xFFFFFFFF
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
BLOCK: Final = 1 << 20
_NAMES: Final = {vr.encode(): vr for vr in LONG | SHORT}
_MOST_ELEMENTS: Final = 100_000
_DEEPEST: Final = 100


class StructureError(ValueError):
    """What is wrong with a file; the text names tags, never values."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How the elements of a data set are written; little endian unless `big`."""

    implicit: bool
    big: bool = False


IMPLICIT: Final = Coding(implicit=True)
EXPLICIT: Final = Coding(implicit=False)


@dataclass(frozen=True, slots=True)
class Element:
    """An element's place, in bytes from the beginning of the file.

    Args:
        tag: its number.
        vr: as written; empty with implicit VR.
        start: where its tag stands.
        value: where its value begins.
        stop: where its value ends.
        end: where the next element begins: after the delimiter of a value of undefined length.
    """

    tag: int
    vr: str
    start: int
    value: int
    stop: int
    end: int

    @property
    def length(self) -> int:
        """Bytes of the value."""
        return self.stop - self.value

    @property
    def is_delimited(self) -> bool:
        """Whether its length is undefined."""
        return self.end != self.stop


@dataclass(frozen=True, slots=True)
class Span:
    """Some bytes of the file: those of an item, without its delimiters, or of a fragment."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many."""
        return self.stop - self.start


class Reader:
    """Walks a seekable file; every method raises StructureError for what is cut off or no data set.

    Args:
        file: open for reading.
        size: where it ends.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size

    def top(self, start: int, coding: Coding, stop: int | None = None) -> list[Element]:
        """The elements of the data set that begins at `start`; zeros behind the last one are passed over."""
        end = self.size if stop is None else stop
        found: dict[int, Element] = {}
        position = start
        while position < end and not self._is_blank(position, end):
            element = self._element(position, end, coding, 0)
            if element.tag in found:
                raise StructureError(f"{tag_text(element.tag)} stands twice")
            if len(found) >= _MOST_ELEMENTS:
                raise StructureError(f"it has more than {_MOST_ELEMENTS} elements")
            found[element.tag] = element
            position = element.end
        return list(found.values())

    def elements(self, span: Span, coding: Coding, depth: int = 1) -> Iterator[Element]:
        """The elements of an item."""
        position = span.start
        while position < span.stop:
            element = self._element(position, span.stop, coding, depth)
            yield element
            position = element.end

    def items(self, element: Element, coding: Coding, depth: int = 1) -> Iterator[tuple[Span, Coding]]:
        """The items of a sequence, each with its coding (UN of undefined length holds implicit VR, PS3.5 6.2.2)."""
        if depth > _DEEPEST:
            raise StructureError(f"{tag_text(element.tag)}: more than {_DEEPEST} sequences stand in each other")
        position = element.value
        while position < element.stop:
            span, inner, position = self._item(element, position, element.stop, coding, depth)
            yield span, inner

    def fragments(self, element: Element) -> Iterator[Span]:
        """The items of compressed pixel data, the Basic Offset Table first (PS3.5 A.4)."""
        position = element.value
        while position < element.stop:
            span = self._fragment(element.tag, position, element.stop)
            yield span
            position = span.stop

    def check(self, element: Element, coding: Coding, depth: int = 1) -> None:
        """Walk through all items inside."""
        if self.is_sequence(element, coding):
            for span, inner in self.items(element, coding, depth):
                for nested in self.elements(span, inner, depth + 1):
                    self.check(nested, inner, depth + 1)

    def is_sequence(self, element: Element, coding: Coding) -> bool:
        """Whether its value is made of items with elements in them."""
        if coding.implicit:
            return element.is_delimited or dictionary_vr(element.tag) == "SQ"
        return element.vr == "SQ" or (element.vr == "UN" and element.is_delimited)

    def read(self, span: Span | Element) -> bytes:
        """The bytes of a value, an item or a fragment."""
        start = span.value if isinstance(span, Element) else span.start
        self.file.seek(start)
        return self.file.read(span.stop - start)

    def blocks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start`, some at a time.

        Raises:
            OSError: the file became shorter.
        """
        while start < stop:
            self.file.seek(start)
            block = self.file.read(min(BLOCK, stop - start))
            if not block:
                raise OSError("a file became shorter while it was read")
            start += len(block)
            yield block

    def _is_blank(self, position: int, end: int) -> bool:
        self.file.seek(position)
        if any(self.file.read(min(8, end - position))):
            return False
        return not any(any(block) for block in self.blocks(position, end))

    def _element(self, position: int, end: int, coding: Coding, depth: int) -> Element:
        tag, vr, length, value = self._header(position, end, coding)
        if tag >> 16 == 0xFFFE:
            raise StructureError(f"{tag_text(tag)} stands where an element should begin")
        if length != UNDEFINED:
            if length > end - value:
                raise StructureError(f"{tag_text(tag)} is longer than what is left of the file or item")
            return Element(tag, vr, position, value, value + length, value + length)
        if depth > _DEEPEST:
            raise StructureError(f"{tag_text(tag)}: more than {_DEEPEST} sequences stand in each other")
        whole = Element(tag, vr, position, value, end, end)
        if not coding.implicit and vr in ("OB", "OW"):
            stop = self._end_of_fragments(whole)
        elif coding.implicit or vr in ("SQ", "UN"):
            stop = self._end_of_items(whole, coding, depth)
        else:
            raise StructureError(f"{tag_text(tag)} has no length, which {vr} must have")
        return Element(tag, vr, position, value, stop, stop + 8)

    def _header(self, position: int, end: int, coding: Coding) -> tuple[int, str, int, int]:
        """Tag, representation, length, and where the value begins."""
        self.file.seek(position)
        head = self.file.read(min(12, end - position))
        order = ">" if coding.big else "<"
        if len(head) < 8:
            raise StructureError("it is cut off within an element")
        group, number = struct.unpack_from(order + "HH", head)
        tag = group << 16 | number
        if coding.implicit or group == 0xFFFE:
            return tag, "", struct.unpack_from(order + "I", head, 4)[0], position + 8
        vr = _NAMES.get(head[4:6])
        if vr is None:
            raise StructureError(f"{tag_text(tag)} has an unknown value representation")
        if vr in SHORT:
            return tag, vr, struct.unpack_from(order + "H", head, 6)[0], position + 8
        if len(head) < 12:
            raise StructureError("it is cut off within an element")
        return tag, vr, struct.unpack_from(order + "I", head, 8)[0], position + 12

    def _end_of_items(self, whole: Element, coding: Coding, depth: int) -> int:
        position = whole.value
        while not self._is_delimiter(position, whole, SEQUENCE_END, coding):
            position = self._item(whole, position, whole.stop, coding, depth)[2]
        return position

    def _end_of_fragments(self, whole: Element) -> int:
        position = whole.value
        while not self._is_delimiter(position, whole, SEQUENCE_END, EXPLICIT):
            position = self._fragment(whole.tag, position, whole.stop).stop
        return position

    def _item(self, sequence: Element, position: int, end: int, coding: Coding, depth: int) -> tuple[Span, Coding, int]:
        """The item at a position, its coding, and where the next one begins."""
        tag, length, start = self._item_header(position, end, coding)
        if tag != ITEM:
            raise StructureError(f"{tag_text(sequence.tag)} holds something else than items")
        inner = self._inner_coding(start, coding)
        if length != UNDEFINED:
            if length > end - start:
                raise StructureError(f"an item of {tag_text(sequence.tag)} is longer than what is left")
            return Span(start, start + length), inner, start + length
        whole = Element(sequence.tag, "", position, start, end, end)
        position = start
        while not self._is_delimiter(position, whole, ITEM_END, inner):
            position = self._element(position, end, inner, depth + 1).end
        return Span(start, position), inner, position + 8

    def _inner_coding(self, start: int, coding: Coding) -> Coding:
        """Some programs write items with implicit VR into a data set with explicit VR; UN always means that."""
        if coding.implicit or coding.big:
            return coding
        self.file.seek(start)
        head = self.file.read(6)
        is_explicit = head[4:6] in REPRESENTATIONS or head[:2] == b"\xfe\xff" or len(head) < 6
        return EXPLICIT if is_explicit else IMPLICIT

    def _fragment(self, tag: int, position: int, end: int) -> Span:
        found, length, start = self._item_header(position, end, EXPLICIT)
        if found != ITEM or length == UNDEFINED:
            raise StructureError(f"{tag_text(tag)} holds something else than fragments")
        if length > end - start:
            raise StructureError(f"a fragment of {tag_text(tag)} is longer than what is left of the file")
        return Span(start, start + length)

    def _is_delimiter(self, position: int, whole: Element, delimiter: int, coding: Coding) -> bool:
        if position >= whole.stop:
            raise StructureError(f"{tag_text(whole.tag)} has no end: the file is cut off")
        return self._item_header(position, whole.stop, coding)[0] == delimiter

    def _item_header(self, position: int, end: int, coding: Coding) -> tuple[int, int, int]:
        """Tag, length, and what follows: items and delimiters never have a representation (PS3.5 7.5)."""
        tag, _, length, start = self._header(position, end, Coding(implicit=True, big=coding.big))
        return tag, length, start
