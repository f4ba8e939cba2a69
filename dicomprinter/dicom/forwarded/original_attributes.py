"""The Original Attributes Sequence: what an object said before it was changed (PS3.3 C.12.1.1.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag

from dicomprinter.dicom.forwarded.context import Context, creator_tag
from dicomprinter.dicom.forwarded.opening import Source
from dicomprinter.dicom.forwarded.rewriting import Rewriter
from dicomprinter.dicom.forwarded.structure import Element
from dicomprinter.dicom.forwarded.values import conforms
from dicomprinter.dicom.forwarded.writing import Output, padding
from dicomprinter.dicom.tags import dictionary_vr

_MODIFIED = 0x04000550


@dataclass(frozen=True)
class Earlier:
    """One item of the sequence.

    Args:
        tags: what was changed.
        reason: COERCE or CORRECT.
        system: who changed it.
        moment: when.
    """

    tags: Sequence[int]
    reason: str
    system: str
    moment: datetime

    def write(self, source: Source, context: Context, new: Dataset, out: Output, rewriter: Rewriter) -> None:
        """Write the item: earlier values as they stand in the file, those that were empty or missing as empty.

        Values that are none of their representation are kept as bytes, in the sequence for them.
        """
        owned = [own for tag in self.tags if (own := source.find(tag)) is not None]
        wrong = {own.tag: own for own in owned if not conforms(source.reader, own, context)}
        out.begin_item()
        out.begin_sequence(_MODIFIED)
        out.begin_item()
        for tag in _with_creators(self.tags):
            own = source.find(tag)
            if own is not None and tag not in wrong:
                rewriter.write(own, context)
            elif tag in self.tags:
                vr = context.vr(own) if own is not None else _vr(tag, new)
                out.value(tag, vr, b"")
        out.end_item()
        out.end_sequence()
        for element in self._rest(source, context, wrong):
            out.element(element)
        out.end_item()

    def _rest(self, source: Source, context: Context, wrong: Mapping[int, Element]) -> Dataset:
        rest = Dataset()
        if wrong:
            rest.NonconformingModifiedAttributesSequence = Items(
                [_nonconforming(source, context, own) for own in wrong.values()]
            )
        rest.AttributeModificationDateTime = self.moment.strftime("%Y%m%d%H%M%S.%f%z")
        rest.ModifyingSystem = self.system
        rest.SourceOfPreviousValues = ""
        rest.ReasonForTheAttributeModification = self.reason
        return rest


def _with_creators(tags: Sequence[int]) -> list[int]:
    creators = {creator_tag(tag) for tag in tags if tag >> 16 & 1}
    return sorted({*tags, *creators})


def _vr(tag: int, new: Dataset) -> str:
    return new[tag].VR if tag in new else dictionary_vr(tag) or "UN"


def _nonconforming(source: Source, context: Context, own: Element) -> Dataset:
    """The bytes of a value, and whose they were (PS3.3 table 10-20)."""
    tag, data = own.tag, source.reader.read(own)
    item = Dataset()
    item.NonconformingDataElementValue = data + padding("OB", len(data))
    item.SelectorAttribute = Tag(tag)
    item.SelectorValueNumber = 1
    if tag >> 16 & 1:
        item.SelectorAttribute = Tag(tag & 0xFFFF00FF)
        creator = context.creators.get(creator_tag(tag), "")
        item.add(DataElement(Tag("SelectorAttributePrivateCreator"), "LO", creator, validation_mode=IGNORE))
    return item
