"""Performs the parsing actions: expressions are searched line by line, and what they find goes into the dataset."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom import Dataset

from dicomprinter.actions.parse.action import BACK_REFERENCE
from dicomprinter.actions.tags.setting import set_cleaned, settle
from dicomprinter.dicom.expressions import Searcher
from dicomprinter.dicom.sensitive import told
from dicomprinter.dicom.tags import Tag, tag_name
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import regex

    from dicomprinter.actions.parse.action import Expression, Parse
    from dicomprinter.config.placeholders import Template
    from dicomprinter.job.job import Job


@dataclass(frozen=True)
class Found:
    """A value, and where it was found: the line, from 0, and the place of its expression in the action."""

    line: int
    order: int
    value: str
    vr: str


def take_values(action: Parse, text: str, job: Job, nothing: str) -> None:
    """Search a text with an action's expressions and set the tags that they give a value.

    Args:
        action: the action.
        text: what is searched.
        job: whose tags are set.
        nothing: why a mandatory tag may have got no value.

    Raises:
        PermanentError: a mandatory tag has no value, an expression takes too long, or a value does not fit its tag.
    """
    found = found_values(action, text, job)
    missing = {one.tag: one for one in action.expressions if one.mandatory and one.tag not in found}
    if missing:
        lines = " and ".join(str(one.position.line) for one in missing.values())
        raise PermanentError(
            f"{action.name} found no value for {' and '.join(map(tag_name, missing))}",
            cause=nothing,
            remedy=f'look at the expression in line {lines} of the configuration, or say mandatory="false"',
        )
    dataset = deepcopy(job.dataset)
    for tag, one in found.items():
        for note in set_cleaned(dataset, tag, one.vr, one.value):
            job.note(f"{action.name}: {note}", level="WARN")
    settle(job, dataset, found)
    names = ", ".join(map(tag_name, found)) or "no value"
    values = Dataset()
    for tag in found:
        values.add(dataset[tag])
    # All of it stays private: an expression that is wrong may put a name anywhere.
    job.note(f"{action.name}: found {names}", private=str(told(values)))


def found_values(action: Parse, text: str, job: Job, seconds: float | None = None) -> Mapping[Tag, Found]:
    """What a text holds for each tag that gets a value; `seconds` of processor time are an expression's limit.

    Raises:
        PermanentError: one takes longer.
    """
    lines = text.splitlines()
    found: dict[Tag, Found] = {}
    for order, expression in enumerate(action.expressions):
        before = found.get(expression.tag)
        if action.first_match and before is not None:
            continue
        place = f"{tag_name(expression.tag)} in line {expression.position.line} of the configuration"
        searcher = Searcher(expression.pattern, place, seconds)
        one = _search(action, order, _matches(expression, searcher, lines, text, last=not action.first_match), job)
        if one is not None and (before is None or (one.line, one.order) >= (before.line, before.order)):
            found[expression.tag] = one
    return found


def _search(action: Parse, order: int, matches: Iterator[tuple[int, regex.Match[str]]], job: Job) -> Found | None:
    """The first of an expression's matches with a value; one that is empty counts only where it may be."""
    expression = action.expressions[order]
    place = f"{action.name}/{tag_name(expression.tag)}"
    replacement: Sequence[str | int] | None = None
    for line, match in matches:
        replacement = replacement or _pieces(expression.replacement, job, place)
        value = "".join(piece if isinstance(piece, str) else match[piece] or "" for piece in replacement)
        value = _transformed(value, expression.transform)
        if expression.allow_empty or value.strip():
            return Found(line, order, value, expression.vr)
    return None


def _matches(
    expression: Expression, searcher: Searcher, lines: Sequence[str], text: str, *, last: bool
) -> Iterator[tuple[int, regex.Match[str]]]:
    """Where an expression matches, each with its line; `last`: the last line comes first."""
    if expression.whole_text:
        match = searcher.first(text)
        if match is not None:
            # The sign after what is before it is of the line in which it begins.
            yield len(f"{text[: match.start()]}.".splitlines()) - 1, match
        return
    numbered = list(enumerate(lines))
    for number, line in reversed(numbered) if last else numbered:
        match = searcher.first(line)
        if match is not None:
            yield number, match


def _pieces(replacement: Template, job: Job, place: str) -> Sequence[str | int]:
    r"""What a match becomes: texts, and the numbers of groups. What a placeholder brings has no `\1`."""
    found: list[str | int] = []
    for index, part in enumerate(replacement.parts):
        if isinstance(part, str):
            pieces = BACK_REFERENCE.split(part)
            found += (int(piece) if number % 2 else piece for number, piece in enumerate(pieces))
            continue
        value = part.expand(job, f"{place}#{index}")
        if value is None:
            job.note(f"{place}: the job has no value for #{{{part.text}}}; it is left empty", level="WARN")
        found.append(value or "")
    return found


def _transformed(value: str, transform: str) -> str:
    match transform:
        case "ToUpper":
            return value.upper()
        case "ToLower":
            return value.lower()
    return value
