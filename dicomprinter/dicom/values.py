"""Values as elements hold them, from the text of a configuration or a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from dicomprinter.dicom.tags import tag_name
from dicomprinter.dicom.text import ONE_VALUE_VRS
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from pydicom import Dataset

_WHOLE = frozenset({"US", "SS", "UL", "SL", "UV", "SV"})
_REAL = frozenset({"FL", "FD"})
BYTE_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


def set_text(dataset: Dataset, tag: int, vr: str, text: str) -> None:
    """Set an element from a cleaned text (`dicom.text.clean`); empty text leaves it present and empty.

    Raises:
        PermanentError: the representation cannot be written from a text, or a part of the text is no value of it.
    """
    if vr in BYTE_VRS and text:
        raise PermanentError(f"{tag_name(tag)} holds bytes ({vr}) and cannot be set from a text")
    # The value is not checked again: pydicom's warnings would tell it to the log.
    try:
        element = DataElement(Tag(tag), vr, _value(vr, text), validation_mode=IGNORE)
        # The job keeps its dataset as DICOM JSON (PS3.18 F): what cannot be written there must not get in.
        element.to_json_dict(None, 0)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise PermanentError(
            f"{tag_name(tag)} cannot hold this value ({vr})",
            cause="a part of it is empty or no such value",
            remedy='take out a "\\" with nothing beside it, or correct the value',
        ) from None
    dataset.add(element)


def _value(vr: str, text: str) -> Any:
    if vr == "SQ":
        return Sequence()
    if not text:
        return None if vr in _WHOLE | _REAL | BYTE_VRS | {"AT"} else ""
    if vr in ONE_VALUE_VRS:
        return text
    parts = text.split("\\")
    if vr in _WHOLE:
        values: list[Any] = [int(part) for part in parts]
    elif vr in _REAL:
        values = [float(part) for part in parts]
    elif vr == "AT":
        values = [Tag(int(part.replace(",", "").strip("()"), 16)) for part in parts]
    else:
        values = list(parts)
    return values if len(values) > 1 else values[0]
