"""A Query as a workflow performs it: changed by its Perform for this once, with its policy, seen by conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.job.job import Job
from tests.actions.query_help import NOBODY, RealNetwork, data
from tests.engine.help import new_job, program
from tests.engine.help import tools as tools_with
from tests.scp import FindScp, closed_port

Run = Callable[[Any], Any]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool.open(tmp_path / "base") as opened:
        yield opened


def run(spool: Spool, folder: Path, actions: str, workflow: str, **tags: Any) -> Job:
    """The job as it was when it left."""
    left: list[Job] = []
    what = program(folder, actions, workflow)
    runner = Runner(spool, tools_with(network=RealNetwork()), lambda: what, before_leaving=left.append)
    runner.run(new_job(spool, **tags))
    return left[0]


def find(port: int, inner: str = "", attributes: str = "") -> str:
    return f'<Query name="Find" {attributes}>{NOBODY.format(port)}{inner}</Query>'


def study(number: int) -> Dataset:
    return data(PatientID=f"P{number}", StudyInstanceUID=f"1.2.{number}", StudyDate=f"2026010{number}", Modality="US")


def mark(name: str, text: str) -> str:
    return f'<SetTag name="{name}"><DcmTag tag="PatientComments">#{{PatientComments}}{text}</DcmTag></SetTag>'


def test_a_perform_changes_it_for_this_once(running: Run, spool: Spool, tmp_path: Path) -> None:
    finder = running(FindScp([study(1), study(2)]))
    key = '<DcmTag tag="PatientID">P*</DcmTag><DcmTag tag="Modality">US</DcmTag>'
    changes = (
        '<Query select="last" order-by="StudyDate" type="Patient" level="STUDY">'
        '<DcmTag tag="PatientID">P2</DcmTag></Query>'
    )
    workflow = (
        f'<Perform action="Find">{changes}</Perform><Perform action="One"/><Perform action="Find"/>'
        '<If field="QUERY_PARTIAL" value="true"><Perform action="Two"/></If>'
    )
    actions = find(finder.port, key) + mark("One", "#{StudyInstanceUID}") + mark("Two", "+partial")
    job = run(spool, tmp_path, actions, workflow)
    assert job.dataset.PatientComments == "1.2.2+partial"
    first, second = finder.queries
    assert (first.PatientID, first.QueryRetrieveLevel) == ("P2", "STUDY")
    assert (second.PatientID, second.Modality) == ("P*", "US")
    assert "PatientName" in second, "the Study model's own return keys"
    assert job.flags.existing_study == "1.2.2"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [([], "none"), ([study(1)], "one"), ([study(1), study(2)], "several")],
)
def test_conditions_see_the_result(
    running: Run, spool: Spool, tmp_path: Path, *, answers: list[Dataset], expected: str
) -> None:
    finder = running(FindScp(answers))
    workflow = (
        '<Perform action="Find"/><If field="QUERY_FOUND" value="true"><Statements>'
        '<If field="QUERY_PARTIAL" value="true"><Statements><Perform action="several"/></Statements>'
        '<Else><Perform action="one"/></Else></If></Statements><Else><Perform action="none"/></Else></If>'
    )
    marks = "".join(mark(name, f"was {name}") for name in ("none", "one", "several"))
    job = run(spool, tmp_path, find(finder.port) + marks, workflow, PatientID="P9")
    assert job.dataset.PatientComments == f"was {expected}"
    assert job.dataset.PatientID == ("P1" if expected == "one" else "P9")


def test_several_answers_are_told_so_that_a_person_can_tell_them_apart(
    running: Run, spool: Spool, tmp_path: Path
) -> None:
    number, planned = data(AccessionNumber="A7", StudyDescription="CT Thorax", StudyTime="0915"), data()
    planned.ScheduledProcedureStepSequence = [data(ScheduledProcedureStepStartDate="20260203")]
    first, second = study(1), study(2)
    first.update(number)
    second.update(planned)
    del second.StudyDate
    finder = running(FindScp([first, second]))
    what = program(tmp_path, find(finder.port) + mark("Mark", ""), '<Perform action="Find"/>')
    job = new_job(spool, PatientID="P9")
    lines: list[dict[str, Any]] = []

    def keep(job: Job) -> None:
        lines.extend(job.folder.history())

    Runner(spool, tools_with(network=RealNetwork()), lambda: what, before_leaving=keep).run(job)
    (told,) = [line for line in lines if "2 answers left and none is taken" in line["message"]]
    assert told["message"] == "Find: 2 answers left and none is taken"
    assert told["private"] == "P1 1.2.1, accession A7, 20260101 0915, CT Thorax; P2 1.2.2, 20260203"


def test_a_failure_is_its_policys_and_leaves_what_was(running: Run, spool: Spool, tmp_path: Path) -> None:
    finder = running(FindScp([study(1), 0xA700]))
    workflow = (
        '<Perform action="Found"/><Perform action="Find" onError="Ignore"/>'
        '<If field="QUERY_FOUND" value="true"><Perform action="Mark"/></If>'
    )
    good = running(FindScp([study(2)]))
    found = find(good.port).replace('name="Find"', 'name="Found"')
    job = run(spool, tmp_path, found + find(finder.port) + mark("Mark", "found"), workflow)
    assert job.dataset.StudyInstanceUID == "1.2.2"
    assert "PatientComments" not in job.dataset
    assert job.flags.existing_study == "1.2.2"


def test_nobody_there_is_a_failure(spool: Spool, tmp_path: Path) -> None:
    job = run(spool, tmp_path, find(closed_port()), '<Perform action="Find" onError="Discard"/>')
    assert "refused the connection" in (job.reason or "")
