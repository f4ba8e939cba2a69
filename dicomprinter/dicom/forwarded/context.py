"""What the elements of a data set or item mean depends on their neighbours: character set, sign, private creators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from pydicom.datadict import dictionary_VR, private_dictionary_VR
from pydicom.tag import Tag

from dicomprinter.dicom.forwarded.structure import Coding, Element, Reader

SPECIFIC_CHARACTER_SET: Final = 0x00080005
_PIXEL_REPRESENTATION: Final = 0x00280103
_WAVEFORM_BITS: Final = 0x54001004
# Bytes of one value; other lengths say that the dictionary is wrong about an element.
SIZES: Final[Mapping[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(("US", "SS", "OW"), 2),
        **dict.fromkeys(("UL", "SL", "FL", "AT", "OF", "OL"), 4),
        **dict.fromkeys(("FD", "SV", "UV", "OD", "OV"), 8),
    }
)


@dataclass(frozen=True)
class Context:
    """Of one data set or item.

    Args:
        coding: how it is written.
        terms: the Specific Character Set that governs it.
        is_signed: Pixel Representation, for the tags that may be US or SS (PS3.5 A.1).
        waveform_bits: Waveform Bits Allocated, for those that may be OB or OW.
        creators: the private creators of this data set, by the tag of each.
    """

    coding: Coding
    terms: tuple[str, ...] = ("",)
    is_signed: bool = False
    waveform_bits: int = 16
    creators: Mapping[int, str] = field(default_factory=dict)

    def within(self, elements: Iterable[Element], reader: Reader, coding: Coding) -> Context:
        """The context of an item in this one, or of the whole data set; an item inherits what it does not say."""
        terms, signed, bits = self.terms, self.is_signed, self.waveform_bits
        creators: dict[int, str] = {}
        for element in elements:
            if element.tag == SPECIFIC_CHARACTER_SET and element.length:
                terms = character_set_terms(reader.read(element))
            elif element.tag == _PIXEL_REPRESENTATION and element.length == 2:
                signed = any(reader.read(element))
            elif element.tag == _WAVEFORM_BITS and element.length == 2:
                bits = int.from_bytes(reader.read(element), "big" if coding.big else "little")
            elif is_creator(element.tag) and element.length <= 1024:
                creators[element.tag] = reader.read(element).decode("latin-1").strip("\0 ")
        return Context(coding, terms, signed, bits, creators)

    def vr(self, element: Element) -> str:
        """The element's representation: as written; else the dictionary's; UN where neither says one that fits."""
        if element.vr and element.vr != "UN":
            return element.vr
        if element.is_delimited:
            return "SQ"
        vr = self._from_dictionary(element)
        # What was opaque when the structure was checked stays so: UN holds implicit VR then too (PS3.5 6.2.2).
        is_opaque = vr == "SQ" and (element.vr == "UN" or bool(element.tag >> 16 & 1))
        return "UN" if is_opaque or element.length % SIZES.get(vr, 1) else vr

    def _from_dictionary(self, element: Element) -> str:
        tag = Tag(element.tag)
        if tag.element == 0:
            return "UL"
        if is_creator(tag):
            return "LO"
        try:
            if tag.is_private:
                creator = self.creators.get(creator_tag(tag))
                vr = private_dictionary_VR(tag, creator) if creator else "UN"
            else:
                vr = dictionary_VR(tag)
        except KeyError:
            return "UN"
        return self._unambiguous(element, vr)

    def _unambiguous(self, element: Element, vr: str) -> str:
        if vr == "US or SS":
            return "SS" if self.is_signed else "US"
        if vr == "OB or OW":
            is_bytes = element.tag >> 16 == 0x5400 and self.waveform_bits == 8
            return "OB" if is_bytes else "OW"
        if " or " in vr:
            # LUT Data: US where it is a single value (PS3.5 A.1).
            return "US" if element.length <= 2 else "OW"
        return vr if len(vr) == 2 else "UN"


def is_creator(tag: int) -> bool:
    """Whether a tag holds the name of a block of private elements (PS3.5 7.8.1)."""
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


def creator_tag(tag: int) -> int:
    """Where the creator of a private element stands."""
    return (tag & 0xFFFF0000) | (tag >> 8 & 0xFF)


def character_set_terms(data: bytes) -> tuple[str, ...]:
    """The values of Specific Character Set; ISO_IR 6 is what an empty one means."""
    terms = tuple(term.strip() for term in data.decode("latin-1").rstrip("\0 ").split("\\"))
    return tuple("" if term in ("ISO_IR 6", "ISO 2022 IR 6") else term for term in terms)
