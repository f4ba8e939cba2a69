"""Which values tell something of a patient: every one, but for a few of which the standard says that they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dicomprinter.dicom.tags import tag_name
from dicomprinter.errors import MASK, Private

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

# SpecificCharacterSet, SOPClassUID, QueryRetrieveLevel, Modality (PS3.6 table 6-1).
_HARMLESS: Final = frozenset({0x00080005, 0x00080016, 0x00080052, 0x00080060})
# Application entities are machines.
_HARMLESS_VR: Final = frozenset({"AE"})


def is_sensitive(element: DataElement) -> bool:
    """Whether a log that redacts must not show an element's value; all private elements are."""
    return element.tag.is_private or (int(element.tag) not in _HARMLESS and element.VR not in _HARMLESS_VR)


def told(dataset: Dataset) -> Private:
    """`PatientID=4711; Modality=OT`: all values of a dataset, those in its sequences as well."""
    found: list[Private] = []
    for element in dataset:
        if element.VR == "SQ":
            found += [inner for item in element.value if (inner := told(item))]
        elif not element.is_empty:
            name, value = tag_name(element.tag), str(element.value)
            found.append(Private(f"{name}={value}", f"{name}={MASK if is_sensitive(element) else value}"))
    return Private.joined("; ", found)
