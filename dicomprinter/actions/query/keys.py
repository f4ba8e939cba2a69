"""DcmTag, DcmItem and DcmSequence of a Query: what is asked for and what an answer must match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import regex

from dicomprinter.actions.tags.dcm import (
    OLD_TAG,
    TAG_NAME_ATTRIBUTE,
    VR_ATTRIBUTE,
    check_no_sequence,
    check_sequence,
    check_tag,
    container_dialect,
    resolve_vr,
    sequence_dialect,
    tag_dialect,
)
from dicomprinter.config.kinds import BOOLEAN, PATTERN, TAG, Kind, choice
from dicomprinter.config.placeholders import Template
from dicomprinter.config.spec import Attribute, Child, Spec
from dicomprinter.dicom.pcre import compiled
from dicomprinter.dicom.query.filter import has_wildcard, range_problem

if TYPE_CHECKING:
    from dicomprinter.config.placeholders import Source
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.dicom.tags import Tag

_EXAMPLES = {"DA": "20260101-20260115", "TM": "0800-1200", "DT": "20260101-20260115", "IS": "1-999", "DS": "0.5-1.5"}


@dataclass(frozen=True)
class KeyPart:
    """One alternative of a key.

    Args:
        text: the value or expression, without the `!`.
        excluded: an answer that matches it is rejected (`!`).
        is_pattern: it is a regular expression (`^`).
    """

    text: Template
    excluded: bool
    is_pattern: bool

    def compile(self, source: Source, place: str) -> regex.Pattern[str]:
        """The expression for a job, which ignores case; what the job fills in stands for itself."""
        filled = ""
        for index, part in enumerate(self.text.parts):
            filled += part if isinstance(part, str) else regex.escape(part.expand(source, f"{place}#{index}") or "")
        return compiled(filled, ignore_case=True)


@dataclass(frozen=True)
class KeyText:
    """A key's text, whole and by its parts; no text has no parts."""

    template: Template
    parts: tuple[KeyPart, ...]

    @property
    def is_pattern(self) -> bool:
        """Whether it goes out empty and is applied here alone: `!`, `|` or `^` in the file."""
        return len(self.parts) > 1 or any(part.excluded or part.is_pattern for part in self.parts)

    @classmethod
    def parse(cls, text: str) -> KeyText:
        """Read a key's text.

        A part that begins with `^` reaches to the next `|!`, so that an expression may hold `|` of its own.

        Raises:
            ValueError: an expression that is none, an empty part, or an unknown placeholder.
        """
        template = Template.parse(text)
        return cls(template, tuple(_part(piece) for piece in _split(text)))


@dataclass(frozen=True)
class Key:
    """A tag to ask for; `local` keeps its text from going out."""

    tag: Tag
    vr: str
    name: str
    text: KeyText
    local: bool


@dataclass(frozen=True)
class KeyItem:
    """What some item of the answer's sequence must match."""

    keys: tuple[Key, ...]
    sequences: tuple[KeySequence, ...]


@dataclass(frozen=True)
class KeySequence:
    """A sequence to ask for; `persist` copies the answer's into the job."""

    tag: Tag
    name: str
    items: tuple[KeyItem, ...]
    persist: bool


def _split(text: str) -> list[str]:
    pieces = []
    rest: str | None = text or None
    while rest is not None:
        separator = "|!" if rest.lstrip("! ").startswith("^") else "|"
        end = rest.find(separator)
        pieces.append(rest if end < 0 else rest[:end])
        rest = None if end < 0 else rest[end + 1 :]
    return pieces


def _part(piece: str) -> KeyPart:
    text = piece.strip()
    excluded = text.startswith("!")
    text = text.removeprefix("!").strip()
    if not text:
        raise ValueError(f'"{piece}" is an empty alternative; take away the "|" or "!" too many')
    template = Template.parse(text)
    if text.startswith("^"):
        sample = "".join(part if isinstance(part, str) else "0" for part in template.parts)
        PATTERN.parse(sample)
    return KeyPart(template, excluded, text.startswith("^"))


KEY = Kind("a value, with placeholders and !, |, ^, *, ? or a range", KeyText.parse)


def _check_key(node: Node, report: Report) -> None:
    tag: Tag = node["tag"]
    check_tag(tag, node["vr"], node.position, report)
    check_no_sequence(tag, node["vr"], node.text, node.position, report)
    vr = resolve_vr(tag, node["vr"])
    if vr not in _EXAMPLES:
        return
    for part in node.value.parts:
        source = part.text.source
        if part.is_pattern or not part.text.is_literal or has_wildcard(source):
            continue
        problem = range_problem(source, vr)
        if problem:
            report.error(node.position, f"{node.labels['']}: {problem}", f"write it like {_EXAMPLES[vr]}")


KEY_TAG = Spec(
    "DcmTag",
    attributes=(
        Attribute("tag", TAG, required=True, doc="the tag to ask for"),
        VR_ATTRIBUTE,
        TAG_NAME_ATTRIBUTE,
        Attribute("match", choice("both", "local"), default="both", doc="local: the text is applied here, not sent"),
    ),
    text=KEY,
    dialect=tag_dialect,
    checks=(_check_key,),
    doc="a key; without a text the job's value, else a return key",
)
KEY_ITEM = Spec(
    "DcmItem",
    children=(Child(KEY_TAG, most=None, old=OLD_TAG), Child(lambda: KEY_SEQUENCE, most=None)),
    dialect=container_dialect,
    doc="what some item of the answer must match",
)
KEY_SEQUENCE: Spec = Spec(
    "DcmSequence",
    attributes=(
        Attribute("tag", TAG, required=True, doc="the sequence to ask for"),
        Attribute("vr", choice("SQ"), doc="SQ, nothing else"),
        TAG_NAME_ATTRIBUTE,
        Attribute("persist", BOOLEAN, default=False, doc="whether the answer's sequence is copied into the job"),
    ),
    children=(Child(KEY_ITEM, most=None),),
    dialect=sequence_dialect,
    checks=(check_sequence,),
    doc="a sequence to ask for",
)
# What a Query's own element holds; its dialect calls `container_dialect`.
KEY_CHILDREN = (Child(KEY_TAG, most=None, old=OLD_TAG), Child(KEY_SEQUENCE, most=None))


def read_keys(node: Node) -> KeyItem:
    """The keys of a checked Query or of a DcmItem in it."""
    return KeyItem(
        tuple(_read_key(child) for child in node.all("DcmTag")),
        tuple(_read_sequence(child) for child in node.all("DcmSequence")),
    )


def _read_key(node: Node) -> Key:
    vr = resolve_vr(node["tag"], node["vr"])
    return Key(node["tag"], vr, node["tagName"], node.value, node["match"] == "local")


def _read_sequence(node: Node) -> KeySequence:
    items = tuple(read_keys(child) for child in node.all("DcmItem"))
    return KeySequence(node["tag"], node["tagName"], items, node["persist"])
