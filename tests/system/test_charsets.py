"""Names of other scripts: from the worklist into the object, to the archive, and back by a query of DCMTK's."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_charset_files
from pydicom.dataset import Dataset

from dicomprinter.demo.worklist import worklist_entry
from dicomprinter.workflow.interpreter import Done
from tests.imaging.pictures import pdf
from tests.peers import program, servers
from tests.system.help import House, perform, png, store
from tests.system.service import connection

pytestmark = pytest.mark.peer("wlmscpfs", "Orthanc", "findscu")

# pydicom's files hold names as other programs wrote them: each is asked for with the bytes and the set that it has.
FILES = (
    "chrArab.dcm",
    "chrFren.dcm",
    "chrGerm.dcm",
    "chrGreek.dcm",
    "chrH31.dcm",
    "chrH32.dcm",
    "chrHbrw.dcm",
    "chrI2.dcm",
    "chrJapMulti.dcm",
    "chrKoreanMulti.dcm",
    "chrRuss.dcm",
    "chrX1.dcm",
    "chrX2.dcm",
)
# Scripts that pydicom has no file of.
WRITTEN = {
    "Czech": ("ISO_IR 101", "Dvořák^Přemysl"),
    "Turkish": ("ISO_IR 148", "Yıldız^Çağrı"),
    "Thai": ("ISO_IR 166", "สมชาย^ใจดี"),
    "Cyrillic": ("ISO_IR 192", "Иванов^Пётр"),
    "Hindi": ("ISO_IR 192", "शर्मा^अनिल"),
    "Armenian": ("ISO_IR 192", "Սարգսյան^Արամ"),
    "Georgian": ("ISO_IR 192", "ბერიძე^ნინო"),
    "Vietnamese": ("ISO_IR 192", "Nguyễn^Thị Hương"),
    "beyond the first plane": ("ISO_IR 192", "𠮷野^太郎"),
}


def names() -> dict[str, tuple[list[str], str]]:
    found = {}
    for file in FILES:
        (path,) = get_charset_files(file)
        dataset = dcmread(path)
        terms = dataset.SpecificCharacterSet
        found[file] = ([terms] if isinstance(terms, str) else list(terms), str(dataset.PatientName))
    return found | {script: ([term], name) for script, (term, name) in WRITTEN.items()}


NAMES = names()
IDS = {script: f"P{number}" for number, script in enumerate(NAMES)}


def entry(script: str) -> Dataset:
    terms, name = NAMES[script]
    made = worklist_entry(
        patient_name=name,
        patient_id=IDS[script],
        accession_number=f"A{IDS[script]}",
        description="Report",
        start=datetime.now(),
    )
    made.SpecificCharacterSet = terms
    return made


ENTRIES = [entry(script) for script in NAMES]


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


@pytest.mark.parametrize("script", NAMES)
def test_a_name_comes_back_unchanged(
    house: House, ris: servers.WorklistServer, archive: servers.Orthanc, tmp_path: Path, script: str
) -> None:
    patient_id, name = IDS[script], NAMES[script][1]
    query = (
        f'<Query name="Find" type="Worklist">{connection(ris.port, ris.ae_title)}'
        '<DcmTag tag="PatientID">#{PatientID}</DcmTag></Query>'
    )
    actions = query + store("Send", archive.port, ae_title=archive.ae_title)
    number = list(NAMES).index(script)
    job = house.job(png(number), pdf(), PatientID=patient_id)
    assert house.run(house.program(actions, perform("Find", "Send")), job) == Done()
    assert str(job.dataset.PatientName) == name
    stored = [archive.tags(one) for one in archive.instances()]
    assert [one["PatientName"] for one in stored if one["PatientID"] == patient_id] == [name] * 2
    assert find(archive, patient_id, tmp_path / "answers") == name


@pytest.mark.parametrize("script", NAMES)
def test_a_patient_is_found_by_a_name_of_the_job(
    house: House, archive: servers.Orthanc, tmp_path: Path, script: str
) -> None:
    """The key goes out in a set that holds it, and the archive's answer is the one patient."""
    patient_id, name = f"Q{IDS[script]}", NAMES[script][1]
    send = store("Send", archive.port, ae_title=archive.ae_title)
    job = house.job(png(), PatientID=patient_id, PatientName=name, StudyDescription="Report")
    assert house.run(house.program(send, perform("Send")), job) == Done()
    query = (
        f'<Query name="Find" type="Study">{connection(archive.port, archive.ae_title)}'
        f'<DcmTag tag="PatientName"/><DcmTag tag="PatientID">{patient_id}</DcmTag>'
        '<DcmTag tag="StudyDescription"/></Query>'
    )
    asking = house.job(png(), PatientName=name)
    assert house.run(house.program(query, perform("Find")), asking) == Done()
    assert (str(asking.dataset.get("PatientName")), asking.dataset.get("StudyDescription")) == (name, "Report")
