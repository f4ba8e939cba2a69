"""Query against SCPs in this process: what it asks, what becomes of the answers, what of failures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomprinter.demo.worklist import EmbeddedWorklist
from dicomprinter.errors import DicomPrinterError, OperatorNeeded, PermanentError, TransientError
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import Flags
from tests.actions.query_help import RealNetwork, data, entry, make_job, messages, private, query, tools
from tests.scp import FindScp, aborting, closed_port, rejecting, silent

Run = Callable[[Any], Any]
STUDY = 'type="Study"'


def study(number: int, **values: Any) -> Dataset:
    return data(**{"PatientName": "Doe^Jane", "PatientID": "P1", "StudyInstanceUID": f"1.2.{number}", **values})


def perform(finder: Any, job: Job, inner: str = "", attributes: str = STUDY) -> None:
    query(inner, attributes, finder.port).perform(job, tools())


def test_nothing_found_succeeds(running: Run, tmp_path: Path) -> None:
    job = make_job(tmp_path, PatientID="P9")
    job.flags = Flags(query_found=True, query_partial=True)
    finder = running(FindScp())
    network = RealNetwork()
    query("", STUDY, finder.port).perform(job, tools(network))
    assert (job.flags.query_found, job.flags.query_partial) == (False, False)
    assert job.dataset.PatientID == "P9"
    assert network.actions == ["Find"]
    assert "Find: nothing was found" in messages(job)


def test_one_answer_is_copied(running: Run, tmp_path: Path) -> None:
    job = make_job(tmp_path, PatientName="Parsed", StudyDescription="ours")
    finder = running(
        FindScp([study(1, StudyDescription="", QueryRetrieveLevel="STUDY", InstanceAvailability="ONLINE")])
    )
    perform(finder, job, '<DcmTag tag="PatientID">P1</DcmTag><DcmTag tag="StudyDescription"/>')
    assert (job.flags.query_found, job.flags.query_partial) == (True, False)
    assert str(job.dataset.PatientName) == "Doe^Jane"
    assert job.dataset.StudyInstanceUID == "1.2.1"
    assert not job.dataset.StudyDescription
    assert "QueryRetrieveLevel" not in job.dataset
    assert "InstanceAvailability" not in job.dataset
    (asked,) = finder.queries
    assert asked.QueryRetrieveLevel == "STUDY"
    assert asked.PatientID == "P1"
    assert asked.StudyDescription == "ours"


def test_of_several_none_is_taken(running: Run, tmp_path: Path) -> None:
    job = make_job(tmp_path, PatientID="P0")
    perform(running(FindScp([study(1), study(2)])), job)
    assert (job.flags.query_found, job.flags.query_partial) == (True, True)
    assert job.dataset == data(PatientID="P0")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('select="first"', "1.2.3"),
        ('select="last"', "1.2.2"),
        ('force-assignment="1"', "1.2.3"),
        ('force-assignment="1" select="last"', "1.2.2"),
        ('select="first" order-by="StudyDate desc, StudyTime desc"', "1.2.2"),
        ('select="first" order-by="StudyDate, StudyTime"', "1.2.1"),
        ('select="last" order-by="(0008,0020),0008,0030 ASC"', "1.2.3"),
    ],
)
def test_select(running: Run, tmp_path: Path, attributes: str, expected: str) -> None:
    answers = [
        study(3, StudyTime="12"),
        study(1, StudyDate="20260101", StudyTime="08"),
        study(2, StudyDate="20260101", StudyTime="09"),
    ]
    job = make_job(tmp_path)
    perform(running(FindScp(answers)), job, attributes=f"{STUDY} {attributes}")
    assert job.dataset.StudyInstanceUID == expected
    assert (job.flags.query_found, job.flags.query_partial) == (True, False)
    lacking = any("1 of 3 answers lack StudyDate (0008,0020)" in line for line in messages(job))
    assert lacking == ("order-by" in attributes)


def test_ff01_is_an_answer_like_ff00(running: Run, tmp_path: Path) -> None:
    job = make_job(tmp_path)
    perform(running(FindScp([(0xFF01, study(1))])), job)
    assert job.dataset.StudyInstanceUID == "1.2.1"
    job = make_job(tmp_path / "second")
    perform(running(FindScp([(0xFF01, study(1)), study(2)])), job)
    assert job.flags.query_partial


@pytest.mark.parametrize(
    ("finder", "error"),
    [
        (lambda: FindScp([study(1)], final=0xA700), TransientError),
        (lambda: FindScp([study(1)], final=0xA900), PermanentError),
        (lambda: FindScp([study(1)], final=0xC001), PermanentError),
        (lambda: FindScp([study(1)], final=0xFE00), DicomPrinterError),
        (lambda: FindScp([study(1), study(2)], abort_after=1), TransientError),
        (lambda: FindScp([study(1)], models=["1.2.840.10008.5.1.4.31"]), PermanentError),
        (lambda: aborting("before"), TransientError),
        (lambda: rejecting(1, 1, 7), PermanentError),
        (lambda: rejecting(2, 3, 2), TransientError),
    ],
)
def test_a_failure_drops_what_came(
    running: Run, tmp_path: Path, finder: Callable[[], Any], error: type[DicomPrinterError]
) -> None:
    job = make_job(tmp_path, PatientID="P0")
    job.flags = Flags(query_found=False)
    with pytest.raises(error) as caught:
        perform(running(finder()), job)
    assert job.dataset == data(PatientID="P0")
    assert job.flags == Flags()
    assert "Doe" not in str(caught.value)


def test_nobody_there_and_nobody_answering(running: Run, tmp_path: Path) -> None:
    with pytest.raises(TransientError):
        query("", STUDY, closed_port()).perform(make_job(tmp_path / "a"), tools())
    peer = silent()
    find = query("", STUDY, running(peer).port)
    assert find.peer is not None
    object.__setattr__(find.peer, "association_timeout", 0.2)
    with pytest.raises(TransientError):
        find.perform(make_job(tmp_path / "b"), tools())


def test_answers_are_filtered_here(running: Run, tmp_path: Path) -> None:
    answers = [
        study(1, ModalitiesInStudy=["CT", "SR"], StudyDate="20260110"),
        study(2, ModalitiesInStudy="MR", StudyDate="20260110"),
        study(3, ModalitiesInStudy="MR", StudyDate="20260301"),
        study(4, ModalitiesInStudy="MR"),
    ]
    finder = running(FindScp(answers))
    job = make_job(tmp_path)
    inner = '<DcmTag tag="ModalitiesInStudy">!SR|!KO</DcmTag><DcmTag tag="StudyDate">20260101-20260131</DcmTag>'
    perform(finder, job, inner)
    assert job.dataset.StudyInstanceUID == "1.2.2"
    assert job.dataset.Modality == "MR"
    (asked,) = finder.queries
    assert not asked.ModalitiesInStudy
    assert asked.StudyDate == "20260101-20260131"
    said = messages(job)
    assert "Find: 4 answers came" in said
    (left_out,) = [line for line in said if "left out here" in line]
    assert "1 by ModalitiesInStudy (0008,0061)" in left_out
    assert "1 by StudyDate (0008,0020)," in left_out
    assert "1 by StudyDate (0008,0020) is missing" in left_out


def test_values_of_the_job_are_sent_and_not_checked(running: Run, tmp_path: Path) -> None:
    finder = running(FindScp([study(1, PatientID="other")]))
    job = make_job(tmp_path, PatientID="mine")
    perform(finder, job, '<DcmTag tag="PatientID"/>')
    assert finder.queries[0].PatientID == "mine"
    assert job.dataset.PatientID == "other"
    job = make_job(tmp_path / "b", PatientID="mine")
    perform(finder, job, '<DcmTag tag="PatientID">#{PatientID}</DcmTag>')
    assert job.dataset.PatientID == "other"
    job = make_job(tmp_path / "c", PatientID="mine")
    perform(finder, job, '<DcmTag tag="PatientID">mine</DcmTag>')
    assert not job.flags.query_found


def test_the_history_holds_keywords_and_the_values_apart(running: Run, tmp_path: Path) -> None:
    job = make_job(tmp_path, PatientName="Geheim^Gerda")
    perform(running(FindScp([study(1)])), job, '<DcmTag tag="PatientName"/><DcmTag tag="PatientID">!P77</DcmTag>')
    said = " ".join(messages(job))
    assert "by PatientName (0010,0010); checked here: PatientID (0010,0020)" in said
    assert not any(word in said for word in ("Geheim", "P77", "Doe", "1.2.1"))
    assert "Geheim^Gerda" in private(job)
    assert "Doe^Jane P1 1.2.1" in private(job)


def test_a_query_without_values_is_said(running: Run, tmp_path: Path) -> None:
    job = make_job(tmp_path)
    perform(running(FindScp()), job, '<DcmTag tag="PatientID">#{PatientID}</DcmTag>')
    said = messages(job)
    assert any("the job has no value for #{PatientID}" in line for line in said)
    assert any("is asked for everything" in line for line in said)


@pytest.mark.parametrize(
    "name", ["Müller^Jürgen", "Люкceмбypг^Иван", "Yamada^Tarou=山田^太郎=やまだ^たろう", "Hong^Gildong=洪^吉洞=홍^길동"]
)
def test_names_survive_both_ways(running: Run, tmp_path: Path, name: str) -> None:
    worklist = running(EmbeddedWorklist([entry(PatientName=name), entry(PatientName="Doe^Jane")]))
    job = make_job(tmp_path, PatientName=name)
    perform(worklist, job, '<DcmTag tag="PatientName"/>', 'type="Worklist"')
    assert str(job.dataset.PatientName) == name
    assert str(worklist.queries[0].PatientName) == name
    job = make_job(tmp_path / "b")
    perform(worklist, job, f'<DcmTag tag="PatientName">{name}</DcmTag>', 'type="Worklist"')
    assert str(job.dataset.PatientName) == name
    folder = job.folder
    folder.save(job)
    assert str(folder.load().dataset.PatientName) == name


def test_a_peer_that_forgets_its_character_set(running: Run, tmp_path: Path) -> None:
    name = "Иванов^Иван"
    # pydicom writes Latin-1 where no set is named.
    finder = running(FindScp([study(1, PatientName=name.encode("iso8859_5").decode("latin-1"))]))
    job = make_job(tmp_path)
    perform(finder, job, attributes='type="Study" characterSet="ISO_IR 144"')
    assert str(job.dataset.PatientName) == name


@pytest.mark.parametrize(
    "wrong_number",
    [
        ("PatientWeight", "DS", b"80,5"),
        ("PatientWeight", "DS", b"abc "),
        ("PatientWeight", "DS", b"1\\"),
        ("PregnancyStatus", "IS", b"abc "),
    ],
)
def test_a_number_that_is_none_is_left_out(
    running: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture, wrong_number: tuple[str, str, bytes]
) -> None:
    """With it the job could never be written down again."""
    keyword, vr, value = wrong_number
    wrong = Tag(keyword)
    answer = study(1)
    answer[wrong] = RawDataElement(wrong, vr, len(value), value, 0, False, True)
    job = make_job(tmp_path)
    perform(running(FindScp([answer])), job)
    job.folder.save(job, secure=True)
    dataset = JobFolder(job.folder.path).load().dataset
    assert dataset.PatientName == "Doe^Jane"
    assert wrong not in dataset
    assert f"{keyword} (" in caplog.text
    told = [one.getMessage() for one in caplog.records if one.name.startswith("dicomprinter")]
    assert not any(value.decode().strip() in line for line in told)


def test_manual_asks_an_operator_and_nobody_else(tmp_path: Path) -> None:
    job = make_job(tmp_path, PatientID="P1")
    network = RealNetwork()
    with pytest.raises(OperatorNeeded, match='"Find" waits for an operator'):
        query("", 'type="Manual"').perform(job, tools(network))
    job.match = data(PatientID="P2", AccessionNumber="")
    query("", 'type="Manual"').perform(job, tools(network))
    assert job.dataset == data(PatientID="P2", AccessionNumber="")
    assert (job.flags.query_found, job.flags.query_partial) == (True, False)
    assert network.actions == []


@pytest.mark.parametrize(
    ("attributes", "given", "known", "expected"),
    [
        ('type="Study"', "1.2.3", "", "1.2.3"),
        ('type="Patient" level="STUDY"', "1.2.3", "", "1.2.3"),
        ('type="Study"', "1.2.3", "1.2.9", "1.2.3"),
        ('type="Patient"', None, "1.2.9", "1.2.9"),
        ('type="Worklist"', "1.2.3", "1.2.9", ""),
        ('type="Worklist"', "1.2.9", "1.2.9", "1.2.9"),
        ('type="Worklist"', None, "1.2.9", "1.2.9"),
        ('type="Manual"', "1.2.3", "", "1.2.3"),
        ('type="Manual"', None, "1.2.9", "1.2.9"),
    ],
)
def test_the_study_that_an_archive_has_is_noted(
    running: Run, tmp_path: Path, *, attributes: str, given: str | None, known: str, expected: str
) -> None:
    values = {"PatientID": "P1", **({"StudyInstanceUID": given} if given else {})}
    job = make_job(tmp_path, PatientID="P1", **({"StudyInstanceUID": known} if known else {}))
    job.flags = Flags(existing_study=known)
    job.match = data(**values) if "Manual" in attributes else None
    answer = entry(PatientID="P1", StudyInstanceUID=given) if "Worklist" in attributes else data(**values)
    perform(running(FindScp([answer])), job, attributes=attributes)
    assert job.flags.query_found
    assert job.flags.existing_study == expected


def test_of_no_answer_or_several_no_study_is_noted(running: Run, tmp_path: Path) -> None:
    for answers in ([], [study(1), study(2)]):
        job = make_job(tmp_path / str(len(answers)))
        perform(running(FindScp(answers)), job)
        assert job.flags.existing_study == ""
