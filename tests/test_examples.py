"""Every file in examples/ loads, and does in a dry run what its comments say."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import (
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
    JPEGLSLossless,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.actions.registry import actions
from dicomprinter.config.canonical import canonical
from dicomprinter.config.spec import Report
from dicomprinter.config.xml import parse
from dicomprinter.errors import ConfigError
from dicomprinter.program import load
from tests.links import ROOT
from tests.waiting import PATIENCE

EXAMPLES = sorted((ROOT / "examples").glob("*.xml"))
COMMAND = (sys.executable, "-m", "dicomprinter")
PATIENT = ("--set", "PatientID=4711", "--set", "PatientName=Muster^Erika")


@dataclass(frozen=True)
class Outcome:
    """What a dry run said and wrote."""

    exit_code: int
    report: dict[str, Any]

    @property
    def outcome(self) -> tuple[int, str]:
        return self.exit_code, self.report["outcome"]

    @property
    def said(self) -> list[str]:
        """The lines of its history."""
        return [line["message"] for line in self.report["history"]]

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Action and transfer syntax of each instance."""
        return [(one["action"], one["transfer_syntax_uid"]) for one in self.report["instances"]]

    @property
    def objects(self) -> list[Dataset]:
        return [dcmread(one["file"]) for one in self.report["instances"]]


DryRun = Callable[..., Outcome]


@pytest.fixture
def dry_run(run: DryRun, tmp_path: Path) -> DryRun:
    """`dry_run("seed.xml", "--assume", …)`, with a grey page unless `file` names another."""
    return partial(run, "--dry-run", "--output-dir", str(tmp_path / "out"))


@pytest.fixture
def run(tmp_path: Path) -> DryRun:
    """As `dry_run`, but a real one."""
    page = tmp_path / "page.png"
    Image.linear_gradient("L").save(page)

    def run(*arguments: str, file: Path = page) -> Outcome:
        options = [f"{ROOT}/examples/{word}" if word.endswith(".xml") else word for word in arguments]
        command = [*COMMAND, "run", "--json", "--base", str(tmp_path / "base"), *options, str(file)]
        # Standard error is for people; here it only shows up when a test fails.
        ended = subprocess.run(
            command, stdout=subprocess.PIPE, encoding="utf-8", timeout=PATIENCE, check=False, cwd=tmp_path
        )
        assert ended.stdout, f"no report; exit code {ended.returncode}"
        return Outcome(ended.returncode, json.loads(ended.stdout))

    return run


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_every_example_loads_without_an_environment(file: Path) -> None:
    program = load(file, environment={})
    assert program.actions
    assert list(program.workflow.walk())


def test_every_example_is_described_and_run_here() -> None:
    here, described = Path(__file__).read_text("utf-8"), (ROOT / "examples" / "README.md").read_text("utf-8")
    assert [file.name for file in EXAMPLES if f'dry_run("{file.name}"' not in here] == []
    assert [file.name for file in EXAMPLES if f"[{file.name}]({file.name})" not in described] == []


# seed.xml


def test_the_seed_is_as_it_was_given() -> None:
    text = "\n".join((ROOT / "examples" / "seed.xml").read_text("utf-8").splitlines()) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest == "21b2bace33b83cd54ad2b15cd6ee88a37095d798cdfd45e1c8ceda29eadcac0d"


def test_the_seed_sends_a_matched_job_to_both_archives(dry_run: DryRun) -> None:
    result = dry_run("seed.xml", "--assume", "QUERY_FOUND=true", *PATIENT)
    assert result.outcome == (0, "done")
    assert result.sent == [("SendToPrimaryPACS", JPEGLosslessSV1), ("SendToBackup", ExplicitVRLittleEndian)]
    primary, backup = result.objects
    assert primary.InstitutionName == "Medical Center"
    assert primary.SOPInstanceUID == backup.SOPInstanceUID
    (frame,) = generate_frames(primary.PixelData, number_of_frames=1)
    assert imagecodecs.jpeg8_decode(frame).tolist() == backup.pixel_array.tolist()


def test_the_seed_sends_nothing_of_a_job_that_is_not_in_the_worklist(dry_run: DryRun) -> None:
    result = dry_run("seed.xml", "--assume", "QUERY_FOUND=false", *PATIENT)
    assert (result.outcome, result.sent) == ((0, "done"), [])


# field-dialect.xml


def test_the_field_dialect_does_what_the_seed_does(dry_run: DryRun) -> None:
    result = dry_run("field-dialect.xml", "--assume", "QUERY_FOUND=true", *PATIENT)
    assert result.outcome == (0, "done")
    assert result.sent == [("Send to PACS", JPEGLosslessSV1), ("Send to backup", ExplicitVRLittleEndian)]
    assert result.objects[0].InstitutionName == "Medical Center"


@pytest.mark.parametrize("assumed", [("QUERY_FOUND=0",), ("QUERY_FOUND=1", "STORE_SUCCEEDED=0")])
def test_the_field_dialect_waits_for_the_order_and_for_the_archive(dry_run: DryRun, assumed: tuple[str, ...]) -> None:
    options = [word for one in assumed for word in ("--assume", one)]
    assert dry_run("field-dialect.xml", *options, *PATIENT).outcome == (4, "suspended")


# scan-to-pacs.xml


def test_a_scan_is_described_and_sent(dry_run: DryRun) -> None:
    result = dry_run("scan-to-pacs.xml", "--name", "letter", *PATIENT)
    assert result.outcome == (0, "done")
    (scan,) = result.objects
    assert (scan.SOPClassUID, scan.PatientID) == (SecondaryCaptureImageStorage, "4711")
    assert (scan.StudyDescription, scan.InstitutionName) == ("Scan letter", "Medical Center")


def test_a_pdf_is_sent_as_it_is(dry_run: DryRun, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    canvas = Canvas(str(file))
    canvas.drawString(72, 72, "a report")
    canvas.save()
    (report,) = dry_run("scan-to-pacs.xml", *PATIENT, file=file).objects
    assert report.SOPClassUID == EncapsulatedPDFStorage
    assert report.EncapsulatedDocument[: report.EncapsulatedDocumentLength] == file.read_bytes()


# report-with-worklist.xml


def test_a_report_that_fits_one_order_is_sent(dry_run: DryRun) -> None:
    result = dry_run("report-with-worklist.xml", "--assume", "QUERY_FOUND=true", *PATIENT)
    assert (result.outcome, result.sent) == ((0, "done"), [("SendToPACS", JPEGLosslessSV1)])


def test_a_report_without_an_order_waits_for_it(dry_run: DryRun) -> None:
    result = dry_run("report-with-worklist.xml", "--assume", "QUERY_FOUND=false", *PATIENT)
    assert (result.outcome, result.sent) == ((4, "suspended"), [])


def test_a_report_that_fits_several_orders_even_after_a_person_has_chosen_is_not_sent(dry_run: DryRun) -> None:
    several = ("--assume", "QUERY_FOUND=true", "--assume", "QUERY_PARTIAL=true")
    result = dry_run("report-with-worklist.xml", *several, *PATIENT)
    assert (result.outcome, result.sent) == ((4, "suspended"), [])
    # A dry run tells what it would wait for, and goes on: the worklist, a person, the worklist again.
    told = " ".join(result.said)
    asked = "FindOrder: would ask"
    assert told.index(asked) < told.index('"AskOperator" waits for an operator') < told.rindex(asked)


@pytest.mark.parametrize("options", [(), ("--set", "PatientID=47*"), ("--set", "PatientID=471?")])
def test_a_report_whose_number_could_fit_anybody_is_not_sent(
    run: DryRun, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where the worklist would be; it must not come to that.
    monkeypatch.setenv("RIS_HOST", "host.invalid")
    result = run("report-with-worklist.xml", *options)
    assert (result.outcome, result.sent) == ((3, "manual"), [])
    assert not any(line.startswith("FindOrder") for line in result.said)


# two-archives.xml


def test_both_archives_get_the_same_instance(dry_run: DryRun) -> None:
    result = dry_run("two-archives.xml", *PATIENT)
    assert result.outcome == (0, "done")
    assert result.sent == [("SendToBackup", ExplicitVRLittleEndian), ("SendToPrimary", JPEGLosslessSV1)]
    assert len({one.SOPInstanceUID for one in result.objects}) == 1


def test_a_job_that_only_the_backup_has_waits_for_the_first_archive(dry_run: DryRun) -> None:
    result = dry_run("two-archives.xml", "--assume", "STORE_SUCCEEDED(SendToPrimary)=false", *PATIENT)
    assert result.outcome == (4, "suspended")


def test_a_job_that_no_archive_has_is_tried_once_more_at_once(dry_run: DryRun) -> None:
    result = dry_run("two-archives.xml", "--assume", "STORE_SUCCEEDED=false", *PATIENT)
    assert result.outcome == (0, "done")


# pdf-as-images.xml


def test_a_pdf_is_pictures_for_the_wards_and_itself_for_the_archive(dry_run: DryRun, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    canvas = Canvas(str(file), pagesize=(144, 72))
    for text in ("one", "two"):
        canvas.drawString(36, 36, text)
        canvas.showPage()
    canvas.save()
    wards, archive = dry_run("pdf-as-images.xml", *PATIENT, file=file).objects
    assert wards.SOPClassUID == MultiFrameTrueColorSecondaryCaptureImageStorage
    assert (wards.NumberOfFrames, wards.Rows, wards.Columns) == (2, 200, 400)
    assert wards.file_meta.TransferSyntaxUID == JPEGLSLossless
    assert archive.SOPClassUID == EncapsulatedPDFStorage
    assert archive.EncapsulatedDocument[: archive.EncapsulatedDocumentLength] == file.read_bytes()


# by-sender.xml


@pytest.mark.parametrize(
    ("host", "modality", "station", "description"),
    [("ECG-Room", "ECG", "ECG-1", "ECG at rest"), ("scanner-3", "OT", "scanner-3", "Letter, scanned by drsmith")],
)
def test_who_sent_it_decides(dry_run: DryRun, host: str, modality: str, station: str, description: str) -> None:
    result = dry_run("by-sender.xml", "--host", host, "--user", "drsmith", *PATIENT)
    (sent,) = result.objects
    assert (sent.Modality, sent.StationName, sent.StudyDescription) == (modality, station, description)


@pytest.mark.parametrize("options", [("--host", "elsewhere"), ("--host", "ecg-room", "--name", "Test Page.pdf")])
def test_what_nobody_wants_is_thrown_away(dry_run: DryRun, options: tuple[str, ...]) -> None:
    result = dry_run("by-sender.xml", *options, *PATIENT)
    assert (result.outcome, result.sent) == ((5, "discarded"), [])


# What the pages for readers show


def test_the_configuration_in_the_readme_loads_and_its_mistake_is_told_as_shown(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (block,) = re.findall(r"^```xml\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    (shown,) = re.findall(r"^config\.xml:\d.*$", readme, re.MULTILINE)
    file = tmp_path / "config.xml"
    file.write_text(block, "utf-8")
    assert set(load(file, environment={}).actions) == {"Describe", "SendToPACS"}
    file.write_text(block.replace('action="SendToPACS"', 'action="SendToPacs"'), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, environment={})
    assert str(caught.value) == f"{tmp_path}/{shown}"


def test_the_action_in_the_architecture_page_is_one() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"__name__": "site_actions"}
    exec(compile(block, "architecture.md", "exec", dont_inherit=True), names)
    stamp, report = names["Stamp"], Report()
    assert stamp.spec.name not in actions()
    node = canonical(parse(b'<Stamp name="S">for #{PatientID}</Stamp>', Path("config.xml")), stamp.spec, report)
    assert report.errors == []
    noted: list[str] = []

    class Job:
        def expand(self, template: Any, place: str) -> str:
            return f"{place}: {template.source}"

        def note(self, message: str) -> None:
            noted.append(message)

    stamp.read(node).perform(Job(), None)
    assert noted == ["S: for #{PatientID}"]
