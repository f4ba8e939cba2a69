from __future__ import annotations

import copy
import io
import subprocess
import tracemalloc
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from dicomprinter.dicom.encapsulated_pdf import encapsulated_pdf
from dicomprinter.dicom.objects import Identity
from dicomprinter.dicom.page import LossySource, Page
from dicomprinter.dicom.part10 import write
from dicomprinter.dicom.uids import derive_uid
from dicomprinter.errors import PermanentError
from tests.dicom.helpers import capture
from tests.peers import program

IDENTITY = Identity(
    derive_uid("job", "study"),
    derive_uid("job", "series", "1"),
    derive_uid("job", "instance", "1"),
    series_number=7,
    instance_number=3,
    created=datetime(2024, 2, 29, 13, 5, 6, 70),
)
GREY = Page(np.arange(15, dtype=np.uint8).reshape(3, 5), 8, (300, 150))
SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless, JPEGLosslessSV1, JPEGBaseline8Bit)


def full() -> Dataset:
    """A job's dataset with everything that is awkward."""
    attributes = Dataset()
    attributes.SpecificCharacterSet = "ISO_IR 100"
    attributes.PatientName = "Müller^Jürg=山田^太郎=やまだ"
    attributes.PatientID = "4711"
    attributes.StudyInstanceUID = "1.2.3"
    attributes.StudyDate = ""
    attributes.StudyDescription = "Thorax\\ap"
    attributes.SOPInstanceUID = "1.2.3.4"
    attributes.Rows = 9999
    attributes.BodyPartExamined = "CHEST"
    attributes.ImageLaterality = "L"
    attributes.Laterality = "L"
    attributes.PatientWeight = "70.5"
    code = Dataset()
    code.SpecificCharacterSet = "ISO_IR 100"
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "DCM", "Schädel"
    attributes.ProcedureCodeSequence = [code]
    step = Dataset()
    step.ScheduledProcedureStepID = "S1"
    step.RequestedProcedureID = "R1"
    attributes.RequestAttributesSequence = [step]
    block = attributes.private_block(0x0009, "ACME", create=True)
    block.add_new(1, "LO", "größe")
    block.add_new(2, "UN", b"\1\2")
    return attributes


def read(dataset: Dataset, folder: Path) -> Dataset:
    write(dataset, folder / "x.dcm")
    return dcmread(folder / "x.dcm")


def image(attributes: Dataset, page: Page = GREY, syntax: UID = ExplicitVRLittleEndian, **options: object) -> Dataset:
    return capture(attributes, page, IDENTITY, syntax, **options)[0]


def document(attributes: Dataset, pdf: bytes = b"%PDF-1.4 x", **options: object) -> Dataset:
    return encapsulated_pdf(attributes, pdf, IDENTITY, **{"title": "scan.pdf", **options})[0]


def test_uids_are_the_same_again_and_differ_by_part() -> None:
    assert derive_uid("a", "b", "c") == derive_uid("a", "b", "c")
    assert (
        len({derive_uid("a"), derive_uid("a", "b"), derive_uid("ab"), derive_uid("a", "b", "c"), derive_uid("a", "bc")})
        == 5
    )
    assert UID(derive_uid("a")).is_valid
    assert len(derive_uid("a")) <= 64


def test_what_an_empty_job_gets(tmp_path: Path) -> None:
    got = read(image(Dataset()), tmp_path)
    assert (got.Modality, got.ConversionType) == ("OT", "WSD")
    for keyword in (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyID",
        "AccessionNumber",
        "Laterality",
    ):
        assert got[keyword].is_empty
    assert (got.StudyDate, got.StudyTime) == ("20240229", "130506.000070")
    assert (got.SeriesNumber, got.InstanceNumber) == (7, 3)
    assert got.SOPInstanceUID == got.file_meta.MediaStorageSOPInstanceUID == IDENTITY.sop_instance_uid
    assert "SpecificCharacterSet" not in got
    assert [float(x) for x in got.NominalScannedPixelSpacing] == pytest.approx([25.4 / 150, 25.4 / 300])
    assert (got.Rows, got.Columns, got.BitsAllocated, got.HighBit) == (3, 5, 8, 7)
    assert got.PixelData == GREY.pixels.tobytes() + b"\0"


def test_what_a_job_brings_stays(tmp_path: Path) -> None:
    attributes = full()
    before = copy.deepcopy(attributes)
    dataset, notes = capture(attributes, GREY, IDENTITY, ExplicitVRLittleEndian)
    assert attributes == before
    got = read(dataset, tmp_path)
    assert got.SpecificCharacterSet == "ISO_IR 192"
    assert str(got.PatientName) == "Müller^Jürg=山田^太郎=やまだ"
    assert got.StudyDescription == "Thorax/ap"
    assert got.ProcedureCodeSequence[0].CodeMeaning == "Schädel"
    assert "SpecificCharacterSet" not in got.ProcedureCodeSequence[0]
    assert got.private_block(0x0009, "ACME")[1].value == "größe"
    assert got.private_block(0x0009, "ACME")[2].value == b"\1\2"
    assert got.Rows == 3
    assert got.SOPInstanceUID == IDENTITY.sop_instance_uid
    assert got.StudyInstanceUID == IDENTITY.study_instance_uid
    assert "Laterality" not in got
    assert notes == ['StudyDescription (0008,1030): "\\" became "/", for it separates values']


def test_text_of_a_file_in_nested_sets_is_written_in_one(tmp_path: Path) -> None:
    outer, item = Dataset(), Dataset()
    outer.SpecificCharacterSet, outer.PatientName = "ISO_IR 144", "Люкceмбypг"
    item.SpecificCharacterSet, item.CodeMeaning = "ISO_IR 100", "Schädel"
    outer.ProcedureCodeSequence = [item]
    stream = io.BytesIO()
    outer.save_as(stream, implicit_vr=False, little_endian=True)
    stream.seek(0)
    attributes = dcmread(stream, force=True)
    got = read(image(attributes), tmp_path)
    assert got.SpecificCharacterSet == "ISO_IR 192"
    assert str(got.PatientName) == "Люкceмбypг"
    assert got.ProcedureCodeSequence[0].CodeMeaning == "Schädel"


def test_the_study_date_of_a_query_holds() -> None:
    given, unknown = Dataset(), Dataset()
    given.StudyInstanceUID, given.StudyDate = "1.2.3", ""
    assert image(given).StudyDate == ""
    assert image(given).StudyTime == ""
    unknown.StudyDate = ""
    assert image(unknown).StudyDate == "20240229"
    unknown.StudyDate = "20200101"
    assert (image(unknown).StudyDate, image(unknown).StudyTime) == ("20200101", "")


@pytest.mark.parametrize("wished", ["ISO_IR 100", "ISO_IR 192"])
def test_the_wished_set_is_written(wished: str, tmp_path: Path) -> None:
    attributes = Dataset()
    attributes.PatientName = "Müller"
    got = read(image(attributes, character_set=wished), tmp_path)
    assert got.SpecificCharacterSet == wished
    assert str(got.PatientName) == "Müller"


def test_code_extensions_are_written(tmp_path: Path) -> None:
    attributes = Dataset()
    attributes.PatientName = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    got = read(image(attributes, character_set="\\ISO 2022 IR 87"), tmp_path)
    assert str(got.PatientName) == "Yamada^Tarou=山田^太郎=やまだ^たろう"


@pytest.mark.parametrize("build", [image, document])
def test_what_cannot_be_written_names_the_tag(build: object) -> None:
    attributes = Dataset()
    attributes.PatientName = "山田"
    with pytest.raises(PermanentError, match=r"PatientName \(0010,0010\)"):
        build(attributes, character_set="ISO_IR 100")
    attributes.add_new(0x00100020, "LO", "x" * 65)
    with pytest.raises(PermanentError, match="PatientID"):
        build(attributes)


def test_private_tags_get_a_creator(tmp_path: Path) -> None:
    orphan = Dataset()
    orphan.add_new(0x00091001, "LO", "x")
    dataset, notes = capture(orphan, GREY, IDENTITY, ExplicitVRLittleEndian)
    assert read(dataset, tmp_path)[0x00090010].value == "DICOMPRINTER"
    assert notes == ["(0009,10xx): private tags without a creator, DICOMPRINTER was named"]


def test_losses_add_up(tmp_path: Path) -> None:
    rgb = Page(
        np.random.default_rng(9).integers(0, 256, (64, 64, 3), dtype=np.uint8), 8, lossy=LossySource("ISO_10918_1", 12)
    )
    got = read(image(Dataset(), rgb), tmp_path)
    assert (got.LossyImageCompression, got.LossyImageCompressionRatio) == ("01", 12)
    got = read(image(Dataset(), rgb, JPEGBaseline8Bit), tmp_path)
    assert got.LossyImageCompressionMethod == ["ISO_10918_1", "ISO_10918_1"]
    assert len(got.LossyImageCompressionRatio) == 2
    assert "LossyImageCompression" not in image(Dataset())


def test_a_pdf_goes_in_unchanged(tmp_path: Path) -> None:
    pdf = b"%PDF-1.4 odd"[:11]
    got = read(document(full(), pdf), tmp_path)
    assert got.EncapsulatedDocument == pdf + b"\0"
    assert got.EncapsulatedDocumentLength == 11
    assert (got.Modality, got.BurnedInAnnotation, got.DocumentTitle) == ("DOC", "YES", "scan.pdf")
    assert got.AcquisitionDateTime == "20240229130506.000070"
    assert got.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert len(got.ConceptNameCodeSequence) == 0
    attributes = Dataset()
    attributes.Modality, attributes.BurnedInAnnotation, attributes.DocumentTitle = "CR", "NO", "Bericht"
    got = document(attributes)
    assert (got.Modality, got.BurnedInAnnotation, got.DocumentTitle) == ("CR", "NO", "Bericht")


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_same_job_makes_the_same_file(syntax: UID, tmp_path: Path) -> None:
    write(image(full(), syntax=syntax), tmp_path / "a")
    write(image(full(), syntax=syntax), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_writing_takes_no_second_copy(tmp_path: Path) -> None:
    dataset = image(Dataset(), Page(np.zeros((6000, 6000, 3), np.uint8), 8))
    tracemalloc.start()
    try:
        write(dataset, tmp_path / "x")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "x").stat().st_size > 108_000_000
    assert peak < 10_000_000


@pytest.mark.peer("dciodvfy")
@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("attributes", [Dataset(), full()], ids=["empty", "full"])
def test_dciodvfy_finds_no_error(syntax: UID, attributes: Dataset, tmp_path: Path) -> None:
    objects = [image(attributes, syntax=syntax)]
    if not syntax.is_encapsulated:
        objects.append(document(attributes, transfer_syntax=syntax))
    for number, dataset in enumerate(objects):
        path = tmp_path / str(number)
        write(dataset, path)
        run = subprocess.run([program("dciodvfy"), "-new", str(path)], capture_output=True, text=True, check=False)
        assert run.returncode == 0
        assert "Error" not in run.stderr


@pytest.mark.parametrize(
    ("character_set", "keyword", "text"),
    [
        # Without an escape sequence of its own, a second line would be read as something else (PS3.5 6.1.2.5.3).
        ("ISO 2022 IR 6\\ISO 2022 IR 149", "ImageComments", "홍길동\n길동"),
        ("ISO 2022 IR 6\\ISO 2022 IR 100\\ISO 2022 IR 101", "ImageComments", "Łódź\nŁ"),
        # The first value designates no second half.
        ("ISO 2022 IR 6\\ISO 2022 IR 100", "PatientName", "Müller^Ä"),
        ("ISO_IR 100", "PatientName", "Иванов"),
    ],
)
def test_what_would_be_read_back_as_something_else_is_refused(character_set: str, keyword: str, text: str) -> None:
    attributes = Dataset()
    setattr(attributes, keyword, text)
    with pytest.raises(PermanentError, match=keyword):
        image(attributes, character_set=character_set)


@pytest.mark.parametrize(
    ("character_set", "keyword", "text"),
    [
        ("ISO 2022 IR 6\\ISO 2022 IR 87", "PatientName", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO 2022 IR 6\\ISO 2022 IR 149", "PatientName", "Hong^Gildong=洪^吉洞=홍^길동"),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", "ImageComments", "Größe\nплёнка"),
        ("GB18030", "ImageComments", "王\n小东"),
    ],
)
def test_what_a_wished_set_holds_is_read_back(tmp_path: Path, character_set: str, keyword: str, text: str) -> None:
    attributes = Dataset()
    setattr(attributes, keyword, text)
    got = read(image(attributes, character_set=character_set), tmp_path)
    assert str(got[keyword].value) == text.replace("\n", "\r\n")
