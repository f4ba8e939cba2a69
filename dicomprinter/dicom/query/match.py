"""What an operator says a job is: tags and values typed, or a file of them, made ready for the job's dataset."""

from __future__ import annotations

import json
import warnings
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from dicomprinter.dicom.attributes import prepared
from dicomprinter.dicom.query.answer import copy_private
from dicomprinter.dicom.tags import dictionary_vr, parse_tag, refused_in_a_job, tag_name
from dicomprinter.dicom.text import clean
from dicomprinter.dicom.values import BYTE_VRS, set_text
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHARACTER_SET: Final = Tag("SpecificCharacterSet")
_EXAMPLES: Final = {"DA": "19640812", "TM": "143000", "DT": "20260131143000", "AS": "062Y", "UI": "1.2.840.1"}
_MOST_LINES: Final = 1000
_DEEPEST: Final = 100
_HEXADECIMAL: Final = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True)
class Remark:
    """A part of a match that was left out, or changed to fit; `private` may hold what it says of the patient."""

    message: str
    private: str = ""
    is_left_out: bool = True


@dataclass(frozen=True)
class Match:
    """The values to set, empty ones too, and what there is to say of the rest."""

    values: Dataset
    remarks: tuple[Remark, ...] = ()

    @property
    def left_out(self) -> tuple[Remark, ...]:
        """The parts that cannot be set."""
        return tuple(remark for remark in self.remarks if remark.is_left_out)


def from_pairs(pairs: Iterable[tuple[str, str]]) -> Match:
    """Tags, by keyword or number, with their values as text."""
    return _gathered((tag, value, "", value) for tag, value in pairs)


def from_lines(text: str) -> Match:
    """Lines `(gggg,eeee)=value`; a blank line says nothing, and a mark of the byte order is passed over.

    Raises:
        ValueError: there are more lines than any answer has.
    """
    lines = [(number, line) for number, line in enumerate(_lines(text), start=1) if line.strip()]
    if len(lines) > _MOST_LINES:
        raise ValueError(f"it has more than {_MOST_LINES} lines")
    entries, wrong = [], []
    for number, line in lines:
        tag, sign, value = line.partition("=")
        if sign:
            entries.append((tag, value, f"line {number}", line))
        else:
            wrong.append(Remark(f"line {number} is not of the form (gggg,eeee)=value", line))
    match = _gathered(entries)
    return Match(match.values, (*wrong, *match.remarks))


def from_json(text: str) -> Match:
    """A data set in the DICOM JSON model (PS3.18 F); private elements need their creator.

    Raises:
        ValueError: it is no such object; says why without its content.
    """
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if not isinstance(data, dict):
        raise ValueError("it is not one object of the DICOM JSON model")
    if _is_deeper(data, _DEEPEST):
        raise ValueError(f"more than {_DEEPEST} lists and objects stand in each other")
    values, remarks = Dataset(), []
    for key, content in data.items():
        try:
            cleaned, notes = _from_json_element(key, content, data)
        except PermanentError as error:
            remarks.append(Remark(f"{_key_name(key)} is left out: {error}", error.private))
            continue
        for element in cleaned:
            values.add(element)
        remarks += [Remark(note, is_left_out=False) for note in notes]
    return Match(values, tuple(remarks))


def matched(dataset: Dataset, values: Dataset) -> Dataset:
    """A copy of a job's dataset with a match's values; private ones go into a block of their creator's."""
    result = deepcopy(dataset)
    for element in values:
        tag = element.tag
        if tag.is_private and not tag.is_private_creator and _creator(values, tag):
            copy_private(result, values, element)
        elif not (tag.is_private_creator and tag in result):
            result[tag] = deepcopy(element)
    return result


def _lines(text: str) -> list[str]:
    # Not `splitlines`: a form feed or the like belongs to a value.
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _gathered(entries: Iterable[tuple[str, str, str, str]]) -> Match:
    """`entries`: tag, value, where it stands if that has to be said, and what to show of it in private."""
    values, remarks = Dataset(), []
    for name, value, place, whole in entries:
        try:
            tag = parse_tag(name)
        except ValueError as error:
            remarks.append(Remark(f"{place or 'this'} names no tag", str(error)))
            continue
        try:
            _check_may_be_set(tag)
            vr = dictionary_vr(tag) or "LO"
            if vr == "SQ" and value.strip():
                raise PermanentError(f"{tag_name(tag)} is a sequence and takes no text", remedy="use match.json for it")
            text, notes = clean(tag, vr, value)
            set_text(values, tag, vr, text)
        except PermanentError as error:
            example = _EXAMPLES.get(dictionary_vr(tag) or "", "")
            said = f"{error}: {example}, say" if example else str(error)
            remarks.append(Remark(f"{place}: {said}" if place else said, whole))
        else:
            remarks += [Remark(note, is_left_out=False) for note in notes]
    return Match(values, tuple(remarks))


def _check_may_be_set(tag: int) -> None:
    reason = refused_in_a_job(tag)
    group, element = divmod(tag, 1 << 16)
    if group < 0x0008:
        reason = f"group {group:04X} belongs to files and messages"
    elif group == 0x0028:
        reason = "the description of the pixels comes from the page"
    elif tag == _CHARACTER_SET:
        reason = "the Store chooses it"
    elif element == 0:
        reason = "the length of a group follows from it"
    if reason:
        raise PermanentError(f"{tag_name(tag)} cannot be set: {reason}")


def _from_json_element(key: str, content: Any, data: dict[str, Any]) -> tuple[Dataset, list[str]]:
    """The element alone, beside its creator when it is private, cleaned."""
    if len(key) != 8 or not set(key) <= _HEXADECIMAL:
        raise PermanentError("its name is not a tag of eight hexadecimal digits", private=key)
    tag = Tag(int(key, 16))
    _check_may_be_set(tag)
    one = {key: content}
    if tag.is_private and not tag.is_private_creator:
        creator = f"{tag.group:04X}{tag.element >> 8:04X}"
        found = next((name for name in data if name.upper() == creator), None)
        if tag.element < 0x1000 or found is None:
            raise PermanentError(f"its creator ({creator[:4]},{creator[4:]}) is missing")
        one[found] = data[found]
    if not isinstance(content, dict) or "BulkDataURI" in content or _is_misplaced(content):
        raise PermanentError("it has no value here")
    known = () if tag.is_private or dictionary_vr(tag) is None else dictionary_VR(tag).split(" or ")
    if known and content.get("vr") not in known:
        raise PermanentError(f"it is {' or '.join(known)} and nothing else")
    try:
        with warnings.catch_warnings():
            # They would tell the value.
            warnings.simplefilter("ignore")
            read = Dataset.from_json(one)
            cleaned, notes = prepared(read)
            # The job keeps its dataset so.
            json.dumps(cleaned.to_json_dict())
    except PermanentError as error:
        raise PermanentError(str(error), private=json.dumps(content, ensure_ascii=False)) from None
    except Exception as error:  # noqa: BLE001 - pydicom raises whatever a wrong value leads to
        private = json.dumps(content, ensure_ascii=False)
        raise PermanentError(f"it cannot be read ({type(error).__name__})", private=private) from None
    return cleaned, notes


def _is_deeper(value: Any, most: int) -> bool:
    """Whether more lists and objects than this stand in each other."""
    level = [value]
    for _ in range(most):
        level = [one for outer in level for one in (outer.values() if isinstance(outer, dict) else outer)]
        level = [one for one in level if isinstance(one, dict | list)]
        if not level:
            return False
    return True


def _is_misplaced(content: dict[str, Any]) -> bool:
    """Whether bytes are given for what holds none (PS3.18 F.2.7)."""
    return "InlineBinary" in content and str(content.get("vr")) not in BYTE_VRS


def _key_name(key: str) -> str:
    is_tag = len(key) == 8 and set(key) <= _HEXADECIMAL
    return tag_name(int(key, 16)) if is_tag else "an element"


def _creator(dataset: Dataset, tag: BaseTag) -> str:
    element = dataset.get(Tag(tag.group, tag.element >> 8))
    return str(element.value or "") if element is not None else ""
