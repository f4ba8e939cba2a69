"""A job's dataset made ready to go into an object: cleaned, decoded, without what the builder owns."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from pydicom.datadict import dictionary_VM
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import VR

from dicomprinter.dicom.tags import refused_in_a_job, tag_name
from dicomprinter.dicom.text import clean
from dicomprinter.errors import PermanentError

_TEXT: Final = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)
_NUMBERS: Final = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD"})
_SPECIFIC_CHARACTER_SET: Final = 0x00080005
_CREATOR: Final = "DICOMPRINTER"
_REPRESENTATIONS: Final = frozenset(VR)


def prepared(attributes: Dataset) -> tuple[Dataset, list[str]]:
    """A cleaned copy of a job's dataset.

    Texts are made to fit (`dicom.text.clean`); the items of sequences lose their own Specific Character
    Set, because one set will govern the object; what describes the file, the instance or the pixels is left out.

    Returns:
        The copy and the notes for the history.

    Raises:
        PermanentError: a value cannot be written; names the tag.
    """
    notes: list[str] = []
    return _cleaned(attributes, notes, top=True), notes


def _cleaned(source: Dataset, notes: list[str], *, top: bool = False) -> Dataset:
    result = Dataset()
    for element in source:
        tag = element.tag
        if tag == _SPECIFIC_CHARACTER_SET or tag.element == 0 or (top and refused_in_a_job(tag)):
            continue
        if element.VR not in _REPRESENTATIONS:
            raise PermanentError(f"{tag_name(tag)} has no value representation that is one")
        if element.VR == "SQ":
            items = [_cleaned(item, notes) for item in element.value or []]
            result.add(DataElement(tag, "SQ", items))
        else:
            result.add(DataElement(tag, element.VR, _value(tag, element.VR, element.value, notes)))
    _name_creators(result, notes)
    return result


def _name_creators(dataset: Dataset, notes: list[str]) -> None:
    """Every block of private tags has a creator (PS3.5 7.8.1)."""
    private = [element.tag for element in dataset if element.tag.is_private and element.tag.element > 0xFF]
    for group, block in sorted({(tag.group, tag.element >> 8) for tag in private}):
        creator = BaseTag((group << 16) | block)
        if not dataset.get(creator):
            dataset.add(DataElement(creator, "LO", _CREATOR))
            notes.append(f"({group:04X},{block:02X}xx): private tags without a creator, {_CREATOR} was named")


def _value(tag: BaseTag, vr: str, value: Any, notes: list[str]) -> Any:
    if value is None or value == "":
        return None if vr not in _TEXT else ""
    values = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
    cleaned: list[Any] = []
    if vr in _NUMBERS:
        number = float if vr in ("FL", "FD") else int
        cleaned = [number(clean(tag, vr, str(one))[0]) for one in values]
    elif vr in _TEXT:
        if len(values) > 1 and vr in ("LO", "SH", "PN") and _takes_one(tag):
            # A text with a backslash, which became several values when it was set.
            values = ["/".join(str(one) for one in values)]
            notes.append(f'{tag_name(tag)}: "\\" became "/", for it separates values')
        for one in values:
            text, more = clean(tag, vr, str(one))
            cleaned.append(text)
            notes += more
    else:
        return deepcopy(value)
    return cleaned if len(cleaned) > 1 else cleaned[0]


def _takes_one(tag: BaseTag) -> bool:
    try:
        return dictionary_VM(tag) == "1"
    except KeyError:
        return False
