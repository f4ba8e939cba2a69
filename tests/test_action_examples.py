"""Every action has a page, and an example that loads, performs it, and does in a dry run what its comments say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import (
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.program import load
from dicomprinter.workflow.nodes import Perform, Update
from docs.generate.action_page import EXAMPLES, kinds
from docs.generate.elements import page_name
from tests.cli.conftest import Call, call, home
from tests.imaging.texts import GERMAN, text_page, turned
from tests.links import ROOT

__all__ = ["call", "home"]


@dataclass(frozen=True)
class Outcome:
    """What a dry run said and wrote."""

    report: dict[str, Any]

    @property
    def said(self) -> str:
        """Its history."""
        return "\n".join(line["message"] for line in self.report["history"])

    @property
    def objects(self) -> list[Dataset]:
        """What would be sent, in that order."""
        return [dcmread(one["file"]) for one in self.report["instances"]]


DryRun = Callable[..., Outcome]


@pytest.fixture
def dry_run(call: Call, tmp_path: Path, page: Path) -> DryRun:
    """`dry_run("trim", file, "--name", …)`: a job of a colour page when no file is named, which ends as it should."""

    def run(name: str, *arguments: object, ends: tuple[int, str] = (0, "done")) -> Outcome:
        files = () if any(isinstance(one, Path) for one in arguments) else (page,)
        said = call(
            "run", "--json", EXAMPLES / f"{name}.xml", *files, *arguments, "--dry-run",
            "--output-dir", tmp_path / "out", "--set", "PatientID=4711", "--set", "PatientName=Muster^Erika",
        )  # fmt: skip
        assert (said.code, said.json["outcome"]) == ends, said.err
        return Outcome(said.json)

    return run


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Red on the left, blue on the right; 200 × 100 pixels."""
    file = tmp_path / "page.png"
    picture = Image.new("RGB", (200, 100), "red")
    picture.paste("blue", (100, 0, 200, 100))
    picture.save(file)
    return file


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A PDF of two pages with a text."""
    file = tmp_path / "report.pdf"
    canvas = Canvas(str(file), pagesize=(288, 144))
    for text in ("Report, page one", "Report, page two"):
        canvas.drawString(36, 72, text)
        canvas.showPage()
    canvas.save()
    return file


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.xml")), ids=lambda file: file.name)
def test_an_example_loads_without_an_environment_and_performs_its_action(file: Path) -> None:
    program = load(file, environment={})
    assert program.remarks == []
    nodes = list(program.workflow.walk())
    performed = {program.actions[node.action].spec.name for node in nodes if isinstance(node, Perform)}
    shown = performed | {"Update" for node in nodes if isinstance(node, Update)}
    assert file.stem in {page_name(kind) for kind in shown}


def test_every_action_has_an_example_that_is_run_here() -> None:
    here = Path(__file__).read_text("utf-8")
    there = {file.stem for file in EXAMPLES.glob("*.xml")}
    assert there == {page_name(kind) for kind in kinds()}
    assert [name for name in there if f'dry_run("{name}"' not in here] == []


@pytest.mark.parametrize("kind", kinds())
def test_an_action_has_a_page_with_its_elements_and_its_example(kind: str) -> None:
    name = page_name(kind)
    text = (ROOT / "docs/actions" / f"{name}.md").read_text("utf-8")
    assert text.startswith(f"# {kind}\n")
    assert f"<!-- generated: action {kind} -->" in text
    assert f"<!-- generated: example {name} -->" in text
    assert re.search(r"^## .*[Ss]econd time", text, re.MULTILINE) or "Sent once" in text
    assert f"actions/{name}.md" in (ROOT / "mkdocs.yml").read_text("utf-8")


def test_query(dry_run: DryRun) -> None:
    result = dry_run("query", "--assume", "QUERY_FOUND=true")
    assert "FindStudy: would ask" in result.said
    assert "waits for an operator" not in result.said
    (sent,) = result.objects
    assert sent.PatientID == "4711"


@pytest.mark.parametrize("assumed", [("QUERY_FOUND=false",), ("QUERY_FOUND=true", "QUERY_PARTIAL=true")])
def test_query_that_finds_none_or_several_asks_a_person(dry_run: DryRun, assumed: tuple[str, ...]) -> None:
    result = dry_run("query", *(word for one in assumed for word in ("--assume", one)))
    assert '"AskOperator" waits for an operator' in result.said


def test_set_tag(dry_run: DryRun) -> None:
    (sent,) = dry_run("set-tag", "--name", "letter").objects
    assert sent.StudyDescription == f"Scan letter of {sent.StudyDate}"
    assert (sent.InstitutionName, sent.ReferringPhysicianName) == ("Medical Center", "")
    (ward,) = [element for element in sent if element.tag.is_private and not element.tag.is_private_creator]
    assert (ward.VR, ward.value) == ("SH", "Ward 3")
    assert any(element.tag.is_private_creator for element in sent)


def test_store_of_a_picture(dry_run: DryRun) -> None:
    archive, viewer = dry_run("store").objects
    assert (archive.SOPClassUID, archive.PhotometricInterpretation) == (SecondaryCaptureImageStorage, "RGB")
    assert archive.file_meta.TransferSyntaxUID == JPEGLosslessSV1
    assert (viewer.PhotometricInterpretation, viewer.file_meta.TransferSyntaxUID) == ("MONOCHROME2", JPEGBaseline8Bit)


def test_store_of_a_pdf(dry_run: DryRun, report: Path) -> None:
    archive, viewer = dry_run("store", report).objects
    assert (archive.SOPClassUID, archive.file_meta.TransferSyntaxUID) == (
        EncapsulatedPDFStorage,
        ExplicitVRLittleEndian,
    )
    assert viewer.SOPClassUID == MultiFrameGrayscaleByteSecondaryCaptureImageStorage
    assert (viewer.NumberOfFrames, viewer.Rows, viewer.Columns) == (2, 300, 600)


def test_save(dry_run: DryRun, page: Path, tmp_path: Path) -> None:
    result = dry_run("save", page)
    folder = tmp_path / "out" / "archive"
    found = {}
    for file in (one for one in folder.rglob("[!.]*") if one.is_file()):
        name = re.sub(r"^\d{4}/\d\d/\d\d/", "DAY/", str(file.relative_to(folder)))
        found[re.sub(r"\d{8}T\d+-[0-9a-f]+", "ID", name)] = file
    assert sorted(found) == [
        "DAY/DICOMDIR",
        "DAY/DP_00001",
        "by-job/DICOM/IM_00001",
        "by-job/DICOMDIR",
        "by-job/ID/OT-1_000001.dcm",
        "originals/page_000001.png",
        "originals/page_000001.png.json",
    ]
    assert found["originals/page_000001.png"].read_bytes() == page.read_bytes()
    assert dcmread(found["DAY/DP_00001"]).PatientID == "4711"
    assert result.objects == []


def test_merge_job(dry_run: DryRun) -> None:
    result = dry_run("merge-job")
    assert "Collect: there is no queue here, so there is nothing to merge" in result.said
    assert len(result.objects) == 1


def test_rotate(dry_run: DryRun) -> None:
    (sent,) = dry_run("rotate").objects
    assert sent.pixel_array[[50, 150], 50].tolist() == [[255, 0, 0], [0, 0, 255]]
    assert (sent.Rows, sent.Columns) == (200, 100)


def test_rotate_turns_the_pages_of_a_pdf(dry_run: DryRun, report: Path) -> None:
    assert [(one.Rows, one.Columns) for one in dry_run("rotate", report).objects] == [(600, 300), (600, 300)]


def test_trim(dry_run: DryRun) -> None:
    (sent,) = dry_run("trim").objects
    assert (sent.Rows, sent.Columns) == (90, 100)
    assert set(map(tuple, sent.pixel_array.reshape(-1, 3).tolist())) == {(0, 0, 255)}


def test_resize(dry_run: DryRun) -> None:
    (sent,) = dry_run("resize").objects
    assert (sent.Rows, sent.Columns) == (500, 1000)
    assert sent.pixel_array[250, [100, 900]].tolist() == [[255, 0, 0], [0, 0, 255]]


def test_print_text(dry_run: DryRun, page: Path, report: Path) -> None:
    picture, *of_the_pdf = dry_run("print-text", page, report).objects
    # Half of the red page shows through the white; above it there is nothing.
    assert picture.pixel_array[93, 12].tolist() == [255, 128, 128]
    assert picture.pixel_array[90, 12].tolist() == [255, 0, 0]
    assert len(of_the_pdf) == 2
    for sent in of_the_pdf:
        rows, columns = np.nonzero((sent.pixel_array == (0, 0, 128)).all(axis=2))
        assert rows.min() > sent.Rows * 0.92
        assert abs(columns.min() + columns.max() - sent.Columns) < 10


def test_print_image(dry_run: DryRun, page: Path, report: Path) -> None:
    objects = dry_run("print-image", page, report).objects
    assert len(objects) == 3
    for sent in objects:
        red, green, _ = np.moveaxis(sent.pixel_array.astype(int), 2, 0)
        rows, columns = np.nonzero(green - red > 30)  # nothing else has more green than red
        assert columns.min() > sent.Columns * 0.7
        assert rows.max() < sent.Rows * 0.11


def test_set_sequence(dry_run: DryRun, report: Path, page: Path) -> None:
    result = dry_run("set-sequence", page, report, "--set", "AccessionNumber=A7")
    picture, document = result.objects
    for sent in (picture, document):
        (order,) = sent.RequestAttributesSequence
        assert (order.RequestedProcedureID, order.ScheduledProtocolCodeSequence[0].CodeValue) == ("A7", "SCAN")
    assert picture.ReferencedStudySequence == document.ReferencedStudySequence
    numbers = {sent[0x00411001][0][0x00431001].value for sent in (picture, document)}
    assert len(numbers) == 2


def test_parse_job_file_name(dry_run: DryRun) -> None:
    (sent,) = dry_run("parse-job-file-name", "--name", "ward3/0815_John_Doe.png").objects
    assert (sent.PatientID, sent.PatientName) == ("0815", "Doe^John")
    assert sent.StudyDescription == f"Scan of ward3, {sent.StudyDate}"
    assert sent.InstitutionalDepartmentName == "WARD3"


def test_parse_job_text_file(dry_run: DryRun, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    canvas = Canvas(str(file))
    lines = ["Patient: Doe, John", "Date: 01.02.2026", "Comments: nothing", "to tell", "Signed", "ORDER: A7"]
    for number, text in enumerate(lines):
        canvas.drawString(72, 700 - 20 * number, text)
    canvas.drawString(400, 700, "Patient ID: 0815")
    canvas.save()
    (sent,) = dry_run("parse-job-text-file", file).objects
    assert (sent.PatientID, sent.PatientName, sent.StudyDate) == ("0815", "Doe^John", "20260201")
    assert (sent.ImageComments, sent.AccessionNumber) == ("nothing\r\nto tell", "A7")


def test_run(dry_run: DryRun) -> None:
    result = dry_run("run", "--set", "AccessionNumber=A7")
    assert 'it would start the program "/usr/local/bin/look-up-patient" with 4 arguments' in result.said
    assert 'it would start the program "convert" with 4 arguments' in result.said
    (sent,) = result.objects
    assert sent.PatientName == "Muster^Erika"


def test_print(dry_run: DryRun, report: Path, tmp_path: Path) -> None:
    result = dry_run("print", report)
    assert (
        "film 1 of 1 of 14INX17IN would be printed by PRINTER@127.0.0.1:10104: STANDARD\\2,2, 2 of 4 images"
        in result.said
    )
    pictures = [Image.open(file) for file in sorted((tmp_path / "out" / "Film").iterdir())]
    # The pages are broad, so is the film: half of 17 inches at 300 an inch, and 16 bits of grey, of which 12 are sent.
    assert [(one.mode, one.size, one.getpixel((0, 0))) for one in pictures] == [("I;16", (2550, 1275), 65535)] * 2


@pytest.mark.parametrize(("name", "size"), [("small/ecg.pdf", "8INX10IN"), ("ecg.pdf", "14INX17IN")])
def test_update(dry_run: DryRun, name: str, size: str) -> None:
    result = dry_run("update", "--name", name)
    assert f"film 1 of 1 of {size} would be printed" in result.said
    (film,) = [line for line in result.report["history"] if line["message"] == "Film: N-CREATE of film 1"]
    assert f"FilmSizeID={size}; BorderDensity=BLACK" in film["private"]


def test_auto_rotate_text(dry_run: DryRun, tmp_path: Path) -> None:
    upright, file = text_page(GERMAN), tmp_path / "scan.png"
    Image.fromarray(turned(upright, 90)).save(file)
    (sent,) = dry_run("auto-rotate-text", file).objects
    assert sent.pixel_array.tolist() == upright.tolist()


def test_auto_rotate_text_leaves_a_page_without_text(dry_run: DryRun, page: Path) -> None:
    (sent,) = dry_run("auto-rotate-text").objects
    assert (sent.Rows, sent.Columns) == (100, 200)


def test_notify(dry_run: DryRun) -> None:
    result = dry_run("notify", "--set", "AccessionNumber=A7", "--set", "Modality=ECG", "--host", "ward-3")
    (shown,) = [line for line in result.report["history"] if line["message"].startswith("ShowOnDesktop: a dry run")]
    assert shown["private"] == "A7: the study of ECG was sent from ward-3."


def test_notify_of_what_was_not_stored(dry_run: DryRun) -> None:
    result = dry_run("notify", "--assume", "STORE_SUCCEEDED=false", ends=(4, "suspended"))
    assert "it would be mailed to 2 addresses by smtp.hospital.example:587" in result.said
    assert "it would be posted to tickets.hospital.example" in result.said


@pytest.mark.parametrize("kind", ["picture", "PDF"])
def test_add_instance(dry_run: DryRun, report: Path, kind: str) -> None:
    cover, *middle, logo = dry_run("add-instance", *([report] if kind == "PDF" else [])).objects
    assert (cover.Rows, cover.Columns) == (297, 210)
    assert set(cover.pixel_array.ravel().tolist()) == {0xC0}
    assert [(one.Rows, one.Columns) for one in middle] == ([(300, 600)] * 2 if kind == "PDF" else [(100, 200)])
    with Image.open(EXAMPLES / "logo.png") as picture:
        assert (logo.Columns, logo.Rows) == picture.size
