"""What a job has changed of an object: values are compared as they are meant, not as they are padded."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag

from dicomprinter.dicom.forwarded.context import SPECIFIC_CHARACTER_SET, creator_tag, is_creator
from dicomprinter.dicom.tags import refused_in_a_job

_DECIMALS: Final = frozenset({"DS", "IS", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV"})
_LONG_TEXTS: Final = frozenset({"LT", "ST", "UT", "UC"})


def changed(dataset: Dataset, first: Dataset) -> Dataset:
    """What of a job's dataset differs from the header that it started from.

    Args:
        dataset: the job's; a tag that it lacks counts as unchanged, one that it has empty as blanked.
        first: `header` of the job's first object.

    Returns:
        The elements that differ, with the creators of those that are private.
    """
    result = Dataset()
    for element in dataset:
        tag = element.tag
        if tag.element == 0 or tag == SPECIFIC_CHARACTER_SET or is_creator(tag) or refused_in_a_job(tag):
            continue
        if tag not in first or not same(element, first[tag]):
            result.add(element)
            creator = Tag(creator_tag(tag))
            if tag.is_private and creator in dataset:
                result.add(dataset[creator])
    return result


def same(one: DataElement, other: DataElement) -> bool:
    """Whether two elements mean the same: padding, empty parts of names and ways to write a number do not count."""
    return bool(_meaning(one) == _meaning(other))


def is_empty(element: DataElement) -> bool:
    """Whether it holds nothing."""
    return not _meaning(element)


def _meaning(element: DataElement) -> Any:
    value = element.value
    if element.VR == "SQ":
        return tuple(_item(item) for item in value or ())
    if value in (None, "", b""):
        return ()
    if isinstance(value, bytes):
        return (value,)
    values = value if isinstance(value, MultiValue | list | tuple) else [value]
    meanings = tuple(_one(element.VR, one) for one in values)
    return meanings if any(meaning not in ("", None) for meaning in meanings) else ()


def _item(item: Dataset) -> Any:
    return tuple(
        (int(element.tag), _meaning(element))
        for element in item
        if element.tag.element != 0 and element.tag != SPECIFIC_CHARACTER_SET
    )


def _one(vr: str, value: Any) -> Any:
    text = "" if value is None else str(value)
    if vr in _DECIMALS:
        try:
            return Decimal(text.strip())
        except InvalidOperation:
            return text.strip()
    if vr == "PN":
        return "=".join(group.strip().rstrip("^ ") for group in text.split("=")).rstrip("=")
    if vr in _LONG_TEXTS:
        return text.replace("\r\n", "\n").rstrip("\0 ")
    return text.strip("\0 ")
