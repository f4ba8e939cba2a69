"""Character sets of forwarded objects: nothing is lost, nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicomprinter.dicom.forwarded.original import header
from dicomprinter.dicom.forwarded.texts import UndecodableError, decode, encode
from dicomprinter.errors import PermanentError
from tests.dicom.forwarding import data_set, go, made, sample, saved


def named(name: str) -> Dataset:
    dataset = Dataset()
    dataset.PatientName = name
    return dataset


def test_the_own_set_stays_when_it_holds_what_is_new(tmp_path: Path) -> None:
    go(sample("chrGerm"), tmp_path / "out.dcm", changes=named("Müller^Käthe"))
    after = pydicom.dcmread(tmp_path / "out.dcm")
    assert after.SpecificCharacterSet == "ISO_IR 100"
    assert after.PatientName == "Müller^Käthe"
    earlier = after.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert earlier.PatientName == "Äneas^Rüdiger"


@pytest.mark.parametrize(
    ("name", "new", "character_set"),
    [
        ("CT_small", "Müller^Käthe", "ISO_IR 100"),
        ("chrGerm", "山田^太郎", "ISO_IR 192"),
        ("chrRuss", "Müller", "ISO_IR 192"),
        ("chrH32", "Müller", "ISO_IR 192"),
        ("chrKoreanMulti", "Müller", "ISO_IR 192"),
        ("chrX2", "김희중", "GB18030"),
    ],
)
def test_all_texts_go_into_the_narrowest_that_holds_all(
    name: str, new: str, character_set: str, tmp_path: Path
) -> None:
    before = pydicom.dcmread(sample(name))
    go(sample(name), tmp_path / "out.dcm", changes=named(new))
    after = pydicom.dcmread(tmp_path / "out.dcm")
    assert after.SpecificCharacterSet == character_set
    assert after.PatientName == new
    earlier = after.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert earlier.PatientName == before.PatientName
    for element in before:
        if element.tag.element and element.keyword not in ("PatientName", "SpecificCharacterSet"):
            assert after[element.tag] == element


@pytest.mark.parametrize("name", ["chrArab", "chrGreek", "chrHbrw", "chrI2", "chrH31", "chrH32", "chrJapMulti"])
def test_the_wished_set(name: str, tmp_path: Path) -> None:
    notes = go(sample(name), tmp_path / "out.dcm", character_set="ISO_IR 192")
    after, before = pydicom.dcmread(tmp_path / "out.dcm"), pydicom.dcmread(sample(name))
    assert after.SpecificCharacterSet == "ISO_IR 192"
    for element in list(before):
        if element.tag.element == 0:
            del before[element.tag]
    del after.SpecificCharacterSet, before.SpecificCharacterSet
    assert after.to_json_dict() == before.to_json_dict()
    assert "ISO_IR 192" in notes[0]


def test_code_extensions_can_be_wished(tmp_path: Path) -> None:
    wished = "ISO 2022 IR 13\\ISO 2022 IR 87"
    path = made(tmp_path / "plain.dcm", SpecificCharacterSet="ISO_IR 192", PatientName="ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎")
    go(path, tmp_path / "extended.dcm", character_set=wished)
    after = pydicom.dcmread(tmp_path / "extended.dcm")
    assert list(after.SpecificCharacterSet) == wished.split("\\")
    assert after.PatientName == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"


def test_a_wished_set_that_cannot_hold_a_text(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="PatientName") as caught:
        go(sample("chrRuss"), tmp_path / "out.dcm", character_set="ISO_IR 100")
    assert "Люк" not in str(caught.value)
    with pytest.raises(PermanentError, match="PatientName"):
        go(sample("CT_small"), tmp_path / "out.dcm", changes=named("Müller"), character_set="ISO_IR 6")
    with pytest.raises(PermanentError, match="unknown"):
        go(sample("CT_small"), tmp_path / "out.dcm", character_set="KLINGON")


def test_items_with_sets_of_their_own(tmp_path: Path) -> None:
    """PS3.5 7.5.3: an item inherits the set, or names its own."""
    inherits, own = Dataset(), Dataset()
    inherits.CodeMeaning = "Größe"
    own.SpecificCharacterSet = "ISO_IR 144"
    own.CodeMeaning = "Размер"
    path = made(tmp_path / "in.dcm", SpecificCharacterSet="ISO_IR 100", ProcedureCodeSequence=[inherits, own])
    assert "Размер".encode("iso8859-5") in path.read_bytes()
    go(path, tmp_path / "out.dcm", changes=named("山田"))
    after = pydicom.dcmread(tmp_path / "out.dcm")
    assert [item.CodeMeaning for item in after.ProcedureCodeSequence] == ["Größe", "Размер"]
    assert "SpecificCharacterSet" not in after.ProcedureCodeSequence[1]
    assert "Размер".encode() in (tmp_path / "out.dcm").read_bytes()


def test_bytes_that_are_none_of_the_named_set(tmp_path: Path) -> None:
    """What cannot be told for certain stays as it is, or is an error; it is never guessed."""
    path = made(tmp_path / "in.dcm", SpecificCharacterSet="ISO_IR 100", InstitutionName="Größe")
    dataset = pydicom.dcmread(path)
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 6  "))
    go(path, tmp_path / "out.dcm", changes=named("ASCII"))
    assert "Größe".encode("latin-1") in (tmp_path / "out.dcm").read_bytes()
    with pytest.raises(PermanentError, match="InstitutionName"):
        go(path, tmp_path / "again.dcm", changes=named("Müller"))
    assert header(path).InstitutionName == dataset.InstitutionName


def test_a_wrong_text_that_is_replaced_stands_in_the_way_of_nothing(tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm", SpecificCharacterSet="ISO_IR 100", PatientName="Größe")
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 192"))
    go(path, tmp_path / "out.dcm", changes=named("Müller"))
    after = pydicom.dcmread(tmp_path / "out.dcm")
    assert after.PatientName == "Müller"
    wrong = after.OriginalAttributesSequence[0].NonconformingModifiedAttributesSequence[0]
    assert wrong.NonconformingDataElementValue == "Größe ".encode("latin-1")[:6]


def test_a_misspelt_set(tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm", SpecificCharacterSet="ISO_IR 100", InstitutionName="Größe")
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO-IR 100"))
    assert header(path).InstitutionName == "Größe"
    go(path, tmp_path / "ascii.dcm", changes=named("ASCII"))
    assert pydicom.dcmread(tmp_path / "ascii.dcm")[0x00080005].value == "ISO-IR 100"
    go(path, tmp_path / "out.dcm", changes=named("Müller"))
    after = pydicom.dcmread(tmp_path / "out.dcm")
    assert (after.SpecificCharacterSet, after.InstitutionName) == ("ISO_IR 100", "Größe")


def test_private_bytes_of_unknown_kind_are_told_of(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(made(tmp_path / "in.dcm"))
    dataset.private_block(0x0011, "NOBODY", create=True).add_new(1, "UN", b"\xe4\xf6")
    saved(dataset, tmp_path / "in.dcm")
    notes = go(tmp_path / "in.dcm", tmp_path / "out.dcm", changes=named("Müller"))
    assert any("UN" in note for note in notes)
    assert pydicom.dcmread(tmp_path / "out.dcm")[0x00111001].value == b"\xe4\xf6"


def test_ascii_needs_no_declaration(tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm", SpecificCharacterSet="ISO_IR 100")
    go(path, tmp_path / "out.dcm", character_set="ISO_IR 6")
    assert "SpecificCharacterSet" not in pydicom.dcmread(tmp_path / "out.dcm")


def test_a_backslash_within_a_character(tmp_path: Path) -> None:
    """The second byte of a character may be that of the separator (GB18030)."""
    text = "誠"
    assert b"\\" in text.encode("gb18030")
    path = made(tmp_path / "in.dcm", SpecificCharacterSet="GB18030")
    data = path.read_bytes().replace(b"4711", b"\xd5\x5c47")
    path.write_bytes(data)
    assert header(path).PatientID == text + "47"
    go(path, tmp_path / "out.dcm", character_set="ISO_IR 192")
    assert text.encode() + b"47" in data_set(tmp_path / "out.dcm")


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])))
def test_one_set_there_and_back(text: str) -> None:
    assert decode(encode(text, ("ISO_IR 100",), "LO"), ("ISO_IR 100",), "LO") == text
    assert decode(encode(text, ("ISO_IR 192",), "LO"), ("ISO_IR 192",), "LO") == text


@given(st.binary())
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    for terms in (("",), ("ISO_IR 192",), ("", "ISO 2022 IR 87"), ("ISO_IR 13",), ("", "ISO 2022 IR 149"), ("NONE",)):
        try:
            text = decode(data, terms, "PN")
        except UndecodableError:
            continue
        assert "\ufffd" not in text or terms == ("ISO_IR 192",)


def test_code_extensions_begin_anew_in_each_part_of_a_name(tmp_path: Path) -> None:
    """PS3.5 6.1.2.5.3: "^" and "=" fall back to the first set."""
    path = made(tmp_path / "in.dcm", SpecificCharacterSet="ISO_IR 192", PatientName="Hong^Gildong=洪^吉洞=홍^길동")
    go(path, tmp_path / "out.dcm", character_set="\\ISO 2022 IR 149")
    expected = pydicom.dcmread(sample("chrI2")).get_item("PatientName").value
    assert bytes(expected) in data_set(tmp_path / "out.dcm")
