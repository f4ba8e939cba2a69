"""ParseJobFileName and ParseJobTextFile: take values out of the job's name or text by regular expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import regex

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, common
from dicomprinter.actions.tags.dcm import OLD_TAG, check_takes_text, resolve_vr
from dicomprinter.config.kinds import BOOLEAN, PATTERN, SETTABLE_TAG, TEMPLATE, TEXT, Kind, choice
from dicomprinter.config.placeholders import Template
from dicomprinter.config.spec import Attribute, Child, Spec, optional
from dicomprinter.dicom.tags import tag_name

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node, Position
    from dicomprinter.dicom.tags import Tag
    from dicomprinter.job.job import Job

_PATIENT_NAME = 0x00100010
BACK_REFERENCE = re.compile(r"\\(\d)")
_LANGUAGES = re.compile(r"[A-Za-z0-9_/]+(?:\+[A-Za-z0-9_/]+)*")


@dataclass(frozen=True)
class Expression:
    r"""What a tag is taken from.

    Args:
        pattern: searched in the name, or in each line of the text.
        replacement: what the match becomes; `\1` is its first group. Placeholders are filled in first.
        transform: None, ToUpper or ToLower.
        mandatory: whether the action fails when the tag gets no value.
        allow_empty: whether an empty value counts.
        whole_text: the pattern sees the whole text, not a line: it says `(?s)`.
        position: where the pattern stands.
    """

    tag: Tag
    vr: str
    pattern: regex.Pattern[str]
    replacement: Template
    transform: str
    mandatory: bool
    allow_empty: bool
    whole_text: bool
    position: Position


def _pattern_or_none(text: str) -> Any:
    return PATTERN.parse(text) if text else None


def _groups(text: str) -> tuple[int, ...]:
    numbers = tuple(part.strip() for part in text.split(","))
    if not all(number.isdecimal() and 1 <= int(number) <= 9 for number in numbers):
        raise ValueError(f'"{text}" is not a list of group numbers; write it like 1 or 1,2 (1 to 9)')
    return tuple(int(number) for number in numbers)


def _language(text: str) -> str:
    if not _LANGUAGES.fullmatch(text):
        raise ValueError(f'"{text}" is no language; write what tesseract calls it, as eng or deu+eng')
    return text


def _check_group(node: Node, report: Report) -> None:
    if node["group"] is not None and node["replacePattern"] is not None:
        report.warn(
            node.position, f"{node.said} has a group, which has no effect beside replacePattern", "keep one of them"
        )


LANGUAGE = Kind("a language as tesseract calls it", _language)
TRANSFORM = choice("None", "ToUpper", "ToLower")
DCM_TAG = Spec(
    "DcmTag",
    attributes=(
        Attribute("tag", SETTABLE_TAG, required=True, doc="the tag that gets the value"),
        Attribute("group", Kind("group numbers, 1 or 1,2", _groups), doc="the groups of <Pattern>, joined by ^"),
        Attribute("mandatory", BOOLEAN, default=False, doc="whether the action fails without a value"),
        Attribute("replacePattern", TEMPLATE, doc=r"what the match becomes; \1 is its first group"),
        Attribute("transform", TRANSFORM, doc="what is done to the letters at last"),
        Attribute("caseSensitive", BOOLEAN, doc="whether upper and lower case differ"),
        Attribute("allowEmpty", BOOLEAN, default=False, doc="whether an empty value is written"),
    ),
    text=Kind("a regular expression", _pattern_or_none),
    checks=(check_takes_text, _check_group),
    doc="a tag and its expression; without one that of <Pattern>",
)


def _replacement(tag: Node, default: Template) -> Template:
    replacement: Template | None = tag["replacePattern"]
    if replacement is not None:
        return replacement
    groups: tuple[int, ...] | None = tag["group"]
    if groups is None:
        return default
    # A name is written given name first, family name last; DICOM wants the family name first (PS3.5 6.2.1).
    if int(tag["tag"]) == _PATIENT_NAME and list(groups) == sorted(groups):
        groups = (groups[-1], *groups[:-1])
    return Template.parse("^".join(f"\\{group}" for group in groups))


def _check_pattern(node: Node, report: Report) -> None:
    shared = node.child("Pattern")
    has_tags = node.count("DcmTag") > 0
    if shared is not None and has_tags and all(tag.value is not None for tag in node.all("DcmTag")):
        report.warn(shared.position, "<Pattern> has no effect", "every <DcmTag> has an expression of its own")


def _check_tags(node: Node, report: Report) -> None:
    for tag in node.all("DcmTag"):
        report.attempt(partial(_check_groups, node), tag)


def _check_groups(action: Node, node: Node, report: Report) -> None:
    pattern = node.value or action.content("Pattern")
    if pattern is None:
        report.error(node.position, f"{node.said} has no expression", "write one into it, or a <Pattern> beside it")
        return
    wanted = {int(group) for group in BACK_REFERENCE.findall(_replacement(node, action[_DEFAULT]).source)}
    highest = max(wanted | set(node["group"] or ()), default=0)
    if highest > pattern.groups:
        report.error(
            node.position,
            f"the expression for {tag_name(node['tag'])} has {pattern.groups} groups, group {highest} is asked for",
            "put ( ) around what is wanted, or correct the number",
        )


_DEFAULT = "defaultReplacePattern"


def _declare(name: str, doc: str, *more: Attribute) -> Spec:
    return Spec(
        name,
        attributes=(
            NAME_ATTRIBUTE,
            ON_ERROR_ATTRIBUTE,
            Attribute(_DEFAULT, TEMPLATE, default=Template.parse("\\1"), doc="replacePattern of tags without one"),
            Attribute("defaultTransformation", TRANSFORM, default="None", doc="transform of tags without one"),
            Attribute("defaultCaseSensitive", BOOLEAN, default=True, doc="caseSensitive of tags without one"),
            Attribute(
                "matchPolicy",
                choice("lastMatch", "firstMatch"),
                default="lastMatch",
                doc="firstMatch: the first listed expression that matches anywhere wins",
            ),
            *more,
            Attribute("mandatory", TEXT, ignored="say it on each <DcmTag>"),
        ),
        children=(
            optional("Pattern", PATTERN, "one expression for all tags that have none of their own"),
            Child(DCM_TAG, least=1, most=None, old=OLD_TAG),
        ),
        checks=(_check_pattern, _check_tags),
        doc=doc,
    )


@dataclass(frozen=True)
class Parse(Action):
    """What both parsing actions have."""

    expressions: tuple[Expression, ...]
    first_match: bool


def _shared(node: Node) -> dict[str, Any]:
    """What both have of their elements."""
    return {
        "expressions": tuple(_read_expression(tag, node) for tag in node.all("DcmTag")),
        "first_match": node["matchPolicy"] == "firstMatch",
    }


def _read_expression(tag: Node, action: Node) -> Expression:
    holder = tag if tag.value is not None else next(action.all("Pattern"))
    pattern: regex.Pattern[str] = holder.value
    sensitive = action["defaultCaseSensitive"] if tag["caseSensitive"] is None else tag["caseSensitive"]
    return Expression(
        tag=tag["tag"],
        vr=resolve_vr(tag["tag"], None),
        pattern=pattern if sensitive else regex.compile(pattern.pattern, pattern.flags | regex.IGNORECASE),
        replacement=_replacement(tag, action[_DEFAULT]),
        transform=tag["transform"] or action["defaultTransformation"],
        mandatory=tag["mandatory"],
        allow_empty=tag["allowEmpty"],
        whole_text=bool(pattern.flags & regex.DOTALL),
        position=holder.position,
    )


@dataclass(frozen=True)
class ParseJobFileName(Parse):
    """Takes values out of the job's name."""

    spec = _declare("ParseJobFileName", "take values out of the job's name")

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(*common(node), **_shared(node))

    def perform(self, job: Job, tools: Tools) -> None:
        """Search the job's name: a print's title, or a file's path below the watched folder with its ending.

        Raises:
            PermanentError: a mandatory tag has no value, an expression takes too long, or a value does not fit its tag.
        """
        from dicomprinter.actions.parse.performing import take_values

        take_values(self, job.facts.name, job, "the job's name does not match, or gives an empty value")


@dataclass(frozen=True)
class ParseJobTextFile(Parse):
    """Takes values out of the job's text, line by line."""

    spec = _declare(
        "ParseJobTextFile",
        "take values out of the job's text, line by line",
        Attribute("ocr", BOOLEAN, default=False, doc="whether pages without text are read by tesseract"),
        Attribute("ocrLanguage", LANGUAGE, default="eng", doc="what tesseract calls the language of the pages"),
    )

    ocr: bool
    language: str

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(*common(node), **_shared(node), ocr=node["ocr"], language=node["ocrLanguage"])

    def perform(self, job: Job, tools: Tools) -> None:
        """Search the job's text: the text layer of its PDFs, else the text beside its pages, else what can be read.

        Raises:
            TransientError: the decoder cannot be started, or the program that reads pages needs too long.
            PermanentError: a mandatory tag has no value, an expression takes too long, a value does not fit its tag,
                or a PDF cannot be read.
        """
        from dicomprinter.actions.parse.job_text import job_text
        from dicomprinter.actions.parse.ocr import Ocr
        from dicomprinter.actions.parse.performing import take_values

        needed = any(one.mandatory for one in self.expressions)
        ocr = Ocr(self.name, job, tools, self.language, needed) if self.ocr else None
        text = job_text(job, tools, ocr)
        if not text.strip():
            job.note(f"{self.name}: the job has no text", level="WARN")
        reason = "no line of the text matches, or gives more than an empty value" if text.strip() else "it has no text"
        take_values(self, text, job, reason)
