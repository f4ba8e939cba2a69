"""The header that a job starts from, and what of it has changed since."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomprinter.dicom.forwarded.changes import changed
from dicomprinter.dicom.forwarded.original import header
from dicomprinter.dicom.tags import refused_in_a_job
from dicomprinter.errors import PermanentError
from tests.dicom.forwarding import made, sample, saved


def dataset(**attributes: object) -> Dataset:
    result = Dataset()
    for keyword, value in attributes.items():
        setattr(result, keyword, value)
    return result


@pytest.mark.parametrize("name", ["CT_small", "MR_small_bigendian", "rtplan", "chrH32", "waveform_ecg", "image_dfl"])
def test_a_header_is_what_pydicom_reads(name: str) -> None:
    read = pydicom.dcmread(sample(name), force=True)
    found = header(sample(name))
    assert len(found) > 15
    for element in found:
        assert refused_in_a_job(element.tag) is None
        assert element.VR not in ("SQ", "OB", "OW", "UN")
        if element.VR != "UN" and read[element.tag].VR != "UN":
            assert element.VR == read[element.tag].VR
            assert element.to_json_dict(None, 0) == read[element.tag].to_json_dict(None, 0)
    missing = {element.tag for element in read} - {element.tag for element in found}
    texts = [tag for tag in missing if read[tag].VR in ("LO", "PN", "DA", "CS", "UI", "DS", "US")]
    assert all(refused_in_a_job(tag) or tag == 0x00080005 for tag in texts)


def test_a_header_survives_the_job(tmp_path: Path) -> None:
    """The job keeps its dataset as DICOM JSON; what comes back is no change."""
    for name in ("CT_small", "chrH32", "rtplan", "MR_small_bigendian"):
        first = header(sample(name))
        assert len(changed(Dataset.from_json(first.to_json()), first)) == 0


def test_what_a_header_leaves_out(tmp_path: Path) -> None:
    path = made(
        tmp_path / "in.dcm",
        np.zeros((1, 2, 2), np.uint8),
        ImageComments="x" * 1025,
        PatientComments="y" * 1024,
        ProcedureCodeSequence=[dataset(CodeValue="1")],
        SpecificCharacterSet="ISO_IR 100",
        ICCProfile=b"\0\0",
    )
    found = header(path)
    assert found.PatientComments == "y" * 1024
    for keyword in (
        "ImageComments",
        "ProcedureCodeSequence",
        "SpecificCharacterSet",
        "ICCProfile",
        "Rows",
        "SOPClassUID",
    ):
        assert keyword not in found


def test_a_value_that_is_none_is_left_out(tmp_path: Path) -> None:
    read = pydicom.dcmread(made(tmp_path / "in.dcm", PatientWeight="70.5", PatientSize="1.8"))
    read.add(DataElement(Tag("TableHeight"), "DS", "12.5"))
    saved(read, tmp_path / "in.dcm")
    path = tmp_path / "in.dcm"
    path.write_bytes(path.read_bytes().replace(b"70.5", b"heav"))
    found = header(path)
    assert "PatientWeight" not in found
    assert found.PatientSize == 1.8


def test_an_empty_name_among_others_is_left_out(tmp_path: Path) -> None:
    """It may be there (PS3.5 6.4), and pydicom cannot write it as DICOM JSON."""
    found = header(made(tmp_path / "in.dcm", OtherPatientNames="A\\\\B", PatientName="C"))
    assert "OtherPatientNames" not in found
    assert found.PatientName == "C"


def test_what_is_no_dicom_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    with pytest.raises(PermanentError, match="no DICOM file"):
        header(tmp_path / "x")


@pytest.mark.parametrize(
    ("keyword", "first", "second"),
    [
        ("PatientName", "Doe^John", "Doe^John^^^"),
        ("PatientName", "Doe^John=", "Doe^John"),
        ("PatientID", "12 ", " 12"),
        ("PatientWeight", "70.50", "70.5"),
        ("PatientWeight", "1e1", "10"),
        ("InstanceNumber", "007", "7"),
        ("ImageComments", "one\ntwo ", "one\r\ntwo"),
        ("OtherPatientNames", ["A", "B^"], ["A", "B"]),
        ("StudyID", "", None),
    ],
)
def test_the_same(keyword: str, first: object, second: object) -> None:
    assert len(changed(dataset(**{keyword: first}), dataset(**{keyword: second}))) == 0
    assert len(changed(dataset(**{keyword: second}), dataset(**{keyword: first}))) == 0


@pytest.mark.parametrize(
    ("keyword", "first", "second"),
    [
        ("PatientName", "Doe^John", "Doe^Jane"),
        ("PatientName", "Doe^John", "^Doe^John"),
        ("PatientName", "Doe^John=山田", "Doe^John"),
        ("PatientID", "12", "012"),
        ("PatientWeight", "70.5", "70.51"),
        ("OtherPatientNames", ["A", "B"], ["B", "A"]),
        ("PatientID", "12", ""),
        ("PatientID", "12", None),
    ],
)
def test_another(keyword: str, first: object, second: object) -> None:
    assert [element.keyword for element in changed(dataset(**{keyword: second}), dataset(**{keyword: first}))] == [
        keyword
    ]


def test_a_tag_that_the_job_lacks_is_unchanged() -> None:
    assert len(changed(Dataset(), dataset(PatientID="12"))) == 0


def test_a_tag_that_the_header_lacks_is_changed() -> None:
    job = dataset(PatientID="12", StudyID="", RequestAttributesSequence=[dataset(StudyInstanceUID="1.2")])
    assert len(changed(job, Dataset())) == 3


def test_what_is_the_stores_own_never_counts() -> None:
    job = dataset(SOPInstanceUID="1.2", Rows=3, SpecificCharacterSet="ISO_IR 192", TransferSyntaxUID="1.2")
    assert len(changed(job, Dataset())) == 0


def test_private_elements_come_with_their_creators() -> None:
    first, job = Dataset(), Dataset()
    for each, text in ((first, "old"), (job, "new")):
        block = each.private_block(0x0011, "MINE", create=True)
        block.add_new(1, "LO", text)
        block.add_new(2, "LO", "same")
    assert [int(element.tag) for element in changed(job, first)] == [0x00110010, 0x00111001]


def test_sequences_are_compared_item_by_item() -> None:
    one = dataset(ProcedureCodeSequence=[dataset(CodeValue="1")])
    same = dataset(ProcedureCodeSequence=[dataset(CodeValue="1 ", SpecificCharacterSet="ISO_IR 192")])
    more = dataset(ProcedureCodeSequence=[dataset(CodeValue="1"), dataset(CodeValue="2")])
    assert len(changed(same, one)) == 0
    assert len(changed(more, one)) == 1
