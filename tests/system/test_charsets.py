"""Names of other scripts: from the worklist into the object, to the archive, and back by a query of DCMTK's."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from pydicom import dcmread

from dicomprinter.demo.worklist import worklist_entry
from dicomprinter.workflow.interpreter import Done
from tests.imaging.pictures import pdf
from tests.peers import program, servers
from tests.system.help import House, perform, png, store
from tests.system.service import connection

pytestmark = pytest.mark.peer("wlmscpfs", "Orthanc", "findscu")

NAMES = ("Müller^Jürgen", "Иванов^Пётр", "山田^太郎=やまだ^たろう")
ENTRIES = [
    worklist_entry(
        patient_name=name,
        patient_id=f"P{number}",
        accession_number=f"A{number}",
        description="Befund",
        start=datetime.now(),
    )
    for number, name in enumerate(NAMES)
]
# As a German worklist has it.
ENTRIES[0].SpecificCharacterSet = "ISO_IR 100"


@pytest.fixture(scope="module")
def ris(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.WorklistServer]:
    with servers.wlmscpfs(tmp_path_factory.mktemp("ris"), ENTRIES) as server:
        yield server


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Orthanc]:
    with servers.orthanc(tmp_path_factory.mktemp("archive")) as server:
        yield server


def find(archive: servers.Orthanc, patient_id: str, folder: Path) -> str:
    """The patient's name as the archive answers it to DCMTK."""
    folder.mkdir()
    keys = ["QueryRetrieveLevel=STUDY", f"PatientID={patient_id}", "PatientName", "SpecificCharacterSet=ISO_IR 192"]
    command = [program("findscu"), "-S", "-X", "-od", str(folder), "-aec", archive.ae_title]
    command += [option for key in keys for option in ("-k", key)]
    subprocess.run([*command, "127.0.0.1", str(archive.port)], check=True, capture_output=True)
    (answer,) = (dcmread(file, force=True) for file in folder.iterdir())
    answer.decode()
    return str(answer.PatientName)


@pytest.mark.parametrize("number", range(len(NAMES)), ids=["umlauts", "Cyrillic", "Japanese"])
def test_a_name_comes_back_unchanged(
    house: House, ris: servers.WorklistServer, archive: servers.Orthanc, tmp_path: Path, number: int
) -> None:
    query = (
        f'<Query name="Find" type="Worklist">{connection(ris.port, ris.ae_title)}'
        '<DcmTag tag="PatientID">#{PatientID}</DcmTag></Query>'
    )
    actions = query + store("Send", archive.port, ae_title=archive.ae_title)
    job = house.job(png(number), pdf(), PatientID=f"P{number}")
    assert house.run(house.program(actions, perform("Find", "Send")), job) == Done()
    assert str(job.dataset.PatientName) == NAMES[number]
    stored = [archive.tags(one) for one in archive.instances()]
    assert [one["PatientName"] for one in stored if one["PatientID"] == f"P{number}"] == [NAMES[number]] * 2
    assert find(archive, f"P{number}", tmp_path / "answers") == NAMES[number]
