"""Values as PS3.5 6.2 allows them, made from whatever a job brings.

What cannot be wrong without harm is refused (identifiers, dates, numbers); what only describes is made
to fit, with a note for the job's history. Notes and messages name the tag, never the value.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from dicomprinter.dicom import dictionary
from dicomprinter.dicom.tags import parse_tag, tag_name
from dicomprinter.errors import PermanentError

# PS3.5 table 6.2-1, in characters.
_LENGTHS: Final[Mapping[str, int]] = MappingProxyType(
    {"AE": 16, "CS": 16, "DS": 16, "IS": 12, "LO": 64, "LT": 10240, "SH": 16, "ST": 1024, "UI": 64}
)
_INTEGERS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "IS": (-(1 << 31), (1 << 31) - 1),
        "US": (0, (1 << 16) - 1),
        "SS": (-(1 << 15), (1 << 15) - 1),
        "UL": (0, (1 << 32) - 1),
        "SL": (-(1 << 31), (1 << 31) - 1),
        "UV": (0, (1 << 64) - 1),
        "SV": (-(1 << 63), (1 << 63) - 1),
    }
)
# Backslashes of these belong to the value (PS3.5 6.2).
ONE_VALUE_VRS: Final = frozenset({"LT", "ST", "UT", "UR"})
_IDENTIFIER: Final = re.compile(r".*(ID|IDs|UID|Identifier|Identification|Number|Numbers|CodeValue|Designator)")
_UID: Final = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3])(?:([0-5][0-9])(?:([0-5][0-9]|60)(\.[0-9]{1,6})?)?)?")
_DATE_TIME: Final = re.compile(r"([0-9]{4})([0-9]{2})?([0-9]{2})?([0-9.]*)([+-][0-9]{4})?")
_AGE: Final = re.compile(r"[0-9]{3}[DWMY]")


def clean(tag: int, vr: str, text: str) -> tuple[str, list[str]]:
    """A text as an element of this tag and VR may hold it.

    Args:
        tag: the element's tag.
        vr: its value representation.
        text: the value; several values stand between backslashes where the VR is not LO, SH, PN or UC.

    Returns:
        The text to store and the notes for the history.

    Raises:
        PermanentError: the value is no such value, or an identifier that is too long.
    """
    text, notes = _without_controls(tag, vr, text)
    if vr in ONE_VALUE_VRS:
        return _one_value(tag, vr, text, notes)
    if vr in ("LO", "SH", "PN", "UC"):
        if "\\" in text:
            text = text.replace("\\", "/")
            notes.append(f'{tag_name(tag)}: "\\" became "/", for it separates values')
        return _one_value(tag, vr, text, notes)
    values = text.split("\\")
    if len(values) > 1 and dictionary.vm(tag) == "1":
        raise _refused(tag, "takes one value only", 'take out the "\\"')
    cleaned = []
    for value in values:
        one, more = _one_value(tag, vr, value, [])
        cleaned.append(one)
        notes += more
    return "\\".join(cleaned), notes


def is_value(vr: str, text: str) -> bool:
    """Whether `clean` takes a text for one value of this VR."""
    try:
        _one_value(0, vr, text, [])
    except PermanentError:
        return False
    return True


def without_separators(vr: str, text: str) -> str:
    """A date or time, or a range of them, without the dots and colons that ACR-NEMA put there."""
    if vr == "DA":
        return re.sub(r"(?<![0-9])([0-9]{4})\.([0-9]{2})\.([0-9]{2})(?![0-9])", r"\1\2\3", text)
    return text.replace(":", "") if vr == "TM" else text


def _one_value(tag: int, vr: str, text: str, notes: list[str]) -> tuple[str, list[str]]:
    text = text.rstrip(" ") if vr in ONE_VALUE_VRS else text.strip(" ")
    if not text:
        return "", notes
    check = _CHECKS.get(vr)
    if check is not None:
        text = check(tag, vr, text)
    if vr == "CS" and text != text.upper():
        text = text.upper()
        notes.append(f"{tag_name(tag)}: written in capitals")
    length = _LENGTHS.get(vr)
    if length is not None and len(text) > length:
        if not _only_describes(tag, vr):
            raise _refused(tag, f"is longer than the {length} characters of {vr}", "shorten it")
        text = text[:length].rstrip()
        notes.append(f"{tag_name(tag)}: cut to {length} characters")
    return text, notes


def _without_controls(tag: int, vr: str, text: str) -> tuple[str, list[str]]:
    """Long texts keep their lines, with the line ends of PS3.5 6.1.3; elsewhere white space becomes a space."""
    # Padding and line ends are no loss: nothing to tell.
    text = text.rstrip("\0").replace("\r\n", "\n").replace("\r", "\n")
    long = vr in ("LT", "ST", "UT")
    spaced = text if long else re.sub(r"[\t\n\v\f]+", " ", text.strip())
    kept = "".join(
        char for char in spaced if unicodedata.category(char) not in ("Cc", "Cs") or (long and char in "\t\n\f")
    )
    # A control character may have stood before white space.
    kept = kept if long else kept.strip()
    notes = [f"{tag_name(tag)}: control characters removed"] if kept != text.strip() and kept != text else []
    return (kept.replace("\n", "\r\n") if long else kept), notes


def _only_describes(tag: int, vr: str) -> bool:
    keyword = dictionary.keyword(tag)
    return vr in ("LO", "SH", "LT", "ST") and bool(keyword) and not _IDENTIFIER.fullmatch(keyword)


def _refused(tag: int, cause: str, remedy: str) -> PermanentError:
    return PermanentError(f"the value of {tag_name(tag)} cannot be written", cause=f"it {cause}", remedy=remedy)


def _date(tag: int, _vr: str, text: str) -> str:
    text = without_separators("DA", text)
    try:
        if not re.fullmatch(r"[0-9]{8}", text):
            raise ValueError
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise _refused(tag, "is no day of the calendar in the form YYYYMMDD", "correct the date") from None
    return text


def _time(tag: int, _vr: str, text: str) -> str:
    text = without_separators("TM", text)
    if not _TIME.fullmatch(text):
        raise _refused(tag, "is no time of day in the form HHMMSS", "correct the time")
    return text


def _date_time(tag: int, _vr: str, text: str) -> str:
    match = _DATE_TIME.fullmatch(text)
    try:
        if match is None or (match[4] and not (match[3] and _TIME.fullmatch(match[4]))):
            raise ValueError
        date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
        zone = match[5] or "+0000"
        if not (-1200 <= int(zone) <= 1400 and int(zone[3:]) < 60 and zone != "-0000"):
            raise ValueError
    except ValueError:
        raise _refused(tag, "is no point in time in the form YYYYMMDDHHMMSS", "correct it") from None
    return text


def _age(tag: int, _vr: str, text: str) -> str:
    if not _AGE.fullmatch(text):
        raise _refused(tag, "is no age such as 042Y", "write three digits and D, W, M or Y")
    return text


def _integer(tag: int, vr: str, text: str) -> str:
    low, high = _INTEGERS[vr]
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", text) or not low <= int(text) <= high:
        raise _refused(tag, f"is no whole number from {low} to {high}", "correct the number")
    return text if len(text) <= 12 or vr != "IS" else str(int(text))


def _decimal(tag: int, vr: str, text: str) -> str:
    try:
        if not _DECIMAL.fullmatch(text):
            raise ValueError
        number = float(text)
        if vr == "FL":
            struct.pack("<f", number)
        return _short_decimal(number) if vr == "DS" and len(text) > 16 else text
    except (ValueError, OverflowError):
        raise _refused(tag, "is no decimal number", "correct the number") from None


def _short_decimal(number: float) -> str:
    """More digits than 16 characters hold say nothing more about a measurement."""
    from pydicom.valuerep import format_number_as_ds  # noqa: PLC0415 - `dicom.dictionary` says why not above

    return format_number_as_ds(number)


def _uid(tag: int, _vr: str, text: str) -> str:
    if not _UID.fullmatch(text):
        raise _refused(tag, "is no UID", "write numbers without leading zeros, separated by dots")
    return text


def _code_string(tag: int, _vr: str, text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9 _]*", text):
        raise _refused(tag, "holds something else than letters A to Z, digits, space and _", "take it out")
    return text


def _title(tag: int, _vr: str, text: str) -> str:
    if not text.isascii():
        raise _refused(tag, "holds characters outside the default repertoire", "write it in plain letters")
    return text


def _person(tag: int, _vr: str, text: str) -> str:
    groups = text.rstrip("= ").split("=")
    if len(groups) > 3:
        raise _refused(tag, 'has more than three groups separated by "="', "keep three at most")
    for group in groups:
        if len(group) > 64:
            raise _refused(tag, "is longer than the 64 characters of a name", "shorten it")
        if group.count("^") > 4:
            raise _refused(tag, 'has more than five parts separated by "^"', "keep five at most")
    return "=".join(groups)


def _attribute_tag(tag: int, _vr: str, text: str) -> str:
    try:
        number = parse_tag(text)
    except ValueError:
        raise _refused(tag, "is no tag", "write it as (gggg,eeee)") from None
    return f"{number:08X}"


_CHECKS: Final[Mapping[str, Callable[[int, str, str], str]]] = MappingProxyType(
    {
        "AE": _title,
        "AS": _age,
        "AT": _attribute_tag,
        "CS": _code_string,
        "DA": _date,
        "DS": _decimal,
        "DT": _date_time,
        "FD": _decimal,
        "FL": _decimal,
        "PN": _person,
        "TM": _time,
        "UI": _uid,
        "UR": _title,
        **dict.fromkeys(_INTEGERS, _integer),
    }
)
