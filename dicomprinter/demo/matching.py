"""Attribute matching of C-FIND, as an SCP does it (PS3.4 C.2.2.2 and K.2.2)."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

_RANGES: Final = frozenset({"DA", "TM", "DT"})
_WILDCARDS: Final = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
# These steer the query and are matched by nobody.
_CONTROL: Final = frozenset({"SpecificCharacterSet", "QueryRetrieveLevel", "TimezoneOffsetFromUTC"})


def matches(keys: Dataset, entity: Dataset) -> bool:
    """Whether every key with a value is met; an empty key always is, and a key that the entity lacks never."""
    return all(_matches(key, entity) for key in keys if key.keyword not in _CONTROL)


def answer(keys: Dataset, entity: Dataset) -> Dataset:
    """The entity's values for the keys that were asked for; what it lacks comes back empty (PS3.4 C.2.2.1)."""
    found = Dataset()
    for key in keys:
        if key.keyword in _CONTROL:
            continue
        value = entity.get(key.tag)
        if key.VR != "SQ":
            found.add(DataElement(key.tag, key.VR, value.value if value is not None else None))
            continue
        items = list(value.value) if value is not None else []
        if key.value and key.value[0]:
            wanted = key.value[0]
            items = [answer(wanted, item) for item in items if matches(wanted, item)]
        found.add(DataElement(key.tag, "SQ", DicomSequence(items)))
    return found


def _matches(key: DataElement, entity: Dataset) -> bool:
    if key.VR == "SQ":
        return _matches_sequence(key, entity)
    wanted = _values(key)
    if not any(wanted):
        return True
    element = entity.get(key.tag)
    present = [value for value in _values(element) if value] if element is not None else []
    if key.VR == "UI":
        return any(value in wanted for value in present)
    return any(_matches_value(key.VR, pattern, value) for pattern in wanted for value in present)


def _matches_sequence(key: DataElement, entity: Dataset) -> bool:
    if not key.value or not any(_asks(element) for element in key.value[0]):
        return True
    element = entity.get(key.tag)
    return element is not None and any(matches(key.value[0], item) for item in element.value)


def _asks(element: DataElement) -> bool:
    if element.VR == "SQ":
        return bool(element.value) and any(_asks(nested) for nested in element.value[0])
    return any(_values(element))


def _matches_value(vr: str, pattern: str, value: str) -> bool:
    if vr in _RANGES and "-" in pattern:
        low, _, high = pattern.partition("-")
        return _not_before(value, low) and _not_after(value, high)
    if vr == "PN":
        pattern, value = pattern.casefold().rstrip("^"), value.casefold().rstrip("^")
    if vr in _WILDCARDS and ("*" in pattern or "?" in pattern):
        return _wildcard(pattern).fullmatch(value) is not None
    return pattern == value


def _not_before(value: str, low: str) -> bool:
    return value >= low


def _not_after(value: str, high: str) -> bool:
    # 20260131 as the end of a range holds all of that day, 12 all of that hour.
    return not high or value[: len(high)] <= high


@cache
def _wildcard(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(character, re.escape(character)) for character in pattern), re.DOTALL)


def _values(element: DataElement) -> list[str]:
    value = element.value
    if value is None or value == "":
        return []
    values = value if element.VM > 1 else [value]
    return [str(item).strip() for item in values]
