"""The keys of a query: the identifier made of them, and which of them an answer fails (PS3.4 C.2.2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydicom.config import IGNORE
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomprinter.dicom.query.filter import NUMBER_VRS, Condition, Literal, has_wildcard
from dicomprinter.dicom.tags import dictionary_vr, tag_name
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOTHING: Final = Condition()
_IDENTIFIER: Final = re.compile(r".*(ID|IDs|UID|Number)")
_BINARY_NUMBERS: Final = NUMBER_VRS - {"IS", "DS"}


@dataclass(frozen=True)
class QueryKey:
    """A key, ready for one job.

    Args:
        value: what goes out, as text or as pydicom holds it; empty makes it a return key.
        condition: what the answer's element must hold.
    """

    tag: int
    vr: str
    value: Any = ""
    condition: Condition = _NOTHING

    @property
    def asks(self) -> bool:
        """Whether it narrows the answers, there or here."""
        return not is_empty(self.value) or self.condition != _NOTHING


@dataclass(frozen=True)
class QueryItem:
    """The keys of an identifier, or of an item in it."""

    keys: tuple[QueryKey, ...] = ()
    sequences: tuple[QuerySequence, ...] = ()

    def key(self, tag: int) -> QueryKey | None:
        """The key of this tag."""
        return next((key for key in self.keys if key.tag == tag), None)

    def sequence(self, tag: int) -> QuerySequence | None:
        """The sequence of this tag."""
        return next((sequence for sequence in self.sequences if sequence.tag == tag), None)

    @property
    def tags(self) -> frozenset[int]:
        """Every tag at this level."""
        return frozenset({key.tag for key in self.keys} | {sequence.tag for sequence in self.sequences})

    @property
    def sends_a_value(self) -> bool:
        """Whether anything goes out that narrows the answers."""
        return any(not is_empty(key.value) for key in self.keys) or any(
            item.sends_a_value for sequence in self.sequences for item in sequence.items
        )


@dataclass(frozen=True)
class QuerySequence:
    """A sequence to ask for; without items everything in it is wanted."""

    tag: int
    items: tuple[QueryItem, ...] = ()


@dataclass(frozen=True)
class Rejection:
    """Why an answer is left out: the key that it fails, by its path, and whether it lacks it."""

    path: tuple[int, ...]
    lacking: bool

    def __str__(self) -> str:
        names = " in ".join(tag_name(tag) for tag in reversed(self.path))
        return f"{names} is missing" if self.lacking else names


def identifier(item: QueryItem) -> Dataset:
    """The data set to send, without SpecificCharacterSet.

    Raises:
        PermanentError: a value that its VR cannot hold; the error names the tag.
    """
    dataset = Dataset()
    for key in item.keys:
        # The same tag may stand twice with two conditions; one value goes out.
        if key.tag not in dataset or not is_empty(key.value):
            dataset.add(_element(key))
    for sequence in item.sequences:
        dataset.add(DataElement(sequence.tag, "SQ", [identifier(one) for one in sequence.items]))
    return dataset


def is_identifier(tag: int) -> bool:
    """Whether a tag says which patient, order or study is meant, and not what it is like: `PatientID`, not a name."""
    return _IDENTIFIER.fullmatch(keyword_for_tag(tag)) is not None


def own_key(element: DataElement) -> QueryKey:
    """A job's own element as a key: sent, not checked.

    An identifier that holds `*` or `?` is checked all the same, for the peer takes these for wildcards (PS3.4
    C.2.2.2.4) and would answer with other patients.
    """
    texts = element.value if element.VM > 1 else [element.value]
    if is_identifier(element.tag) and has_wildcard(str(element.value)):
        literal = tuple(Literal(((str(text), True),), element.VR) for text in texts)
        return QueryKey(element.tag, element.VR, element.value, Condition(literal))
    return QueryKey(element.tag, element.VR, element.value)


def as_keys(dataset: Dataset) -> QueryItem:
    """A data set's elements as keys to send, as `own_key` says."""
    return QueryItem(
        tuple(own_key(element) for element in dataset if element.VR != "SQ"),
        tuple(
            QuerySequence(element.tag, tuple(as_keys(item) for item in element.value or ()))
            for element in dataset
            if element.VR == "SQ"
        ),
    )


def rejection(answer: Dataset, item: QueryItem) -> Rejection | None:
    """The first key that an answer fails, or None.

    What an answer lacks fails every condition, also one that only excludes: nobody knows what it is. Each item of a
    sequence wants one item of the answer's.
    """
    for key in item.keys:
        if key.condition == _NOTHING:
            continue
        if key.tag not in answer:
            return Rejection((key.tag,), lacking=True)
        if not key.condition.admits(values(answer, key.tag)):
            return Rejection((key.tag,), lacking=False)
    for sequence in item.sequences:
        # A missing sequence is one item that lacks every key.
        found = list(answer[sequence.tag].value or ()) if _holds_sequence(answer, sequence.tag) else []
        for wanted in sequence.items:
            failed = [rejection(one, wanted) for one in found or [Dataset()]]
            if None not in failed and failed[0] is not None:
                inner = failed[0]
                return Rejection((sequence.tag, *inner.path), inner.lacking)
    return None


def values(dataset: Dataset, tag: int) -> list[str]:
    """An element's values as text: none when it is missing, one empty text when it is empty."""
    element = dataset.get(Tag(tag))
    if element is None or element.VR == "SQ":
        return []
    if element.VM > 1:
        return ["" if value is None else str(value) for value in element.value]
    if isinstance(element.value, bytes):
        return [element.value.decode("utf-8", "replace").rstrip(" \0")]
    return ["" if element.value is None else str(element.value)]


def asking_also(item: QueryItem, tags: Iterable[int]) -> QueryItem:
    """The item with return keys for what it does not ask for yet."""
    known = item.tags
    more = [QueryKey(tag, dictionary_vr(tag) or "UN") for tag in tags if tag not in known]
    return replace(item, keys=(*item.keys, *more))


def quiet_element(tag: int, vr: str, value: Any) -> DataElement:
    """An element whose value is not checked: pydicom's warnings would tell it to the log.

    Raises:
        ValueError, TypeError: a number that is none.
    """
    return DataElement(tag, vr, value, validation_mode=IGNORE)


def is_empty(value: Any) -> bool:
    """Whether an element with this value has a length of zero."""
    return value is None or str(value) in ("", "[]")


def _holds_sequence(dataset: Dataset, tag: int) -> bool:
    return tag in dataset and dataset[tag].VR == "SQ"


def _element(key: QueryKey) -> DataElement:
    value = None if is_empty(key.value) else key.value
    if key.vr == "SQ":
        return DataElement(key.tag, "SQ", [])
    try:
        if isinstance(value, str) and key.vr in _BINARY_NUMBERS:
            numbers = [float(one) if key.vr in ("FL", "FD") else int(one) for one in value.split("\\")]
            value = numbers if len(numbers) > 1 else numbers[0]
        return quiet_element(key.tag, key.vr, value)
    except (ValueError, TypeError, OverflowError) as error:
        raise PermanentError(
            f"the key {tag_name(key.tag)} cannot be sent: its value is no {key.vr}",
            cause="the value is of another kind than the tag's",
            remedy="correct the Query's text, or what the job's value is made of",
            private=str(value),
        ) from error
