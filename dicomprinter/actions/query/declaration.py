"""What the element `<Query>` may hold, and what no single value of it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE
from dicomprinter.actions.connection import CONNECTION_PARAMETERS, connection_dialect
from dicomprinter.actions.query.keys import KEY_CHILDREN, KeyItem
from dicomprinter.actions.tags.dcm import container_dialect
from dicomprinter.config.kinds import BOOLEAN, CHARACTER_SET, Kind, choice
from dicomprinter.config.spec import Attribute, Child, Spec
from dicomprinter.dicom.query.filter import has_wildcard, split_range
from dicomprinter.dicom.query.steps import STEP_ALIASES, STEP_DATE, STEPS
from dicomprinter.dicom.tags import parse_tag, tag_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dicomprinter.actions.query.keys import Key, KeySequence
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Element, Node
    from dicomprinter.dicom.query.answer import Order


class Model(Enum):
    """The information model that is asked, by the word of the file."""

    WORKLIST = "Worklist"
    STUDY = "Study"
    PATIENT = "Patient"
    MANUAL = "Manual"


class Select(Enum):
    """Which of several answers is taken."""

    FIRST = "first"
    LAST = "last"


# PS3.4 C.6.1.1 and C.6.2.1: the levels of each model, the top one first.
LEVELS: Final = {
    Model.PATIENT: ("PATIENT", "STUDY", "SERIES", "IMAGE"),
    Model.STUDY: ("STUDY", "SERIES", "IMAGE"),
}
UNIQUE_KEYS: Final[dict[str, int]] = {
    "PATIENT": parse_tag("PatientID"),
    "STUDY": parse_tag("StudyInstanceUID"),
    "SERIES": parse_tag("SeriesInstanceUID"),
    "IMAGE": parse_tag("SOPInstanceUID"),
}
# The query itself says these.
OWN_TAGS: Final = frozenset({parse_tag("SpecificCharacterSet"), parse_tag("QueryRetrieveLevel")})


@dataclass(frozen=True)
class Wishes:
    """What a Query asks, and how it chooses; `level` is what the file says, `level_asked` what goes out."""

    model: Model
    level: str
    keys: KeyItem
    select: Select | None
    order: tuple[Order, ...]
    has_peer: bool

    @property
    def level_asked(self) -> str:
        """The level, the model's top one when unsaid; empty where the model has none."""
        levels = LEVELS.get(self.model)
        return (self.level or levels[0]) if levels else ""


# A tag's own comma separates nothing.
_CLAUSE: Final = re.compile(
    r"\s*(\(?\s*[0-9A-Fa-f]{1,4}\s*,\s*[0-9A-Fa-f]{1,4}\s*\)?|[^\s,]*)(?:\s+(asc|desc))?\s*(,|$)", re.IGNORECASE
)


def _order(text: str) -> tuple[Order, ...]:
    """`StudyDate desc, (0008,0030)`: tags with their direction, ascending when unsaid."""
    found: list[Order] = []
    end = 0
    while True:
        clause = _CLAUSE.match(text, end)
        if clause is None or not clause[1]:
            raise ValueError(f'"{text[end:].strip()}" is not a tag with asc or desc; write it like "StudyDate desc"')
        found.append((parse_tag(clause[1]), (clause[2] or "").lower() == "desc"))
        if not clause[3]:
            return tuple(found)
        end = clause.end()


_OPTIONS: Final = (
    Attribute("type", choice(*(model.value for model in Model)), default="Study", doc="what is asked; Study"),
    Attribute("level", choice(*UNIQUE_KEYS), doc="for Study and Patient; the model's top level"),
    Attribute("select", choice(*(one.value for one in Select)), doc="which of several answers is taken; none"),
    Attribute(
        "order-by",
        Kind("tags, each with asc or desc", _order),
        default=(),
        doc='how several answers are sorted, such as "StudyDate desc, StudyTime desc"',
        old=("orderBy",),
    ),
    Attribute(
        "force-assignment",
        BOOLEAN,
        default=False,
        doc='older files: true means select="first"',
        old=("forceAssignment",),
    ),
    Attribute("forcePeerAe", BOOLEAN, default=False, doc="Worklist: send the job's station AE title as a key"),
    Attribute("show", BOOLEAN, default=True, doc="whether operators' lists offer this query"),
    Attribute(
        "characterSet",
        CHARACTER_SET,
        default="",
        doc="for a peer that forgets to say the character set of its answers",
    ),
)
_CHILDREN: Final = (Child(CONNECTION_PARAMETERS), *KEY_CHILDREN)


def _dialect(element: Element, report: Report) -> None:
    connection_dialect(element, report)
    container_dialect(element, report)


def query_spec(*checks: Callable[[Node, Report], None]) -> Spec:
    """The action's element."""
    return Spec(
        "Query",
        attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, *_OPTIONS),
        children=_CHILDREN,
        dialect=_dialect,
        checks=checks,
        doc="ask a worklist or an archive, and copy the answer into the job",
    )


# Inside a Perform: what it names replaces the action's own, for this execution.
CHANGES: Final = Spec(
    "Query",
    attributes=_OPTIONS,
    children=_CHILDREN,
    dialect=_dialect,
    doc="parts of a Query that this execution changes",
)


def merged_keys(keys: KeyItem, changes: KeyItem) -> KeyItem:
    """The keys with the changes: each replaces those of its tag, or is added."""
    changed = {key.tag for key in changes.keys} | {sequence.tag for sequence in changes.sequences}
    return KeyItem(
        (*(key for key in keys.keys if key.tag not in changed), *changes.keys),
        (*(one for one in keys.sequences if one.tag not in changed), *changes.sequences),
    )


@dataclass(frozen=True)
class Remark:
    """Something wrong with a Query, or worth a word."""

    message: str
    suggestion: str = ""
    is_error: bool = True


def remarks(wishes: Wishes) -> Iterator[Remark]:
    """Everything about a Query that no single value of it shows."""
    yield from about_connection(wishes.model, has_peer=wishes.has_peer)
    yield from about_level(wishes.model, wishes.level, wishes.keys)
    yield from about_keys(wishes.model, wishes.keys)
    yield from about_order(wishes.order, wishes.select)


def about_connection(model: Model, *, has_peer: bool) -> Iterator[Remark]:
    """Only a Manual one asks nobody."""
    if model is not Model.MANUAL and not has_peer:
        yield Remark("<Query> needs <ConnectionParameters>", 'say whom to ask, or type="Manual"')


def about_level(model: Model, level: str, keys: KeyItem) -> Iterator[Remark]:
    """Which levels a model has, and what each needs (PS3.4 C.4.1.2.1); an empty level is unsaid."""
    levels = LEVELS.get(model)
    if levels is None:
        if level:
            yield Remark(f'level has no effect with type="{model.value}"', "take it away", is_error=False)
        return
    asked = level or levels[0]
    if asked not in levels:
        yield Remark(f'type="{model.value}" has no level {asked}', f"choose one of {', '.join(levels)}")
        return
    for parent in levels[: levels.index(asked)]:
        for key in keys.keys:
            if key.tag == UNIQUE_KEYS[parent] and not _is_single(key):
                yield Remark(
                    f"at level {asked}, {tag_name(key.tag)} must be a single value", "give one value, or a placeholder"
                )


def about_order(order: tuple[Order, ...], select: Select | None) -> Iterator[Remark]:
    """Sorting is for choosing."""
    if order and select is None:
        yield Remark("order-by has no effect without select", 'add select="first" or select="last"', is_error=False)


def about_keys(model: Model, keys: KeyItem) -> Iterator[Remark]:
    """Keys that other things of the query say."""
    if model is Model.WORKLIST:
        yield from _about_steps(keys)
    for key in keys.keys:
        if key.tag in OWN_TAGS:
            yield Remark(f"{tag_name(key.tag)} has no effect: the query sets it", "take it away", is_error=False)


def _is_single(key: Key) -> bool:
    text = key.text.template.source
    return not (
        key.text.is_pattern or key.local or has_wildcard(text) or "\\" in text or split_range(text, key.vr) is not None
    )


def _about_steps(keys: KeyItem) -> Iterator[Remark]:
    steps = next((sequence for sequence in keys.sequences if sequence.tag == STEPS), None)
    if steps is None:
        return
    inside = _tags_of_first_item(steps)
    for key in keys.keys:
        step_tag = STEP_ALIASES.get(key.tag)
        if step_tag == STEP_DATE and any(part.excluded for part in key.text.parts):
            yield Remark(
                f"{tag_name(key.tag)} excludes dates beside an explicit {tag_name(STEPS)}",
                f"put the exclusion into its <DcmItem>, as {tag_name(STEP_DATE)}",
            )
        elif step_tag in inside:
            yield Remark(
                f"{tag_name(key.tag)} has no effect: {tag_name(STEPS)} holds {tag_name(step_tag)}",
                "take one of them away",
                is_error=False,
            )


def _tags_of_first_item(sequence: KeySequence) -> frozenset[int]:
    if not sequence.items:
        return frozenset()
    first = sequence.items[0]
    return frozenset({key.tag for key in first.keys} | {one.tag for one in first.sequences})
