"""`#{…}`: every form, what it becomes for a job, and what is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomprinter.config.placeholders import FACTS, FILES, MOMENTS, Placeholder, Template
from dicomprinter.errors import PermanentError

NOW = datetime(2026, 3, 1, 7, 5, 9)


@dataclass
class Source:
    """A job of the first of March with a patient, that notes where UIDs were asked for."""

    now: datetime = NOW
    places: list[str] = field(default_factory=list)

    def moment(self) -> datetime:
        return self.now

    def fact(self, name: str) -> str:
        return f"<{name}>"

    def tag_text(self, tag: int) -> str | None:
        return {0x00100020: "P1", 0x00100010: "Doe^Jane", 0x00100040: ""}.get(tag)

    def fresh_uid(self, place: str) -> str:
        self.places.append(place)
        return f"2.25.{len(self.places)}"


def filled(text: str) -> str:
    return Template.parse(text).expand(Source(), "here")[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("#{PatientID}", "P1"),
        ("#{patientid}", "P1"),
        ("#{ PatientID }", "P1"),
        ("#{0010,0020}", "P1"),
        ("#{(0010,0020)}", "P1"),
        ("#{(10,20)}", "P1"),
        ("#{00100020}", "P1"),
        ("#{0010 , 0020}", "P1"),
        ("#{PatientSex}", ""),
        ("#{Date}", "20260301"),
        ("#{date}", "20260301"),
        ("#{Date,0}", "20260301"),
        ("#{Date,-1}", "20260228"),
        ("#{Date,+1}", "20260302"),
        ("#{Date, 31}", "20260401"),
        ("#{Date,0,0}", "20260301"),
        ("#{Date,-7,0}", "20260222"),
        ("#{Date,0,1}", "20260228-20260302"),
        ("#{Date,-7,7}", "20260215-20260301"),
        ("#{Date , 7 , 7}", "20260301-20260315"),
        ("!#{Date}-", "!20260301-"),
        ("#{Time}", "070509"),
        ("#{Year}/#{Month}/#{Day}", "2026/03/01"),
        ("#{UID}", "2.25.1"),
        *((f"#{{{name}}}", f"<{name}>") for name in (*FACTS, *FILES)),
        ("#{job.name}", "<Job.Name>"),
        ("#{PatientName}_#{PatientID} (#{Time})", "Doe^Jane_P1 (070509)"),
        ("#{PatientID}#{PatientID}", "P1P1"),
        ("# {PatientID} #PatientID {PatientID} }", "# {PatientID} #PatientID {PatientID} }"),
        ("100 % #", "100 % #"),
    ],
)
def test_what_a_value_becomes(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize(("year", "text"), [(9998, "#{Date,99999}"), (9990, "#{Date,0,9999}"), (1, "#{Date,-400}")])
def test_a_date_outside_the_calendar_is_told(year: int, text: str) -> None:
    with pytest.raises(PermanentError, match=f"the year {year}.*clock"):
        Template.parse(text).expand(Source(datetime(year, 5, 1)), "here")


def test_a_tag_that_the_job_lacks_is_empty_and_named() -> None:
    template = Template.parse("#{PatientID}/#{StudyID}/#{PatientSex}/#{0009,1001}")
    assert template.expand(Source(), "here") == ("P1///", ["#{StudyID}", "#{0009,1001}"])


def test_each_place_has_a_uid_of_its_own() -> None:
    source = Source()
    Template.parse("#{UID} #{UID}").expand(source, "Set/StudyInstanceUID")
    Template.parse("#{UID}").expand(source, "Other")
    assert len(set(source.places)) == 3
    again = Source()
    Template.parse("#{UID} #{UID}").expand(again, "Set/StudyInstanceUID")
    assert again.places == source.places[:2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#{PatientIDD}", '"#{PatientIDD}" is neither a tag nor a placeholder; did you mean "PatientID"?'),
        ("#{PatentName}", 'did you mean "PatientName"?'),
        ("#{Job.Nam}", 'did you mean "#{Job.Name}"?'),
        ("#{JobName}", 'did you mean "#{Job.Name}"?'),
        ("#{Job.Patient}", "neither a tag nor a placeholder"),
        ("#{Dat}", 'did you mean "#{Date}"?'),
        ("#{Date,x}", 'did you mean "#{Date}"?'),
        ("#{Date;1}", 'did you mean "#{Date}"?'),
        ("#{Date,1,-1}", "neither a tag nor a placeholder"),
        ("#{Date,1,2,3}", "neither a tag nor a placeholder"),
        ("#{Date,123456}", "neither a tag nor a placeholder"),
        ("#{Tme}", 'did you mean "#{Time}"?'),
        ("#{Yaer}", 'did you mean "#{Year}"?'),
        ("#{UIDD}", 'did you mean "#{UID}"?'),
        ("#{}", "neither a tag nor a placeholder"),
        ("#{ }", "neither a tag nor a placeholder"),
        ("#{(0010,0020}", "neither a tag nor a placeholder"),
        ("#{00100,020}", "neither a tag nor a placeholder"),
        ("#{PatientID", "no closing brace"),
        ("a #{ b", "no closing brace"),
        ("#{ #{PatientID}", "no closing brace"),
        ("#{PatientID} #{", "no closing brace"),
        ("#{Job.#{PatientID}}", "no closing brace"),
        ("#{{PatientID}}", "no closing brace"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Template.parse(text)


def test_every_name_is_known_whatever_its_case() -> None:
    for name in (*FACTS, *MOMENTS, *FILES, "UID", "Date"):
        for spelling in (name, name.lower(), name.upper()):
            (part,) = Template.parse(f"#{{{spelling}}}").parts
            assert isinstance(part, Placeholder)
            assert part.kind != "tag"


@pytest.mark.parametrize(("text", "is_literal"), [("", True), ("a { b }", True), ("a#{Date}", False)])
def test_a_value_knows_whether_there_is_something_to_fill_in(text: str, is_literal: bool) -> None:
    assert Template.parse(text).is_literal is is_literal


PIECES = st.sampled_from(["#", "{", "}", "#{", "Date", ",", "-", "7", "PatientID", "0010", "UID", "Job.Name", " ", "x"])


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_any_text_is_read_or_refused_and_never_leaves_a_placeholder(text: str) -> None:
    try:
        template = Template.parse(text)
    except ValueError:
        return
    assert template.source == text
    value, missing = template.expand(Source(), "here")
    assert "#{" not in value
    assert len(missing) <= text.count("#{")


@given(st.text().filter(lambda text: "#{" not in text))
def test_a_text_without_placeholders_comes_back_as_it_is(text: str) -> None:
    assert filled(text) == text


@given(st.text().filter(lambda text: "#{" not in text and not text.endswith("#")), st.text(alphabet="ab }"))
def test_the_text_around_a_placeholder_comes_back_as_it_is(before: str, after: str) -> None:
    assert filled(f"{before}#{{PatientID}}{after}") == f"{before}P1{after}"


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.integers(-99_999, 99_999), st.integers(0, 99_999))
def test_a_range_lies_evenly_around_its_middle(today: date, days: int, spread: int) -> None:
    source = Source(datetime(today.year, today.month, today.day))
    text, _ = Template.parse(f"#{{Date,{days},{spread}}}").expand(source, "here")
    ends = [datetime.strptime(end, "%Y%m%d").date() for end in text.split("-")]
    middle = today + timedelta(days=days)
    assert (ends[0], ends[-1]) == (middle - timedelta(days=spread), middle + timedelta(days=spread))
    assert len(ends) == (2 if spread else 1)
    assert all(len(end) == 8 for end in text.split("-"))


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_every_tag_can_be_named_by_its_numbers(group: int, element: int) -> None:
    (part,) = Template.parse(f"#{{{group:04X},{element:04x}}}").parts
    assert isinstance(part, Placeholder)
    assert (part.kind, part.tag) == ("tag", group << 16 | element)
