from __future__ import annotations

import unicodedata
from datetime import date, timedelta

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from dicomprinter.dicom.query.filter import Condition, Expression, Literal, criterion, range_problem, split_range
from dicomprinter.errors import PermanentError


@pytest.mark.parametrize(
    ("vr", "text", "value", "expected"),
    [
        ("LO", "ward 3", "WARD 3 ", True),
        ("LO", "ward 3", "ward 33", False),
        ("LO", "w*3", "Ward 3", True),
        ("LO", "w?rd", "word", True),
        ("LO", "w?rd", "woord", False),
        ("LO", "a.c", "abc", False),
        ("LO", "*b?d*", "abcd", True),
        ("LO", "a**d", "abcd", True),
        ("LO", "*ab*ab", "ab", False),
        ("LO", "*ab*ab", "abcabxab", True),
        ("LO", "*a" * 20 + "b", "a" * 64, False),
        ("LO", "*", "", True),
        ("LO", "STRASSE", "Straße", True),
        ("LO", unicodedata.normalize("NFD", "Müller"), "MÜLLER", True),
        ("UI", "1.2.3", "1.2.3\0", True),
        ("UI", "1.2.*", "1.2.3", True),
        ("UI", "1.2", "1.2.3", False),
        ("PN", "doe^jane", "Doe^Jane^^^", True),
        ("PN", "Doe^Jane^", "Doe^Jane", True),
        ("PN", "Doe", "Doe^Jane", False),
        ("PN", "Doe*", "Doe^Jane", True),
        ("PN", "山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("PN", "Yamada^Tarou", "Yamada^Tarou=山田^太郎", True),
        ("PN", "Yamada^Tarou=山田^太郎", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("PN", "Yamada^Tarou=山本^太郎", "Yamada^Tarou=山田^太郎", False),
        ("PN", "=山田^太郎", "Yamada^Tarou=山田^太郎", True),
        ("PN", "Yamada^Tarou=山田^太郎", "Yamada^Tarou", False),
        ("DA", "20260101-20260131", "20260131", True),
        ("DA", "20260101-20260131", "2026.01.31", True),
        ("DA", "20260101-20260131", "20260201", False),
        ("DA", "20260101-", "20270101", True),
        ("DA", "-20260131", "20260201", False),
        ("DA", "20260101", "20260101", True),
        ("DA", "202601*", "20260131", True),
        ("DA", "20260101-20260131", "", False),
        ("DA", "20260101-20260131", "soon", False),
        ("TM", "08-12", "125959.999", True),
        ("TM", "0800-1200", "0759", False),
        ("TM", "0800-1200", "12:00:30", True),
        ("TM", "0800-1200", "120100", False),
        ("TM", "1030", "103000", True),
        ("TM", "103000", "1030", True),
        ("DT", "2026-2027", "20271231235959.5", True),
        ("DT", "20260101-0500", "20260101-0500", True),
        ("DT", "20260101120000+0100-20260101130000+0100", "20260101114500+0000", True),
        ("DT", "20260101120000+0100-20260101130000+0100", "20260101124500+0000", False),
        ("DT", "20260101120000-20260101130000", "20260101124500+0200", True),
        ("IS", "5-10", "7", True),
        ("IS", "5-10", "11", False),
        ("IS", "-5", "3", True),
        ("IS", "-5", "-3", True),
        ("IS", "-5", "6", False),
        ("IS", "5", "05", True),
        ("IS", "5-10", "many", False),
        ("DS", "0.5-1.5", "1.50", True),
        ("DS", "-5-5", "-4.5", True),
        ("US", "7", "7", True),
        ("US", "7", "8", False),
    ],
)
def test_a_value_is_compared_by_its_vr(vr: str, text: str, value: str, expected: bool) -> None:
    assert criterion(text, vr).matches(value) is expected


@pytest.mark.parametrize(
    ("vr", "text", "ends"),
    [
        ("DA", "20260101-20260115", ("20260101", "20260115")),
        ("DA", "-20260131", ("", "20260131")),
        ("DA", "20260101-", ("20260101", "")),
        ("DA", "20260101", None),
        ("DA", "-", None),
        ("DT", "20260101-0500-20260102", ("20260101-0500", "20260102")),
        ("DT", "2026-0500", None),
        ("DT", "2026-2027", ("2026", "2027")),
        ("IS", "3", None),
        ("IS", "-3", ("", "3")),
        ("LO", "20260101-20260115", None),
    ],
)
def test_split_range(vr: str, text: str, ends: tuple[str, str] | None) -> None:
    assert split_range(text, vr) == ends


@pytest.mark.parametrize(
    ("vr", "text"),
    [
        ("DA", "2026.01.01"),
        ("DA", "2026.01.01 - 20260102"),
        ("TM", "08:00"),
        ("TM", "08:00-0900"),
        ("TM", "08-08:30"),
        ("TM", "235960.123456-"),
        ("DT", "2026-202601"),
        ("DT", "202606-2026"),
        ("DT", "2026-0500"),
        ("DT", "20260101120000+0100-20260101113000+0000"),
        ("IS", "-2147483648"),
        ("IS", "-5--3"),
        ("IS", "7-"),
        ("DS", "1e-3-1e3"),
        ("DS", "-.5"),
    ],
)
def test_values_and_ranges_that_a_file_may_ask_for(vr: str, text: str) -> None:
    assert range_problem(text, vr) is None


@pytest.mark.parametrize(
    ("vr", "text", "words"),
    [
        ("DA", "2026.02.31", "neither a DA"),
        ("DA", "20260102-2026.01.01", "ends before it begins"),
        ("DA", "20260101-20260102-20260103", "neither a DA"),
        ("DA", "٢٠٢٦٠١٠١", "neither a DA"),
        ("TM", "24:00", "neither a TM"),
        ("TM", "0:8:00", "neither a TM"),
        ("TM", "09:00-0800", "ends before it begins"),
        ("DT", "2027-2026", "ends before it begins"),
        ("DT", "2026-1300", "neither a DT"),
        ("DT", "20260101120000+0000-20260101123000+0100", "ends before it begins"),
        ("IS", "1.5", "neither a IS"),
        ("IS", "1e3", "neither a IS"),
        ("IS", "1-1.5", "neither a IS"),
        ("IS", "12345678901234", "neither a IS"),
        ("IS", "1-2147483648", "neither a IS"),
        ("IS", "5--5", "ends before it begins"),
        ("DS", "1.5-0.5", "ends before it begins"),
        ("DS", "", "neither a DS"),
    ],
)
def test_what_is_neither_a_value_nor_a_range(vr: str, text: str, words: str) -> None:
    assert words in (range_problem(text, vr) or "")


def test_conditions() -> None:
    not_sr = Condition(excluded=(criterion("SR", "CS"), criterion("K*", "CS")))
    assert not_sr.admits(["CT"])
    assert not not_sr.admits(["CT", "SR"])
    assert not not_sr.admits(["KO"])
    assert not_sr.admits([""])
    ct_or_mr = Condition(wanted=(criterion("CT", "CS"), criterion("MR", "CS")))
    assert ct_or_mr.admits(["SR", "mr"])
    assert not ct_or_mr.admits(["SR"])
    assert not ct_or_mr.admits([""])
    assert Condition().admits([""])
    both = Condition(wanted=(criterion("C*", "CS"),), excluded=(criterion("CR", "CS"),))
    assert both.admits(["CT"])
    assert not both.admits(["CT", "CR"])


def test_expressions_look_at_each_group_of_a_name() -> None:
    japanese = Expression(regex.compile("^山", regex.IGNORECASE), "PN", "a key")
    assert japanese.matches("Yamada=山田")
    assert not japanese.matches("Yamada")
    assert Expression(regex.compile("^doe$", regex.IGNORECASE), "PN", "a key").matches("Doe^^^")


@pytest.mark.parametrize("vr", ["LO", "PN"])
def test_a_runaway_expression_ends_and_tells_nothing_of_the_value(vr: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomprinter.dicom.expressions._SECONDS", 0.05)
    value = "a" * 40 + "c"
    runaway = Expression(regex.compile("^(a|aa|a?b?)+$"), vr, 'PatientComments in "Find"')
    with pytest.raises(PermanentError, match=r'expression of PatientComments in "Find" took longer') as caught:
        runaway.matches(value)
    assert "aaa" not in str(caught.value)
    assert "aaa" not in caught.value.private


days = st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31))


def da(day: date) -> str:
    return day.strftime("%Y%m%d")


@given(days, st.integers(0, 4000), st.integers(-5000, 5000))
def test_a_date_range_is_the_days_between_its_ends(first: date, length: int, offset: int) -> None:
    last, value = first + timedelta(days=length), first + timedelta(days=offset)
    inside = first <= value <= last
    assert criterion(f"{da(first)}-{da(last)}", "DA").matches(da(value)) is inside
    assert criterion(f"{da(first)}-", "DA").matches(da(value)) is (value >= first)
    assert criterion(f"-{da(last)}", "DA").matches(da(value)) is (value <= last)
    assert criterion(da(first), "DA").matches(da(value)) is (value == first)


@given(st.times(), st.times(), st.times(), st.sampled_from([2, 4, 6]))
def test_a_short_time_holds_all_that_continues_it(first: object, last: object, value: object, digits: int) -> None:
    first_text, last_text = (f"{one:%H%M%S}"[:digits] for one in (first, last))
    text = f"{value:%H%M%S.%f}"
    inside = first_text <= text[:digits] <= last_text
    assert criterion(f"{first_text}-{last_text}", "TM").matches(text) is inside


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(-10, 10**6))
def test_a_range_of_numbers(first: int, last: int, value: int) -> None:
    assert criterion(f"{first}-{last}", "IS").matches(str(value)) is (first <= value <= last)


words = st.text(
    st.characters(exclude_characters="*?\\^=", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1
)


@given(words, words)
def test_a_text_matches_itself_in_any_case_and_by_wildcards(one: str, other: str) -> None:
    assert criterion(one, "LO").matches(one)
    assert criterion(one, "LO").matches(one + " ")
    assert criterion(f"{one}*", "LO").matches(one + other)
    assert criterion(f"*{other}", "LO").matches(one + other)
    assert criterion(f"{one}*{other}", "LO").matches(one + "x" + other)
    same = unicodedata.normalize("NFC", one).casefold() == unicodedata.normalize("NFC", other).casefold()
    assert criterion(one, "LO").matches(other) is same


@given(st.text(), st.sampled_from(["DA", "TM", "DT", "IS", "DS", "LO", "PN", "UI", "US"]), st.text())
def test_no_value_makes_it_fail(text: str, vr: str, value: str) -> None:
    assert criterion(text, vr).matches(value) in (True, False)


def test_many_wildcards_beside_a_jobs_text_do_not_hang() -> None:
    """Each `*` is settled at the first place that fits, as in texts that are the file's alone."""
    pattern = Literal((("*a" * 40, False), ("*", True), ("b", False)), "LT")
    assert not pattern.matches("a" * 10_000)
    assert pattern.matches("a" * 10_000 + "*b")
    assert Literal((("a*", False), ("?", True), ("*?", False)), "LO").matches("ax?yz")
