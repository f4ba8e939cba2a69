"""An object's own elements in another coding or character set, block by block; what need not change is copied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomprinter.dicom.character_sets import narrowest
from dicomprinter.dicom.forwarded.context import SIZES, SPECIFIC_CHARACTER_SET, Context
from dicomprinter.dicom.forwarded.frames import swapped
from dicomprinter.dicom.forwarded.structure import Coding, Element, Reader
from dicomprinter.dicom.forwarded.texts import GOVERNED, UndecodableError, decode, encode, split
from dicomprinter.dicom.forwarded.writing import Output, padding
from dicomprinter.dicom.tags import tag_name
from dicomprinter.errors import PermanentError

# Representations that 16-bit words, not the size of a value, turn round (PS3.5 7.3).
_WORDS: Final = frozenset({"AT", "OW"})


class Rewriter:
    """Writes a file's elements to an output.

    Args:
        reader: over the data set.
        out: where they go.
        new_texts: whether texts are written in the output's character set; otherwise they stay as they are.
        keeps_fragments: whether compressed pixels may stay as they are.
    """

    def __init__(self, reader: Reader, out: Output, *, new_texts: bool, keeps_fragments: bool) -> None:
        self._reader = reader
        self._out = out
        self._new_texts = new_texts
        self._keeps_fragments = keeps_fragments

    def write(self, element: Element, context: Context, depth: int = 1) -> None:
        """One element with all that is in it.

        Raises:
            PermanentError: a text that cannot be told for certain, or compressed pixels within a sequence.
        """
        is_same = context.coding.implicit == self._out.implicit and not context.coding.big
        vr = context.vr(element)
        has_fragments = element.is_delimited and vr != "SQ"
        if has_fragments and not self._keeps_fragments:
            raise holds_fragments(element.tag)
        if is_same and (has_fragments or not self._new_texts):
            for block in self._reader.blocks(element.start, element.end):
                self._out.file.write(block)
        elif vr == "SQ":
            self._out.begin_sequence(element.tag)
            self.write_items(element, context, depth)
            self._out.end_sequence()
        elif self._new_texts and vr in GOVERNED:
            text = decoded(self._reader, element, vr, context)
            self._out.value(element.tag, vr, encode(text, self._out.terms, vr))
        else:
            self._out.header(element.tag, vr, element.length + element.length % 2)
            self.copy_value(element, _unit(vr) if context.coding.big else 1)
            self._out.file.write(padding(vr, element.length))

    def write_items(self, element: Element, context: Context, depth: int = 1) -> None:
        """The items of a sequence, without what stands around them."""
        for span, coding in self._reader.items(element, context.coding, depth):
            nested = list(self._reader.elements(span, coding, depth + 1))
            inner = context.within(nested, self._reader, coding)
            self._out.begin_item()
            for one in nested:
                is_group_length = one.tag & 0xFFFF == 0
                is_declaration = self._new_texts and one.tag == SPECIFIC_CHARACTER_SET
                if not is_group_length and not is_declaration:
                    self.write(one, inner, depth + 1)
            self._out.end_item()

    def copy_value(self, element: Element, unit: int = 1) -> None:
        """A value's bytes, each `unit` of them turned round."""
        for block in self._reader.blocks(element.value, element.stop):
            self._out.file.write(swapped(block, unit))


def needed(reader: Reader, elements: Iterable[Element], context: Context, wished: str | None) -> str:
    """The narrowest character set that holds every text of an object; nested items count.

    Args:
        reader: over the data set.
        elements: those whose texts will stay.
        context: theirs.
        wished: the set to be; None takes the narrowest of the default, ISO_IR 100 and ISO_IR 192.

    Raises:
        PermanentError: a text that cannot be told for certain, or that the wished set cannot hold; names the tag.
    """
    widest = ""
    for tag, vr, text in _texts(reader, elements, context):
        if text.isascii():
            continue
        dataset = Dataset()
        dataset.add(DataElement(Tag(tag), vr, split(text, vr), validation_mode=IGNORE))
        found = narrowest(dataset, wished)
        widest = max(widest, found)
    return wished if wished is not None else widest


def decoded(reader: Reader, element: Element, vr: str, context: Context) -> str:
    """A text's characters.

    Raises:
        PermanentError: its bytes are none of its character set.
    """
    try:
        return decode(reader.read(element), context.terms, vr)
    except UndecodableError:
        raise PermanentError(
            f"{tag_name(element.tag)} cannot be written in another character set",
            cause="its bytes are not of the Specific Character Set (0008,0005) that the object names",
            remedy="correct the Specific Character Set where the object was made",
        ) from None


def has_fragments_inside(reader: Reader, element: Element, coding: Coding, depth: int = 1) -> bool:
    """Whether compressed pixels stand somewhere in a sequence."""
    if not reader.is_sequence(element, coding):
        return depth > 1 and element.is_delimited
    return any(
        has_fragments_inside(reader, nested, inner, depth + 1)
        for span, inner in reader.items(element, coding, depth)
        for nested in reader.elements(span, inner, depth + 1)
    )


def holds_fragments(tag: int) -> PermanentError:
    """Compressed pixels where they cannot be decompressed."""
    return PermanentError(
        f"{tag_name(tag)} holds compressed pixels within a sequence and cannot be written in another transfer syntax",
        remedy="let the archive accept the object's own transfer syntax",
    )


def _texts(
    reader: Reader, elements: Iterable[Element], context: Context, depth: int = 1
) -> Iterator[tuple[int, str, str]]:
    for element in elements:
        vr = context.vr(element)
        if vr == "SQ":
            for span, coding in reader.items(element, context.coding, depth):
                nested = list(reader.elements(span, coding, depth + 1))
                yield from _texts(reader, nested, context.within(nested, reader, coding), depth + 1)
        elif vr in GOVERNED:
            yield element.tag, vr, decoded(reader, element, vr, context)


def _unit(vr: str) -> int:
    return 2 if vr in _WORDS else SIZES.get(vr, 1)
