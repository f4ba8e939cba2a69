"""The complete example of the manual, as it was written, against programs from outside."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import (
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
    SecondaryCaptureImageStorage,
)

from dicomprinter.demo.worklist import worklist_entry
from tests.imaging.pictures import pdf
from tests.links import ROOT
from tests.peers import program, servers
from tests.system.service import COMMAND
from tests.waiting import PATIENCE

pytestmark = pytest.mark.peer("wlmscpfs", "Orthanc", "storescp", "dcmdjpeg", "gdcmconv")


@dataclass(frozen=True)
class Site:
    """A worklist and two archives."""

    folder: Path
    entry: Dataset
    ris: servers.WorklistServer
    primary: servers.Orthanc
    backup: servers.StoreServer

    def run(self, patient_id: str, *files: Path) -> tuple[int, dict[str, Any]]:
        """The exit code and the report of the seed's example."""
        endpoints = {"RIS": self.ris.port, "PACS_PRIMARY": self.primary.port, "PACS_BACKUP": self.backup.port}
        options = [word for name, port in endpoints.items() for word in ("--endpoint", f"{name}=127.0.0.1:{port}")]
        options += ["--set", f"PatientID={patient_id}", "--base", str(self.folder / "base"), "--json"]
        ended = subprocess.run(
            [*COMMAND, "run", str(ROOT / "examples" / "seed.xml"), *map(str, files), *options],
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
        assert not any((self.folder / "base" / "spool" / "jobs").iterdir())
        return ended.returncode, json.loads(ended.stdout)

    def held(self) -> dict[str, Dataset]:
        """What Orthanc holds, each as it arrived, by its SOP class."""
        found = {}
        for instance in self.primary.instances():
            file = self.folder / f"{instance}.dcm"
            file.write_bytes(self.primary.file(instance))
            dataset = dcmread(file)
            found[str(dataset.SOPClassUID)] = dataset
        return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    entry = worklist_entry(
        patient_name="Muster^Erika",
        patient_id="4711",
        accession_number="A4711",
        description="ECG at rest",
        start=datetime.now(),
        modality="ECG",
    )
    with (
        servers.wlmscpfs(tmp_path / "ris", [entry], ae_title="RIS") as ris,
        servers.orthanc(tmp_path / "primary", ae_title="PACS_PRIMARY") as primary,
        servers.storescp(tmp_path / "backup", ae_title="PACS_BACKUP") as backup,
    ):
        yield Site(tmp_path, entry, ris, primary, backup)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A colour page with noise, so that no loss goes unseen."""
    file = tmp_path / "page.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (163, 241, 3), dtype=np.uint8)).save(file)
    return file


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "report.pdf"
    # An odd number of bytes, so that the padding is met.
    file.write_bytes(pdf() if len(pdf()) % 2 else pdf() + b"\n")
    return file


def pixels(file: Path) -> list[Any]:
    """By DCMTK or GDCM, whoever has written it uncompressed."""
    dataset = dcmread(file)
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    shape = (dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)
    values = np.frombuffer(dataset.PixelData, np.uint8)[: int(np.prod(shape))].reshape(shape)
    return list(values.tolist())


def test_the_complete_example_of_the_seed(site: Site, page: Path, report: Path) -> None:
    begin = date.today()
    code, said = site.run("4711", page, report)
    # The job's own day; midnight may come meanwhile.
    days = {f"{day:%Y%m%d}" for day in (begin, date.today())}
    assert (code, said["outcome"]) == (0, "done")
    held = site.held()
    assert set(held) == {SecondaryCaptureImageStorage, EncapsulatedPDFStorage}
    for instance in site.primary.instances():
        tags = site.primary.tags(instance)
        assert (tags["PatientName"], tags["PatientID"]) == ("Muster^Erika", "4711")
        assert (tags["AccessionNumber"], tags["StudyInstanceUID"]) == ("A4711", site.entry.StudyInstanceUID)
        assert tags["InstitutionName"] == "Medical Center"
        assert tags["StudyDate"] in days

    picture = held[SecondaryCaptureImageStorage]
    assert picture.file_meta.TransferSyntaxUID == JPEGLosslessSV1
    expected = np.asarray(Image.open(page)).tolist()
    arrived = Path(str(picture.filename))
    for command in ([program("dcmdjpeg")], [program("gdcmconv"), "-w", "-i"]):
        decoded = site.folder / "decoded.dcm"
        into = ["-o", str(decoded)] if "-i" in command else [str(decoded)]
        subprocess.run([*command, str(arrived), *into], check=True, capture_output=True)
        assert pixels(decoded) == expected, command[0]

    document = held[EncapsulatedPDFStorage]
    data = report.read_bytes()
    assert document.EncapsulatedDocumentLength == len(data)
    assert document.EncapsulatedDocument[: len(data)] == data
    assert document.Modality == "DOC"

    # The backup holds the same objects, uncompressed.
    kept = {str(one.SOPInstanceUID): one for one in site.backup.read()}
    assert kept.keys() == {str(one.SOPInstanceUID) for one in held.values()}
    copy = kept[str(picture.SOPInstanceUID)]
    assert pixels(Path(str(copy.filename))) == expected


def test_a_patient_that_the_worklist_does_not_know(site: Site, page: Path, report: Path) -> None:
    code, said = site.run("0815", page, report)
    assert (code, said["outcome"], said["instances"]) == (0, "done", [])
    assert (site.primary.instances(), site.backup.files) == ([], [])
    assert any("nothing was found" in line["message"] for line in said["history"])
