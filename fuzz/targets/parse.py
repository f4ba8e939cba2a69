"""Expressions of a site and texts of anybody: what is searched comes to an end, and no message holds a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import regex
from hypothesis import strategies as st
from pydicom import Dataset

from dicomprinter.actions.parse.action import Expression, ParseJobTextFile
from dicomprinter.actions.parse.performing import found_values
from dicomprinter.actions.tags.setting import set_cleaned
from dicomprinter.config.placeholders import Template
from dicomprinter.config.tree import Position
from dicomprinter.dicom.pcre import compiled
from dicomprinter.dicom.tags import parse_tag
from dicomprinter.errors import PermanentError
from fuzz.drawing import CANARY, check_public
from fuzz.target import Target

_SECONDS: Final = 0.02
_TAGS: Final = (("PatientID", "LO"), ("PatientName", "PN"), ("StudyDate", "DA"), ("ImageComments", "LT"))
_PATTERNS: Final = (
    *("(a+)+$", "(a|aa)+$", "(a|a)*?$", r"(.*)*\1$", r"(?:(?:a?){20}){20}a{99}", r"(?<=(a|aa)+)b", "(?i)(A+)+B"),
    *(
        r"(?s)(.*?),(.*?),(.*?),(.*?)z",
        r"(?R)?a",
        r"(a|b(?1)c)*d",
        r"(?|(a)|(b))+\1",
        r"(?<n>a)\k<n>\g{-1}",
        r"\w+\s*:",
    ),
    *(
        r"\QID:\E\s*(\d+)",
        r"[[:alpha:]]+\h\R",
        r"(?>a*)b|a*+c",
        r"(?(?=a)a|b)(?(DEFINE)(?<x>.))(?&x)",
        r"((a{1,30}){1,30})+c",
    ),
)


class _Job:
    """What a job says of placeholders."""

    def tag_text(self, tag: int) -> str | None:
        return r"\1" if tag % 2 == 0 else None

    def fact(self, _name: str) -> str:
        return CANARY

    def fresh_uid(self, _place: str) -> str:
        return "2.25.1"

    def note(self, message: str, **_more: object) -> None:
        assert CANARY not in message


def _run(data: bytes) -> None:
    expression, replacement, text = (*data.decode("utf-8", "replace").split("\0", 2), "", "")[:3]
    try:
        pattern = compiled(expression)
        filled = Template.parse(replacement)
    except ValueError:
        return
    if any(int(one) > pattern.groups for one in regex.findall(r"\\(\d)", replacement)):
        return
    place = Position(1, 1)
    whole = bool(pattern.flags & regex.DOTALL)
    expressions = tuple(
        Expression(parse_tag(name), vr, pattern, filled, "ToUpper", False, number % 2 == 0, whole, place)
        for number, (name, vr) in enumerate(_TAGS)
    )
    job: Any = _Job()
    dataset = Dataset()
    try:
        action = ParseJobTextFile("P", place, None, expressions, first_match=len(text) % 2 == 0, ocr=False, language="")
        for tag, one in found_values(action, text, job, _SECONDS).items():
            for note in set_cleaned(dataset, tag, one.vr, one.value):
                assert CANARY not in note
    except PermanentError as error:
        check_public(error)


def _seeds() -> Iterator[bytes]:
    for number, pattern in enumerate(_PATTERNS):
        replacement = (r"\0", "#{PatientName}x", "", r"#{Job.Name}^\0")[number % 4]
        text = f"{'a' * 40}b\nID: 4711, {CANARY}\r\n,,,,{'ab' * 20}"
        yield f"{pattern}\0{replacement}\0{text}".encode()


def _inputs() -> st.SearchStrategy[bytes]:
    atoms = st.sampled_from(
        ["a", "b", ".", r"\w", r"\s", "[ab]", "[^a]", r"\1", "^", "$", r"\b", "é", r"\R", r"(?1)", r"\Q(\E"]
    )
    repeats = st.sampled_from(["", "*", "+", "?", "*?", "++", "{2,30}", "{1,}"])
    opens = st.sampled_from(["(", "(?:", "(?>", "(?=", "(?<=", "(?<!", "(?i:", "(?|", "(?<n>"])

    def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        group = st.builds("{}{}|{}){}".format, opens, inner, inner, repeats)
        return group | st.builds("{}{}".format, inner, inner)

    patterns = st.recursive(st.builds("{}{}".format, atoms, repeats), deeper, max_leaves=8)
    texts = st.text(st.sampled_from("ab1 ,:\n\r\u2028é"), max_size=30).map(lambda text: text * 3)
    replacements = st.sampled_from([r"\0", r"\1", r"\1^\0", "#{PatientID}", ""])
    return st.builds("{}\0{}\0{}".format, patterns, replacements, texts).map(
        lambda text: text.encode("utf-8", "replace")
    )


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=20_000,
    structured=3_000,
    words=(b"(?", b"(?<=", b")+", b"{1,30}", b"\\1", b"\0", b"(?s)", b"\\Q", b"[[:", b"(?|"),
    longest=512,
)
