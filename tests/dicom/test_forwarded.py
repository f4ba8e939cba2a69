"""What forwarding keeps and what it changes."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import (
    JPEG2000,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicomprinter.dicom.forwarded.forward import forward
from dicomprinter.dicom.forwarded.original import read_original
from dicomprinter.dicom.uids import IMPLEMENTATION_CLASS_UID
from dicomprinter.errors import PermanentError
from tests.dicom.forwarding import MOMENT, data_set, go, made, sample, saved


def changes(**attributes: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(
    "name", ["CT_small", "MR_small_implicit", "JPEG2000", "rtplan", "test-SR", "waveform_ecg", "chrJapMulti"]
)
def test_in_its_own_syntax_an_object_keeps_its_bytes(name: str, tmp_path: Path) -> None:
    target = tmp_path / "out.dcm"
    assert go(sample(name), target) == []
    assert sample(name).read_bytes().endswith(data_set(target))
    assert len(data_set(target)) > sample(name).stat().st_size - 2000
    meta = pydicom.dcmread(target).file_meta
    before = pydicom.dcmread(sample(name))
    assert meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    assert (meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID) == (
        before.SOPClassUID,
        before.SOPInstanceUID,
    )


def test_a_deflated_object_keeps_its_bytes(tmp_path: Path) -> None:
    target = tmp_path / "out.dcm"
    go(sample("image_dfl"), target)
    assert sample("image_dfl").read_bytes().endswith(data_set(target))


def test_a_deflated_object_is_changed_and_deflated_again(tmp_path: Path) -> None:
    target = tmp_path / "out.dcm"
    go(sample("image_dfl"), target, DeflatedExplicitVRLittleEndian, changes(PatientID="12"))
    after, before = pydicom.dcmread(target), pydicom.dcmread(sample("image_dfl"))
    assert after.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    assert after.PatientID == "12"
    assert after.PixelData == before.PixelData
    assert target.stat().st_size % 2 == 0


def test_changes_are_written_and_earlier_values_kept(tmp_path: Path) -> None:
    target = tmp_path / "out.dcm"
    before = pydicom.dcmread(sample("CT_small"))
    go(sample("CT_small"), target, changes=changes(PatientName="Doe^Jane", PatientSex="", AccessionNumber="A1"))
    after = pydicom.dcmread(target)
    assert (after.PatientName, after.PatientSex, after.AccessionNumber) == ("Doe^Jane", "", "A1")
    (item,) = after.OriginalAttributesSequence
    assert item.AttributeModificationDateTime == "20260131091502.000000+0000"
    assert item.ModifyingSystem == "DICOMPRINTER"
    assert item.SourceOfPreviousValues == ""
    assert item.ReasonForTheAttributeModification == "COERCE"
    (earlier,) = item.ModifiedAttributesSequence
    assert (earlier.PatientName, earlier.PatientSex) == (before.PatientName, before.PatientSex)
    assert earlier.AccessionNumber == ""
    assert len(earlier) == 3
    for keyword in ("PatientName", "PatientSex", "AccessionNumber", "OriginalAttributesSequence"):
        for dataset in (before, after):
            dataset.pop(keyword, None)
    assert after == before


def test_earlier_changes_stay_told(tmp_path: Path) -> None:
    first, second = tmp_path / "1.dcm", tmp_path / "2.dcm"
    go(sample("CT_small"), first, changes=changes(PatientName="One"))
    go(first, second, changes=changes(PatientName="Two"))
    items = pydicom.dcmread(second).OriginalAttributesSequence
    assert [item.ModifiedAttributesSequence[0].PatientName for item in items] == ["CompressedSamples^CT1", "One"]


def test_earlier_changes_stay_told_by_those_that_know_them_as_bytes_only(tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm", OriginalAttributesSequence=[changes(ModifyingSystem="THEIRS")])
    implicit = b"\xfe\xff\x00\xe0\x0e\0\0\0\x00\x04\x63\x05\x06\0\0\0THEIRS"
    explicit = b"\xfe\xff\x00\xe0\x0e\0\0\0\x00\x04\x63\x05LO\x06\0THEIRS"
    data = path.read_bytes().replace(explicit, implicit).replace(b"\x00\x04\x61\x05SQ", b"\x00\x04\x61\x05UN")
    path.write_bytes(data)
    assert implicit in data
    go(path, tmp_path / "out.dcm", changes=changes(PatientName="One", StudyInstanceUID="1.2.9"))
    items = pydicom.dcmread(tmp_path / "out.dcm").OriginalAttributesSequence
    assert [item.ModifyingSystem for item in items] == ["THEIRS", "DICOMPRINTER"]


def test_what_the_object_says_already_is_no_change(tmp_path: Path) -> None:
    target = tmp_path / "out.dcm"
    same = changes(PatientName="CompressedSamples^CT1^^", PatientWeight="0.0", MilitaryRank="", RescaleSlope="1.000")
    assert go(sample("CT_small"), target, changes=same) == []
    assert sample("CT_small").read_bytes().endswith(data_set(target))


def test_a_value_that_was_none_is_kept_as_bytes(tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm")
    path.write_bytes(path.read_bytes().replace(b"4711", b"4\x0011"))
    dataset = pydicom.dcmread(path)
    dataset.PatientBirthDate = "20010203"
    saved(dataset, path)
    path.write_bytes(path.read_bytes().replace(b"20010203", b"20011399"))
    go(path, tmp_path / "out.dcm", changes=changes(PatientBirthDate="19700101"))
    item = pydicom.dcmread(tmp_path / "out.dcm").OriginalAttributesSequence[0]
    assert item.ModifiedAttributesSequence[0].PatientBirthDate == ""
    (wrong,) = item.NonconformingModifiedAttributesSequence
    assert wrong.SelectorAttribute == Tag("PatientBirthDate")
    assert wrong.NonconformingDataElementValue == b"20011399"


def test_invalid_uids_are_replaced_and_told(tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm", StudyInstanceUID="")
    path.write_bytes(path.read_bytes().replace(b"1.2.3.3\0", b"1.02.3.3"))
    original = read_original(path)
    assert original.invalid_uids == {"study_instance_uid", "series_instance_uid"}
    go(path, tmp_path / "out.dcm", study_instance_uid="1.2.9", series_instance_uid="1.2.10")
    after = pydicom.dcmread(tmp_path / "out.dcm")
    assert (after.SOPInstanceUID, after.StudyInstanceUID, after.SeriesInstanceUID) == ("1.2.3.1", "1.2.9", "1.2.10")
    (item,) = after.OriginalAttributesSequence
    assert item.ReasonForTheAttributeModification == "CORRECT"
    (wrong,) = item.NonconformingModifiedAttributesSequence
    assert wrong.NonconformingDataElementValue == b"1.02.3.3"


def test_a_new_instance_uid_reaches_the_file_meta_information(tmp_path: Path) -> None:
    target = tmp_path / "out.dcm"
    go(sample("CT_small"), target, sop_instance_uid="1.2.77")
    after = pydicom.dcmread(target)
    assert after.SOPInstanceUID == after.file_meta.MediaStorageSOPInstanceUID == "1.2.77"


def test_without_an_instance_uid_nothing_is_written(tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm")
    path.write_bytes(path.read_bytes().replace(b"1.2.3.1\0", b"1.02.3.1"))
    with pytest.raises(PermanentError, match="SOP Instance UID"):
        go(path, tmp_path / "out.dcm", sop_instance_uid=None)
    assert not (tmp_path / "out.dcm").exists()


class TestRequestAttributes:
    """A query's study is where the object was ordered."""

    def test_the_study_stays(self, tmp_path: Path) -> None:
        target = tmp_path / "out.dcm"
        go(sample("CT_small"), target, changes=changes(StudyInstanceUID="1.2.3.4", AccessionNumber="A1"))
        after = pydicom.dcmread(target)
        assert after.StudyInstanceUID == pydicom.dcmread(sample("CT_small")).StudyInstanceUID
        (request,) = after.RequestAttributesSequence
        assert (request.StudyInstanceUID, request.AccessionNumber) == ("1.2.3.4", "A1")

    def test_the_requests_of_the_job(self, tmp_path: Path) -> None:
        step = changes(RequestedProcedureID="R1")
        wanted = changes(StudyInstanceUID="1.2.3.4", RequestAttributesSequence=[step])
        go(sample("CT_small"), tmp_path / "out.dcm", changes=wanted)
        (request,) = pydicom.dcmread(tmp_path / "out.dcm").RequestAttributesSequence
        assert (request.StudyInstanceUID, request.RequestedProcedureID) == ("1.2.3.4", "R1")
        assert "StudyInstanceUID" not in step

    def test_requests_of_the_object_stay(self, tmp_path: Path) -> None:
        path = made(tmp_path / "in.dcm", RequestAttributesSequence=[changes(RequestedProcedureID="OLD")])
        wanted = changes(StudyInstanceUID="1.2.3.4")
        go(path, tmp_path / "out.dcm", changes=wanted)
        after = pydicom.dcmread(tmp_path / "out.dcm")
        assert [item.get("RequestedProcedureID") for item in after.RequestAttributesSequence] == ["OLD", None]
        earlier = after.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
        assert [item.RequestedProcedureID for item in earlier.RequestAttributesSequence] == ["OLD"]
        assert go(tmp_path / "out.dcm", tmp_path / "again.dcm", changes=wanted) == []
        assert data_set(tmp_path / "again.dcm") == data_set(tmp_path / "out.dcm")

    def test_a_study_that_is_set_is_no_request(self, tmp_path: Path) -> None:
        go(
            sample("CT_small"),
            tmp_path / "out.dcm",
            changes=changes(StudyInstanceUID="1.2.3.4"),
            study_instance_uid="1.2.3.4",
        )
        after = pydicom.dcmread(tmp_path / "out.dcm")
        assert after.StudyInstanceUID == "1.2.3.4"
        assert "RequestAttributesSequence" not in after


class TestPrivate:
    """Blocks of private elements belong to their creators (PS3.5 7.8.1)."""

    def test_another_creator_gets_another_block(self, tmp_path: Path) -> None:
        path = tmp_path / "in.dcm"
        dataset = pydicom.dcmread(made(path))
        dataset.private_block(0x0011, "SIEMENS", create=True).add_new(1, "LO", "theirs")
        saved(dataset, path)
        mine = Dataset()
        mine.private_block(0x0011, "MINE", create=True).add_new(1, "LO", "ours")
        notes = go(path, tmp_path / "out.dcm", changes=mine)
        after = pydicom.dcmread(tmp_path / "out.dcm")
        assert after.private_block(0x0011, "SIEMENS")[1].value == "theirs"
        assert after.private_block(0x0011, "MINE")[1].value == "ours"
        assert "(0011,1101)" in notes[0]

    def test_the_same_creator_elsewhere(self, tmp_path: Path) -> None:
        path = tmp_path / "in.dcm"
        dataset = pydicom.dcmread(made(path))
        dataset.add_new(0x00110025, "LO", "MINE")
        dataset.add_new(0x00112501, "LO", "old")
        saved(dataset, path)
        mine = Dataset()
        mine.private_block(0x0011, "MINE", create=True).add_new(1, "LO", "new")
        go(path, tmp_path / "out.dcm", changes=mine)
        after = pydicom.dcmread(tmp_path / "out.dcm")
        assert after[0x00112501].value == "new"
        assert (0x0011, 0x0010) not in after
        earlier = after.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
        assert (earlier[0x00110025].value, earlier[0x00112501].value) == ("MINE", "old")

    def test_without_a_creator(self, tmp_path: Path) -> None:
        mine = Dataset()
        mine.add_new(0x00111001, "LO", "new")
        go(made(tmp_path / "in.dcm"), tmp_path / "out.dcm", changes=mine)
        after = pydicom.dcmread(tmp_path / "out.dcm")
        assert (after[0x00110010].value, after[0x00111001].value) == ("DICOMPRINTER", "new")


class TestCoding:
    """Between implicit and explicit, little and big endian."""

    @pytest.mark.parametrize("name", ["rtplan", "rtstruct", "MR_small_implicit"])
    def test_implicit_and_back(self, name: str, tmp_path: Path) -> None:
        go(sample(name), tmp_path / "explicit.dcm", ExplicitVRLittleEndian)
        go(tmp_path / "explicit.dcm", tmp_path / "implicit.dcm", ImplicitVRLittleEndian)
        before = pydicom.dcmread(sample(name), force=True)
        for file in ("explicit.dcm", "implicit.dcm"):
            assert pydicom.dcmread(tmp_path / file) == before

    def test_elements_of_unknown_kind(self, tmp_path: Path) -> None:
        """PS3.5 6.2.2: UN, with items in implicit VR; a sequence of undefined length is known to be one."""
        dataset = pydicom.dcmread(made(tmp_path / "in.dcm"))
        block = dataset.private_block(0x0011, "NOBODY", create=True)
        block.add_new(1, "LO", "text")
        block.add_new(2, "SQ", [changes(PatientID="A")])
        block.add_new(3, "SQ", [changes(PatientID="B")])
        dataset[0x00111003].is_undefined_length = True
        saved(dataset, tmp_path / "in.dcm", ImplicitVRLittleEndian)
        go(tmp_path / "in.dcm", tmp_path / "out.dcm", ExplicitVRLittleEndian)
        data = (tmp_path / "out.dcm").read_bytes()
        assert b"\x11\x00\x01\x10UN" in data
        assert b"\x11\x00\x02\x10UN" in data
        assert b"\x11\x00\x03\x10SQ" in data
        after = pydicom.dcmread(tmp_path / "out.dcm")
        assert after[0x00111002].value == b"\xfe\xff\x00\xe0\x0a\0\0\0\x10\0\x20\0\x02\0\0\0A "
        assert after[0x00111003].value[0].PatientID == "B"

    def test_a_sequence_that_came_as_bytes_stays_bytes(self, tmp_path: Path) -> None:
        """UN with a length was not looked into, so it is not written as anything else."""
        path = made(tmp_path / "in.dcm")
        dataset = pydicom.dcmread(path)
        dataset.add_new(0x00081032, "SQ", [changes(PatientID="A")])
        saved(dataset, path)
        path.write_bytes(path.read_bytes().replace(b"\x08\x00\x32\x10SQ", b"\x08\x00\x32\x10UN"))
        go(path, tmp_path / "out.dcm", changes=changes(PatientName="Müller"))
        assert b"\x08\x00\x32\x10UN" in (tmp_path / "out.dcm").read_bytes()

    def test_big_endian(self, tmp_path: Path) -> None:
        path = sample("MR_small_bigendian")
        go(path, tmp_path / "out.dcm", ExplicitVRLittleEndian)
        after, before = pydicom.dcmread(tmp_path / "out.dcm"), pydicom.dcmread(sample("MR_small"))
        assert after.PixelData == before.PixelData
        big = pydicom.dcmread(path)
        for dataset in (after, big):
            del dataset.PixelData
        assert list(after) == list(big)
        with pytest.raises(PermanentError, match="Big Endian"):
            go(path, tmp_path / "big.dcm", ExplicitVRBigEndian)

    def test_a_value_that_is_too_long_for_its_representation(self, tmp_path: Path) -> None:
        dataset = pydicom.dcmread(made(tmp_path / "in.dcm"))
        dataset.ContourData = ["1.25"] * 20000
        saved(dataset, tmp_path / "in.dcm", ImplicitVRLittleEndian)
        go(tmp_path / "in.dcm", tmp_path / "out.dcm", ExplicitVRLittleEndian)
        assert b"\x06\x30\x50\x00UN" in (tmp_path / "out.dcm").read_bytes()
        assert pydicom.dcmread(tmp_path / "out.dcm").ContourData == b"\\".join([b"1.25"] * 20000) + b" "

    def test_group_lengths_go_when_they_would_be_wrong(self, tmp_path: Path) -> None:
        dataset = pydicom.dcmread(made(tmp_path / "in.dcm"))
        dataset.add_new(0x00080000, "UL", 98)
        saved(dataset, tmp_path / "in.dcm")
        go(tmp_path / "in.dcm", tmp_path / "out.dcm", changes=changes(PatientID="new"))
        assert 0x00080000 not in pydicom.dcmread(tmp_path / "out.dcm")

    def test_elements_behind_the_pixels_stay(self, tmp_path: Path) -> None:
        go(sample("MR_small_padded"), tmp_path / "out.dcm", ImplicitVRLittleEndian, changes(PatientID="new"))
        after, before = pydicom.dcmread(tmp_path / "out.dcm"), pydicom.dcmread(sample("MR_small_padded"))
        assert after[0xFFFCFFFC].value == before[0xFFFCFFFC].value
        assert after.PixelData == before.PixelData

    def test_zeros_behind_the_last_element_go(self, tmp_path: Path) -> None:
        path = tmp_path / "in.dcm"
        path.write_bytes(sample("CT_small").read_bytes() + bytes(1000))
        go(path, tmp_path / "out.dcm")
        assert data_set(tmp_path / "out.dcm") == data_set(sample("CT_small"))

    def test_an_object_without_pixels_in_a_compressed_syntax(self, tmp_path: Path) -> None:
        saved(pydicom.dcmread(made(tmp_path / "in.dcm")), tmp_path / "in.dcm", JPEG2000)
        go(tmp_path / "in.dcm", tmp_path / "out.dcm", ImplicitVRLittleEndian)
        assert pydicom.dcmread(tmp_path / "out.dcm").PatientID == "4711"


@pytest.mark.parametrize(("keyword", "value"), [("PatientID", "x" * 65), ("PatientBirthDate", "20261332")])
def test_a_value_that_cannot_be_written(keyword: str, value: str, tmp_path: Path) -> None:
    wanted = Dataset()
    with pytest.warns(UserWarning, match="Invalid value|exceeds"):
        setattr(wanted, keyword, value)
    with pytest.raises(PermanentError, match=keyword) as caught:
        go(sample("CT_small"), tmp_path / "out.dcm", changes=wanted)
    assert value not in str(caught.value)
    assert not (tmp_path / "out.dcm").exists()


def test_what_belongs_to_the_store_is_not_written(tmp_path: Path) -> None:
    wanted = changes(SOPClassUID=CTImageStorage, Rows=1, SeriesInstanceUID="1.2.3", SOPInstanceUID="1.2.4")
    path = made(tmp_path / "in.dcm")
    assert go(path, tmp_path / "out.dcm", changes=wanted) == []
    assert data_set(tmp_path / "out.dcm") == data_set(path)


def test_a_syntax_that_the_object_cannot_go_in(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="JPEG 2000") as caught:
        go(sample("CT_small"), tmp_path / "out.dcm", JPEG2000)
    assert "Explicit VR Little Endian" in caught.value.cause


def test_nothing_is_left_of_a_file_that_failed(tmp_path: Path) -> None:
    def fails(_index: int) -> NoReturn:
        raise PermanentError("no")

    with pytest.raises(PermanentError):
        forward(
            sample("MR_small_RLE"),
            tmp_path / "out.dcm",
            transfer_syntax=ExplicitVRLittleEndian,
            changes=Dataset(),
            moment=MOMENT,
            source="",
            frame=fails,
        )
    assert not (tmp_path / "out.dcm").exists()
