from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomprinter.dicom.character_sets import narrowest
from dicomprinter.dicom.text import clean
from dicomprinter.errors import PermanentError


def cleaned(keyword: str, vr: str, text: str) -> tuple[str, list[str]]:
    return clean(Tag(keyword), vr, text)


@pytest.mark.parametrize(
    ("keyword", "vr", "text", "expected"),
    [
        ("StudyDescription", "LO", "Thorax\\ap", "Thorax/ap"),
        ("PatientName", "PN", "Doe\\John", "Doe/John"),
        ("StationName", "SH", "a\\b", "a/b"),
        ("ImageType", "CS", "ORIGINAL\\PRIMARY", "ORIGINAL\\PRIMARY"),
        ("ImageComments", "LT", "C:\\x\nnext\ttab\x07", "C:\\x\r\nnext\ttab"),
        ("StudyDescription", "LO", " two\r\nlines\x00 ", "two lines"),
        ("StudyDescription", "LO", "bell\x07 and \x9bescape\x1b[0m", "bell and escape[0m"),
        ("PatientSex", "CS", "m", "M"),
        ("PatientName", "PN", "Yamada^Tarou=山田^太郎=やまだ", "Yamada^Tarou=山田^太郎=やまだ"),
        ("PatientName", "PN", "Doe==", "Doe"),
        ("PatientName", "PN", "Doe =\t=", "Doe"),
        ("PatientName", "PN", "=".join(["x" * 64] * 3), "=".join(["x" * 64] * 3)),
        ("StudyDate", "DA", "2024.02.29", "20240229"),
        ("StudyTime", "TM", "23:59:60", "235960"),
        ("StudyTime", "TM", "07", "07"),
        ("AcquisitionDateTime", "DT", "20240229235959.123456+0100", "20240229235959.123456+0100"),
        ("AcquisitionDateTime", "DT", "2024", "2024"),
        ("PatientAge", "AS", "042Y", "042Y"),
        ("PatientWeight", "DS", "70.5", "70.5"),
        ("PatientWeight", "DS", "0.33333333333333333333", "0.33333333333333"),
        ("PixelSpacing", "DS", "0.1\\0.2", "0.1\\0.2"),
        ("SeriesNumber", "IS", "-2147483648", "-2147483648"),
        ("SeriesNumber", "IS", "", ""),
        ("StudyInstanceUID", "UI", "1.2.840.0.1\0", "1.2.840.0.1"),
        ("FrameIncrementPointer", "AT", "(0018,2001)", "00182001"),
    ],
)
def test_made_to_fit(keyword: str, vr: str, text: str, expected: str) -> None:
    assert cleaned(keyword, vr, text)[0] == expected


@pytest.mark.parametrize(
    ("keyword", "vr", "text"),
    [
        ("PatientID", "LO", "x" * 65),
        ("AccessionNumber", "SH", "x" * 17),
        ("StudyID", "SH", "x" * 17),
        ("RequestedProcedureID", "SH", "x" * 17),
        ("DeviceSerialNumber", "LO", "x" * 65),
        ("CodeValue", "SH", "x" * 17),
        ("PatientName", "PN", "x" * 65),
        ("PatientName", "PN", "a=b=c=d"),
        ("PatientName", "PN", "a^b^c^d^e^f"),
        ("Modality", "CS", "X" * 17),
        ("Modality", "CS", "Ö"),
        ("Modality", "CS", "CT\\MR"),
        ("RetrieveAETitle", "AE", "x" * 17),
        ("StudyDate", "DA", "20230229"),
        ("StudyDate", "DA", "20241301"),
        ("StudyDate", "DA", "2024-01-01"),
        ("StudyDate", "DA", "00000101"),
        ("StudyTime", "TM", "2400"),
        ("StudyTime", "TM", "1"),
        ("StudyTime", "TM", "12.5"),
        ("AcquisitionDateTime", "DT", "20230229"),
        ("AcquisitionDateTime", "DT", "2023+9900"),
        ("PatientAge", "AS", "42"),
        ("PatientWeight", "DS", "seventy"),
        ("PatientWeight", "DS", "70,5"),
        ("PatientWeight", "DS", "nan"),
        ("SeriesNumber", "IS", "2147483650"),
        ("SeriesNumber", "IS", "1.5"),
        ("Rows", "US", "65536"),
        ("Rows", "US", "-1"),
        ("StudyInstanceUID", "UI", "1.02.3"),
        ("StudyInstanceUID", "UI", "1." + "2" * 63),
        ("StudyInstanceUID", "UI", "abc"),
        ("RetrieveURL", "UR", "https://pacs/Müller"),
    ],
)
def test_refused_by_name_and_without_the_value(keyword: str, vr: str, text: str) -> None:
    with pytest.raises(PermanentError, match=keyword) as caught:
        cleaned(keyword, vr, text)
    assert len(text) < 4 or text not in str(caught.value)


def test_a_description_is_cut_with_a_note() -> None:
    text, notes = cleaned("StudyDescription", "LO", "secret " * 20)
    assert len(text) <= 64
    assert notes == ["StudyDescription (0008,1030): cut to 64 characters"]


@pytest.mark.parametrize(
    ("text", "word"), [("a\\b", "separates values"), ("a\x07b", "control characters"), (" plain\r\n", None)]
)
def test_notes_tell_what_was_changed(text: str, word: str | None) -> None:
    notes = cleaned("StudyDescription", "LO", text)[1]
    assert [word in note for note in notes] == ([True] if word else [])


def test_an_unknown_tag_counts_as_an_identifier() -> None:
    with pytest.raises(PermanentError, match=r"\(0009,1001\)"):
        clean(0x00091001, "LO", "x" * 65)


@given(st.sampled_from([("StudyDescription", "LO", 64), ("StationName", "SH", 16)]), st.text(max_size=80))
@example(("StudyDescription", "LO", 64), "\x1b\xa00")
@example(("StationName", "SH", 16), "0" * 15 + "\xa0x")
def test_clean_texts_are_clean(element: tuple[str, str, int], text: str) -> None:
    keyword, vr, length = element
    once, _ = cleaned(keyword, vr, text)
    assert len(once) <= length
    assert "\\" not in once
    assert cleaned(keyword, vr, once) == (once, [])


def dataset(name: str, nested: str = "") -> Dataset:
    result = Dataset()
    result.PatientName = name
    item = Dataset()
    item.CodeMeaning = nested
    result.ProcedureCodeSequence = [item]
    return result


@pytest.mark.parametrize(
    ("name", "nested", "expected"),
    [
        ("Doe^John", "", ""),
        ("Müller^Jürg", "", "ISO_IR 100"),
        ("Doe^John", "Schädel", "ISO_IR 100"),
        ("Müller", "Łódź", "ISO_IR 192"),
        ("Yamada^Tarou=山田^太郎=やまだ", "", "ISO_IR 192"),
    ],
)
def test_the_narrowest_set(name: str, nested: str, expected: str) -> None:
    assert narrowest(dataset(name, nested), None) == expected


@pytest.mark.parametrize(
    ("wished", "name"),
    [
        ("ISO_IR 144", "Люкceмбypг"),
        ("ISO_IR 192", "Doe"),
        ("\\ISO 2022 IR 87", "Yamada^Tarou=山田^太郎=やまだ"),
        ("GB18030", "Wang=王^小东"),
        ("ISO_IR 13", "ﾔﾏﾀﾞ"),
        ("ISO_IR 13", "Yamada^ﾀﾛｳ"),
        ("ISO_IR 100", "Müller"),
    ],
)
def test_the_wished_set(wished: str, name: str) -> None:
    assert narrowest(dataset(name), wished) == wished


@pytest.mark.parametrize(
    ("wished", "name"),
    [
        ("ISO_IR 100", "山田"),
        ("ISO_IR 100", "Łódź"),
        ("ISO_IR 6", "Müller"),
        ("ISO_IR 13", "山田"),
        ("ISO_IR 13", "¥"),
        ("ISO_IR 13", "jQvﾔ"),
        ("ISO 2022 IR 13", "ﾔ1"),
        ("\\ISO 2022 IR 87", "Łódź"),
        ("\\ISO 2022 IR 87", "Müller"),
    ],
)
def test_what_the_wished_set_cannot_hold_is_refused(wished: str, name: str) -> None:
    with pytest.raises(PermanentError, match="PatientName") as caught:
        narrowest(dataset(name), wished)
    assert name not in str(caught.value)
    with pytest.raises(PermanentError, match="CodeMeaning"):
        narrowest(dataset("Doe", name), wished)


def test_an_unknown_set() -> None:
    with pytest.raises(PermanentError, match="unknown"):
        narrowest(Dataset(), "UTF-8")
