"""What of an object is to change, and what of that needs to be told (PS3.3 C.12.1.1.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomprinter.dicom.attributes import prepared
from dicomprinter.dicom.forwarded.changes import is_empty, same
from dicomprinter.dicom.forwarded.context import Context, creator_tag, is_creator
from dicomprinter.dicom.forwarded.opening import Source
from dicomprinter.dicom.forwarded.original import is_uid, plain
from dicomprinter.dicom.forwarded.values import dataset_of, element_of
from dicomprinter.dicom.tags import tag_text

STUDY_INSTANCE_UID: Final = 0x0020000D
REQUEST_ATTRIBUTES: Final = 0x00400275
ORIGINAL_ATTRIBUTES: Final = 0x04000561
# The UIDs that say which instance this is; only the caller replaces them.
IDENTITY: Final = (0x00080018, STUDY_INSTANCE_UID, 0x0020000E)


@dataclass(frozen=True)
class Plan:
    """The changes of one object.

    Args:
        new: the elements to write instead of the object's own, or besides them.
        request: an item to put behind those of the object's RequestAttributesSequence, None for none.
        coerced: tags whose earlier values are to be kept because the job has others.
        corrected: the same for those that were no such values.
        notes: for the history.
    """

    new: Dataset
    request: Dataset | None
    coerced: tuple[int, ...]
    corrected: tuple[int, ...]
    notes: tuple[str, ...]


def planned(source: Source, context: Context, changes: Dataset, identity: Mapping[int, str]) -> Plan:
    """What has to change of an object.

    Args:
        source: the object.
        context: its own.
        changes: the job's; what the object has already, and empty values of tags that it lacks, are passed over. The
            Study Instance UID goes into RequestAttributesSequence, other UIDs of `IDENTITY` nowhere.
        identity: UIDs to replace, by tag.

    Raises:
        PermanentError: a value cannot be written; names the tag.
    """
    placed, moved = _placed(changes, context)
    wanted, notes = prepared(placed)
    study = str(wanted.get("StudyInstanceUID") or "")
    if study == identity.get(STUDY_INSTANCE_UID):
        study = ""
    new = Dataset()
    for element in wanted:
        if element.tag not in IDENTITY and not _is_there(source, context, element):
            new.add(element)
    request = _request(source, context, new, study)
    # An empty value tells of what is added; of a private one it would need a creator that was not there either.
    coerced = [int(element.tag) for element in new if not element.tag.is_private or source.find(element.tag)]
    if request is not None:
        coerced.append(REQUEST_ATTRIBUTES)
    corrected: list[int] = []
    for tag, uid in identity.items():
        before = plain(source, tag)
        if before != uid:
            new.add(DataElement(Tag(tag), "UI", uid, validation_mode=IGNORE))
            (coerced if is_uid(before) else corrected).append(tag)
    return Plan(new, request, tuple(sorted(coerced)), tuple(sorted(corrected)), (*moved, *notes))


def _is_there(source: Source, context: Context, element: DataElement) -> bool:
    own = source.find(element.tag)
    if own is None:
        return is_empty(element)
    before = element_of(source.reader, own, context)
    return before is not None and same(before, element)


def _request(source: Source, context: Context, new: Dataset, study: str) -> Dataset | None:
    """The study that a query names is where the object was ordered, not where it is (PS3.3 table 10-9)."""
    if not study or study == plain(source, STUDY_INSTANCE_UID):
        return None
    if REQUEST_ATTRIBUTES in new and new[REQUEST_ATTRIBUTES].value:
        for item in new[REQUEST_ATTRIBUTES].value:
            if not item.get("StudyInstanceUID"):
                item.StudyInstanceUID = study
        return None
    own = source.find(REQUEST_ATTRIBUTES)
    if own is not None:
        there = dataset_of(source.reader, [own], context).get(REQUEST_ATTRIBUTES)
        if (
            there is not None
            and there.VR == "SQ"
            and any(item.get("StudyInstanceUID") == study for item in there.value)
        ):
            return None
    request = Dataset()
    request.StudyInstanceUID = study
    if new.get("AccessionNumber"):
        request.AccessionNumber = new.AccessionNumber
    new.pop(REQUEST_ATTRIBUTES, None)
    return request


def _placed(changes: Dataset, context: Context) -> tuple[Dataset, list[str]]:
    """Private elements go into the object's block of their creator, or into a free one (PS3.5 7.8.1)."""
    placed, notes = Dataset(), []
    owners = dict(context.creators)
    for element in changes:
        tag = element.tag
        if is_creator(tag):
            continue
        if not tag.is_private or tag.element < 0x1000:
            placed.add(element)
            continue
        block = creator_tag(tag)
        name = str(changes[block].value) if block in changes else owners.get(block, "")
        place = _block(owners, block, name)
        if name:
            owners[place] = name
            placed.add(DataElement(Tag(place), "LO", name, validation_mode=IGNORE))
        target = Tag(tag & 0xFFFF0000 | (place & 0xFF) << 8 | tag & 0xFF)
        if target != tag:
            notes.append(f"{tag_text(tag)} was written as {tag_text(target)}: the object has another creator there")
        placed.add(DataElement(target, element.VR, element.value, validation_mode=IGNORE))
    return placed, notes


def _block(owners: Mapping[int, str], block: int, name: str) -> int:
    """The creator's own block, else the wished one where it is free, else the first one that is."""
    if not name or owners.get(block) == name:
        return block
    group = block & 0xFFFF0000
    blocks = [group | number for number in range(0x10, 0x100)]
    own = [place for place in blocks if owners.get(place) == name]
    free = [place for place in (block, *blocks) if place not in owners]
    return (own or free or [block])[0]
