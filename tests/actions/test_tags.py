"""What a file may say of tags that take a text, and of a Query's dates, times and numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.actions.rows_pages import rotate, run
from tests.actions.rows_set_tag import several
from tests.actions.rows_tags import key
from tests.actions.test_elements import load


def parsed(tag: str) -> str:
    return f'<ParseJobFileName name="A"><DcmTag tag="{tag}">(a)</DcmTag></ParseJobFileName>'


def put_out(tag: str) -> str:
    return run(f'<Output tag="{tag}"/>')


def given(tag: str) -> str:
    return several(f'<DcmTag tag="{tag}">x</DcmTag>')


@pytest.mark.parametrize("wrap", [parsed, put_out, given], ids=["Parse", "Run", "SetTag"])
@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("0009,0005", "is not a private tag (PS3.5 7.8.1); use gggg,1000"),
        ("0001,1000", "is not a private tag (PS3.5 7.8.1); use gggg,1000"),
        ("0010,9999", "the dictionary does not know (0010,9999); correct it"),
        ("0008,0099", "the dictionary does not know (0008,0099); correct it"),
        ("0032,1064", "is a sequence and takes no text"),
    ],
)
def test_every_action_refuses_the_same_tags(wrap: Callable[[str], str], tag: str, words: str) -> None:
    _, report, _ = load(wrap(tag))
    assert [words in f"{message}; {way_out}" for _, message, way_out in report.errors] == [True]


@pytest.mark.parametrize("wrap", [parsed, put_out], ids=["Parse", "Run"])
def test_no_vr_is_asked_for_where_none_can_be_said(wrap: Callable[[str], str]) -> None:
    for tag in ("0009,1001", "0009,0010", "PatientID"):
        report = load(wrap(tag))[1]
        assert (report.errors, report.warnings) == ([], [])
    (unknown,) = load(wrap("0010,9999"))[1].errors
    assert "vr" not in unknown[2]


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("StudyTime", "08:00"),
        ("StudyTime", "08:00-0930"),
        ("StudyDate", "2026.01.01"),
        ("StudyDate", "!2026.01.01-20260131"),
        ("SeriesNumber", "-2147483648"),
    ],
)
def test_a_key_may_be_what_is_understood_later(tag: str, text: str) -> None:
    assert load(key(text, f'tag="{tag}"'))[1].errors == []


@pytest.mark.parametrize(
    ("tag", "text", "words"),
    [
        ("SeriesNumber", "1.5", "neither a IS"),
        ("SeriesNumber", "1e3", "neither a IS"),
        ("SeriesNumber", "1|12345678901234", "neither a IS"),
        ("AcquisitionDateTime", "2027-2026", "ends before it begins"),
        ("StudyTime", "09:30-0800", "ends before it begins"),
    ],
)
def test_a_key_that_no_value_can_match_is_refused(tag: str, text: str, words: str) -> None:
    assert [words in message for _, message, _ in load(key(text, f'tag="{tag}"'))[1].errors] == [True]


@pytest.mark.parametrize("angle", ["9_0", "1e2", "٩٠", "9" * 19])
def test_an_angle_is_plain_digits(angle: str) -> None:
    assert ["multiple of 90" in message for _, message, _ in load(rotate(f"<Angle>{angle}</Angle>"))[1].errors] == [
        True
    ]


def test_what_a_run_cannot_use_is_refused() -> None:
    for inner, words in (
        ("<Timeout>0</Timeout>", "stops the program at once"),
        ("<Environment>JAVA_HOME=x</Environment>", "no list of names of variables"),
    ):
        _, report, _ = load(f'<Run name="A"><Command>c</Command>{inner}</Run>')
        assert [words in message for _, message, _ in report.errors] == [True]
