"""Tags as people write them."""

from __future__ import annotations

import pytest

from dicomprinter.dicom.tags import parse_tag


@pytest.mark.parametrize(
    "text", ["0010,0020", "(0010,0020)", "00100020", "(10,20)", "10,20", " PatientID ", "patientid"]
)
def test_spellings(text: str) -> None:
    assert parse_tag(text) == 0x00100020


def test_short_tags_leave_out_the_zeros_in_front() -> None:
    assert parse_tag("(8,103E)") == 0x0008103E
    assert parse_tag("8,100") == 0x00080100
    assert parse_tag("(08,05)") == 0x00080005


@pytest.mark.parametrize("text", ["0008,002", "008,0020", "(0008,002)", "0010,20", "10,0020", "00080,0020", "010,020"])
def test_a_lost_digit_is_no_other_tag(text: str) -> None:
    with pytest.raises(ValueError, match="write four digits, a comma and four digits, as in 0010,0020"):
        parse_tag(text)


@pytest.mark.parametrize("text", ["(0010,0020", "0010,0020)", "0010;0020", "0010002", ""])
def test_what_is_no_tag(text: str) -> None:
    with pytest.raises(ValueError, match="neither a tag"):
        parse_tag(text)


def test_a_near_miss_gets_a_hint() -> None:
    with pytest.raises(ValueError, match='did you mean "PatientID"'):
        parse_tag("PatentID")
