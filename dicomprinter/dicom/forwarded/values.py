"""Elements of a file as pydicom's, decoded into Unicode; pydicom is asked for no opinion, for it would log values."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from dicomprinter.dicom.forwarded.context import SPECIFIC_CHARACTER_SET, Context
from dicomprinter.dicom.forwarded.structure import Element, Reader
from dicomprinter.dicom.forwarded.texts import GOVERNED, UndecodableError, decode, decode_anyhow, split
from dicomprinter.dicom.text import is_value

# These never leave the default repertoire.
_PLAIN: Final = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"})
TEXTS: Final = GOVERNED | _PLAIN
_NUMBERS: Final[Mapping[str, str]] = MappingProxyType(
    {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}
)
READABLE: Final = TEXTS | frozenset(_NUMBERS) | {"AT"}


def text(data: bytes, vr: str, context: Context) -> str:
    """The characters of a value of one of `TEXTS`, as well as they can be told."""
    return decode_anyhow(data, context.terms if vr in GOVERNED else ("",), vr)


def element_of(reader: Reader, element: Element, context: Context, depth: int = 1) -> DataElement | None:
    """The element with its value, None when the value is none of its representation."""
    vr = context.vr(element)
    try:
        value = _value(reader, element, vr, context, depth)
        made = DataElement(Tag(element.tag), vr, value, validation_mode=IGNORE)
        # What cannot be written as DICOM JSON (PS3.18 F) would be the end of a job; nor are NaN and infinity JSON.
        json.dumps(made.to_json_dict(None, 0), allow_nan=False)
    except (ArithmeticError, LookupError, TypeError, ValueError, struct.error):
        return None
    return made


def dataset_of(reader: Reader, elements: Iterable[Element], context: Context, depth: int = 1) -> Dataset:
    """Some elements of one data set or item; those that cannot be read are left out."""
    dataset = Dataset()
    for element in elements:
        if element.tag & 0xFFFF and element.tag != SPECIFIC_CHARACTER_SET:
            made = element_of(reader, element, context, depth)
            if made is not None:
                dataset.add(made)
    return dataset


def _value(reader: Reader, element: Element, vr: str, context: Context, depth: int) -> Any:
    if vr == "SQ":
        return Sequence(_items(reader, element, context, depth))
    data = reader.read(element)
    if vr in TEXTS:
        values: list[Any] = split(text(data, vr, context), vr)
        return values if len(values) > 1 else values[0]
    if vr not in READABLE:
        return data
    order = ">" if context.coding.big else "<"
    if vr == "AT":
        pairs = struct.iter_unpack(order + "HH", data)
        numbers: list[Any] = [BaseTag(group << 16 | number) for group, number in pairs]
    else:
        numbers = [number for (number,) in struct.iter_unpack(order + _NUMBERS[vr], data)]
    return numbers if len(numbers) > 1 else numbers[0] if numbers else None


def _items(reader: Reader, element: Element, context: Context, depth: int) -> list[Dataset]:
    items = []
    for span, coding in reader.items(element, context.coding, depth):
        elements = list(reader.elements(span, coding, depth + 1))
        items.append(dataset_of(reader, elements, context.within(elements, reader, coding), depth + 1))
    return items


def conforms(reader: Reader, element: Element, context: Context) -> bool:
    """Whether a text is one that its representation allows; what is no text always is."""
    vr = context.vr(element)
    if element.length == 0 or vr not in TEXTS:
        return True
    try:
        found = decode(reader.read(element), context.terms if vr in GOVERNED else ("",), vr)
    except UndecodableError:
        return False
    return all(is_value(vr, value) for value in split(found, vr))
