"""Query against real programs: DCMTK's worklist and archive, Orthanc."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from dicomprinter.actions.query.action import Query
from dicomprinter.demo.worklist import worklist_entry
from dicomprinter.job.job import Job
from tests.actions.query_help import checked, data, make_job, messages, tools
from tests.peers import program, servers

Run = Callable[[Any], Any]
SC = "1.2.840.10008.5.1.4.1.1.7"


def query(server: Any, inner: str, attributes: str) -> Query:
    peer = (
        f"<ConnectionParameters><PeerAETitle>{server.ae_title}</PeerAETitle><Host>127.0.0.1</Host>"
        f"<Port>{server.port}</Port></ConnectionParameters>"
    )
    node, report = checked(f'<Query name="Find" {attributes}>{peer}{inner}</Query>')
    assert report.errors == []
    return Query.read(node)


def perform(server: Any, job: Job, inner: str, attributes: str) -> Job:
    query(server, inner, attributes).perform(job, tools())
    return job


def order(number: int, name: str, day: int, **values: Any) -> Dataset:
    one = worklist_entry(
        patient_name=name,
        patient_id=f"P{number}",
        accession_number=f"A{number}",
        description=f"Untersuchung {number}",
        start=datetime(2026, 3, day, 9, 30),
        **values,
    )
    code = data(CodeValue=f"C{number}", CodingSchemeDesignator="99X", CodeMeaning="Größe")
    one.RequestedProcedureCodeSequence = [code]
    one.ScheduledProcedureStepSequence[0].ScheduledProtocolCodeSequence = [data(**{e.keyword: e.value for e in code})]
    return one


YAMADA = "Yamada^Tarou=山田^太郎=やまだ^たろう"
ORDERS = [
    order(1, "Müller^Jürgen", 10, modality="US"),
    order(2, "Иванов^Иван", 11, modality="ECG"),
    order(3, YAMADA, 12, modality="ECG"),
    order(4, "Doe^Jane", 1, modality="US"),
]
# wlmscpfs compares bytes: a Latin-1 key finds a Latin-1 entry alone.
ORDERS[0].SpecificCharacterSet = "ISO_IR 100"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("wlmscpfs", marks=pytest.mark.peer("wlmscpfs")),
        pytest.param("Orthanc", marks=pytest.mark.peer("Orthanc")),
    ],
)
def worklist(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("worklist")
    if request.param == "wlmscpfs":
        program("wlmscpfs")
        start: Any = servers.wlmscpfs(folder, ORDERS)
    else:
        program("Orthanc")
        start = servers.orthanc(folder, worklist=ORDERS)
    with start as server:
        yield server


WORKLIST = 'type="Worklist"'


def test_a_worklist_match_fills_the_job(worklist: Any, tmp_path: Path) -> None:
    job = perform(worklist, make_job(tmp_path), '<DcmTag tag="PatientID">P1</DcmTag>', WORKLIST)
    found = job.dataset
    assert job.flags.query_found
    assert not job.flags.query_partial
    assert str(found.PatientName) == "Müller^Jürgen"
    assert found.StudyInstanceUID == ORDERS[0].StudyInstanceUID
    assert (found.AccessionNumber, found.StudyID, found.Modality) == ("A1", "RA1", "US")
    assert (found.StudyDate, found.StudyTime, found.StudyDescription) == ("20260310", "093000", "Untersuchung 1")
    (request,) = found.RequestAttributesSequence
    assert (request.RequestedProcedureID, request.ScheduledProcedureStepID) == ("RA1", "SA1")
    assert request.ScheduledProtocolCodeSequence[0].CodeValue == "C1"
    assert found.ProcedureCodeSequence[0].CodeMeaning == "Größe"


@pytest.mark.parametrize("entry", ORDERS[:3], ids=["umlauts", "Cyrillic", "Japanese"])
def test_names_go_both_ways(worklist: Any, tmp_path: Path, entry: Dataset) -> None:
    job = perform(worklist, make_job(tmp_path, PatientName=str(entry.PatientName)), "", WORKLIST)
    assert str(job.dataset.PatientName) == str(entry.PatientName)
    assert job.dataset.PatientID == entry.PatientID


@pytest.mark.parametrize(
    ("inner", "attributes", "expected"),
    [
        ('<DcmTag tag="Modality">ECG</DcmTag>', "", None),
        ('<DcmTag tag="Modality">ECG</DcmTag>', 'select="first" order-by="StudyDate desc"', "P3"),
        ('<DcmTag tag="Modality">ECG</DcmTag>', 'select="last" order-by="StudyDate desc"', "P2"),
        ('<DcmTag tag="Modality">!ECG|!OT</DcmTag><DcmTag tag="StudyDate">20260305-</DcmTag>', "", "P1"),
        ('<DcmTag tag="Modality">^us</DcmTag><DcmTag tag="StudyDate">-20260305</DcmTag>', "", "P4"),
        ('<DcmTag tag="PatientName">Doe*</DcmTag>', "", "P4"),
        ('<DcmTag tag="StudyDate">20260312</DcmTag>', "", "P3"),
        ('<DcmTag tag="StudyDate" match="local">20260311</DcmTag>', "", "P2"),
        ('<DcmTag tag="ScheduledStationAETitle">NOBODY</DcmTag>', "", ""),
    ],
)
def test_worklist_keys(worklist: Any, tmp_path: Path, inner: str, attributes: str, expected: str | None) -> None:
    job = perform(worklist, make_job(tmp_path), inner, f"{WORKLIST} {attributes}")
    assert job.flags.query_found is (expected != "")
    assert job.flags.query_partial is (expected is None)
    assert job.dataset.get("PatientID", "") == (expected or "")
    assert any("came" in line for line in messages(job))


STUDIES = [
    {"PatientName": "Müller^Jürgen", "PatientID": "P1", "AccessionNumber": "A1", "StudyDate": "20260101"},
    {"PatientName": "Müller^Jürgen", "PatientID": "P1", "AccessionNumber": "A2", "StudyDate": "20260201"},
    {
        "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう",
        "PatientID": "P2",
        "AccessionNumber": "A3",
        "StudyDate": "20260102",
    },
    {"PatientName": "Иванов^Иван", "PatientID": "P3", "AccessionNumber": "A4", "StudyDate": "20260103"},
]


def study_uid(number: int) -> str:
    return f"2.25.77.{number}"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("dcmqrscp", marks=pytest.mark.peer("dcmqrscp", "storescu")),
        pytest.param("orthanc", marks=pytest.mark.peer("Orthanc", "storescu")),
    ],
)
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two series for each study, numbered 1 and 7."""
    program("Orthanc" if request.param == "orthanc" else "dcmqrscp")
    folder = tmp_path_factory.mktemp("archive")
    files = []
    for number, values in enumerate(STUDIES):
        for series in (1, 7):
            one = data(SpecificCharacterSet="ISO_IR 192", StudyTime="1200", StudyID="S", **values)
            one.SOPClassUID, one.SOPInstanceUID = SC, generate_uid()
            one.StudyInstanceUID, one.SeriesInstanceUID = study_uid(number), f"{study_uid(number)}.{series}"
            one.Modality, one.SeriesNumber, one.InstanceNumber = ("CT" if number else "OT"), series, 1
            one.file_meta = FileMetaDataset()
            one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            path = folder / f"{number}-{series}.dcm"
            one.save_as(path, enforce_file_format=True)
            files.append(str(path))
    with getattr(servers, request.param)(folder / "server") as server:
        command = [program("storescu"), "-aec", server.ae_title, "127.0.0.1", str(server.port), *files]
        subprocess.run(command, check=True, capture_output=True)
        yield server


@pytest.mark.parametrize(
    ("values", "inner", "attributes", "expected"),
    [
        ({}, '<DcmTag tag="AccessionNumber">A3</DcmTag>', "", 2),
        ({"AccessionNumber": "A3"}, '<DcmTag tag="AccessionNumber"/>', "", 2),
        ({}, '<DcmTag tag="PatientID">P1</DcmTag>', "", None),
        ({}, '<DcmTag tag="PatientID">P1</DcmTag>', 'select="first" order-by="StudyDate desc"', 1),
        ({}, '<DcmTag tag="PatientID">P1</DcmTag><DcmTag tag="StudyDate">-20260131</DcmTag>', "", 0),
        ({}, '<DcmTag tag="AccessionNumber">A9</DcmTag>', "", ""),
        ({"PatientName": "Иванов^Иван"}, '<DcmTag tag="PatientName"/>', "", 3),
    ],
)
def test_study(
    archive: Any, tmp_path: Path, *, values: dict[str, str], inner: str, attributes: str, expected: int | str | None
) -> None:
    job = perform(archive, make_job(tmp_path, **values), inner, f'type="Study" {attributes}')
    assert job.flags.query_found is (expected != "")
    assert job.flags.query_partial is (expected is None)
    if isinstance(expected, int):
        assert job.dataset.StudyInstanceUID == study_uid(expected)
        assert str(job.dataset.PatientName) == STUDIES[expected]["PatientName"]
        assert job.dataset.StudyDate == STUDIES[expected]["StudyDate"]
    else:
        assert "StudyInstanceUID" not in job.dataset


def test_an_excluded_modality(archive: Any, tmp_path: Path) -> None:
    inner = '<DcmTag tag="PatientID">P1</DcmTag><DcmTag tag="ModalitiesInStudy">!CT</DcmTag>'
    job = perform(archive, make_job(tmp_path), inner, 'type="Study"')
    if isinstance(archive, servers.ArchiveServer):
        # dcmqrscp does not know the attribute: what cannot be checked does not match.
        assert not job.flags.query_found
        assert any("2 by ModalitiesInStudy (0008,0061) is missing" in line for line in messages(job))
    else:
        assert job.dataset.StudyInstanceUID == study_uid(0)
        assert job.dataset.Modality == "OT"


def test_series_with_a_range_of_numbers(archive: Any, tmp_path: Path) -> None:
    job = make_job(tmp_path, StudyInstanceUID=study_uid(2))
    perform(archive, job, '<DcmTag tag="SeriesNumber">1-5</DcmTag>', 'type="Study" level="SERIES"')
    assert job.flags.query_found
    assert not job.flags.query_partial
    assert job.dataset.SeriesNumber == 1
    assert "SeriesInstanceUID" not in job.dataset


@pytest.mark.parametrize(
    ("values", "inner", "attributes", "expected"),
    [
        ({}, '<DcmTag tag="PatientID">P2</DcmTag>', "", {"PatientName": STUDIES[2]["PatientName"]}),
        ({"PatientName": "Müller*"}, '<DcmTag tag="PatientName"/>', "", {"PatientID": "P1"}),
        ({"PatientID": "P2"}, "", 'level="STUDY"', {"StudyInstanceUID": study_uid(2), "AccessionNumber": "A3"}),
    ],
)
def test_patient(
    archive: Any, tmp_path: Path, *, values: dict[str, str], inner: str, attributes: str, expected: dict[str, str]
) -> None:
    job = perform(archive, make_job(tmp_path, **values), inner, f'type="Patient" {attributes}')
    assert {keyword: str(job.dataset[keyword].value) for keyword in expected} == expected


def test_a_wildcard_in_a_jobs_own_identifier_reaches_no_other_patient(archive: Any, tmp_path: Path) -> None:
    for inner in ('<DcmTag tag="PatientID"/>', '<DcmTag tag="PatientID">#{PatientID}</DcmTag>'):
        job = perform(
            archive, make_job(tmp_path / str(len(inner)), PatientID="P*"), inner, 'type="Study" select="first"'
        )
        assert not job.flags.query_found
        assert job.dataset == data(PatientID="P*")
        assert any("left out here" in line and "by PatientID (0010,0020)" in line for line in messages(job))
    # The file's own wildcard is meant.
    own = perform(archive, make_job(tmp_path / "own"), '<DcmTag tag="PatientID">P*</DcmTag>', 'type="Patient"')
    assert own.flags.query_partial
