"""A Query of type Manual: the job waits for an operator, takes the answer, and goes on after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.engine.commands import apply, ask_service
from dicomprinter.engine.dry_run import DryNetwork
from dicomprinter.engine.engine import Engine
from dicomprinter.engine.matches import accept, take_file
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import Asked, State
from dicomprinter.program import Program
from dicomprinter.workflow.interpreter import Done, Suspended
from tests.killed import Killed
from tests.waiting import PATIENCE, wait_until

from .help import new_job, program, tools
from .manual import AFTER, ASK, CONNECTION, KEEP, data, drop, parked, runner, told


def test_it_parks_the_job_and_says_which_query_waits(spool: Spool, tmp_path: Path) -> None:
    queries = (
        f'<Query name="Find">{CONNECTION}</Query><Query name="Hidden" show="false">{CONNECTION}</Query>'
        f'<Query name="Worklist" type="Worklist">{CONNECTION}</Query>'
    )
    workflow = '<Suspend maxRetries="1"/><Perform action="Ask" defaultQuery="Hidden"/>'
    what = program(tmp_path, ASK + queries, workflow)
    assert what.warnings == ()
    job = new_job(spool)
    assert isinstance(runner(spool, what).run(job), Suspended)
    assert job.retries
    runner(spool, what).run(job)
    stored = spool.load(job.id)
    assert stored.state is State.MANUAL
    assert stored.retries == {}
    assert '"Ask" waits for an operator' in (stored.reason or "")
    assert stored.asks == Asked("Ask", "Hidden", ("Find", "Worklist"))
    assert (stored.flags.query_found, stored.flags.query_partial) == (False, False)


def test_an_answer_is_set_and_the_job_goes_on_after_the_query(spool: Spool, asking: Program) -> None:
    job = parked(spool, asking, PatientID="0", StudyDescription="ours", Modality="OT")
    accept(job, data(PatientID="4711", PatientName="Müller^Jürgen", StudyDescription=""))
    again = spool.load(job.id)
    assert (again.state, again.match) == (State.QUEUED, job.match)
    runner(spool, asking).run(again)
    found = spool.load(job.id)
    assert found.dataset.PatientComments == "4711/Müller^Jürgen"
    assert found.dataset.Modality == "OT"
    assert "StudyDescription" in found.dataset
    assert not found.dataset.StudyDescription
    # The second Manual is not answered by the first one's answer.
    assert (found.state, found.match) == (State.MANUAL, None)
    assert found.asks == Asked("Keep")
    (line,) = [line for line in found.folder.history() if "the operator set" in str(line["message"])]
    assert "PatientID (0010,0020)" in line["message"]
    assert "4711" not in line["message"]
    assert "4711" in line["private"]


def test_the_flags_say_that_one_was_found(spool: Spool, tmp_path: Path) -> None:
    ifs = (
        '<If field="QUERY_FOUND" value="true"><If field="QUERY_PARTIAL" value="false"><Perform action="After"/>'
        '</If></If><Perform action="Keep"/>'
    )
    what = program(tmp_path, ASK + AFTER + KEEP, '<Perform action="Ask"/>' + ifs)
    job = parked(spool, what)
    accept(job, data(PatientID="1", StudyInstanceUID="1.2.3"))
    runner(spool, what).run(job)
    assert job.dataset.PatientComments == "1/"
    assert job.flags.existing_study == "1.2.3"
    assert "00100020" in job.flags.set_tags


def test_an_answer_for_a_node_that_is_gone_is_not_given_to_another(spool: Spool, tmp_path: Path) -> None:
    before = program(tmp_path, ASK + KEEP, '<Perform action="Ask"/><Perform action="Keep"/>')
    job = parked(spool, before)
    accept(job, data(PatientID="1"))
    set_tag = '<SetTag name="Ask"><DcmTag tag="PatientComments">x</DcmTag></SetTag>'
    after = program(tmp_path, set_tag + KEEP, '<Perform action="Ask"/><Perform action="Keep"/>')
    runner(spool, after).run(job)
    assert (job.state, job.asks, job.match) == (State.MANUAL, Asked("Keep"), None)
    assert "PatientID" not in job.dataset


@pytest.mark.parametrize("calls", range(6))
def test_killed_at_any_write_the_answer_counts_once(
    spool: Spool, asking: Program, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    job = parked(spool, asking)
    drop(job, "PatientID=4711\nPatientName=A^B")
    save = JobFolder.save
    left = calls

    def dies(self: JobFolder, *arguments: Any, **details: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        save(self, *arguments, **details)
        if left == 1:
            left = -1
            raise Killed

    monkeypatch.setattr(JobFolder, "save", dies)
    try:
        take_file(job)
        runner(spool, asking).run(job)
    except Killed:
        pass
    monkeypatch.setattr(JobFolder, "save", save)
    again = spool.load(job.id)
    take_file(again)
    if again.state is not State.MANUAL or again.asks == Asked("Ask"):
        runner(spool, asking).run(again)
    found = spool.load(job.id)
    assert (found.state, found.asks) == (State.MANUAL, Asked("Keep"))
    assert found.dataset.PatientComments == "4711/A^B"
    assert not (found.folder.path / "match").exists()
    assert not list(found.folder.path.glob("*.refused*"))


def test_a_match_that_comes_before_the_question_is_no_answer(spool: Spool, asking: Program) -> None:
    job = new_job(spool)
    drop(job, "PatientID=1")
    runner(spool, asking).run(job)
    assert (job.state, job.asks) == (State.MANUAL, Asked("Ask"))
    assert any("it came before the job asked" in message for message in told(job))
    take_file(job)
    assert job.state is State.MANUAL


def test_a_job_that_waits_for_something_else_takes_no_match(spool: Spool, asking: Program) -> None:
    job = parked(spool, asking)
    values = data(PatientID="1").to_json_dict()
    for state, asks, message in (
        (State.HELD, Asked("Ask"), "it is held and waits for no match"),
        (State.MANUAL, None, "it waits for an operator, but for no match"),
    ):
        job.state, job.asks = state, asks
        job.folder.save(job)
        answer = apply(job, {"command": "match", "values": values}, lambda _: None)
        assert (answer.succeeded, job.state, job.match) == (False, state, None)
        assert answer.message.startswith(message)
        drop(job, "PatientID=1")
        take_file(job)
        assert message in told(job)[-1]
        assert job.match is None


def test_a_command_that_a_crash_repeats_is_harmless_and_another_is_refused(spool: Spool, asking: Program) -> None:
    job = parked(spool, asking)
    command = {"command": "match", "values": data(PatientID="1").to_json_dict()}
    assert apply(job, command, lambda _: None).succeeded
    again = spool.load(job.id)
    assert apply(again, command, lambda _: None).succeeded
    other = {"command": "match", "values": data(PatientID="2").to_json_dict()}
    refused = apply(again, other, lambda _: None)
    assert not refused.succeeded
    assert "has been matched already" in refused.message
    assert again.match == data(PatientID="1")
    assert not apply(again, {"command": "match", "values": 5}, lambda _: None).succeeded


# The engine


@pytest.fixture
def engine(spool: Spool, asking: Program) -> Iterator[Callable[[], Engine]]:
    started: list[Engine] = []

    def start() -> Engine:
        engine = Engine(spool, asking, tools())
        engine.start()
        started.append(engine)
        return engine

    yield start
    for one in started:
        one.stop()


def waits_for(spool: Spool, job: Job, query: str) -> bool:
    try:
        stored = JobFolder(spool.jobs / job.id).load()
    except Exception:  # noqa: BLE001 - it is being written
        return False
    return stored.state is State.MANUAL and stored.asks == Asked(query)


def test_a_running_engine_sees_the_file(spool: Spool, asking: Program, engine: Callable[[], Engine]) -> None:
    job = parked(spool, asking)
    running = engine()
    drop(job, "(0010,0020)=4711")
    running.wake()
    wait_until(lambda: waits_for(spool, job, "Keep"), "the job asks again")
    assert spool.load(job.id).dataset.PatientComments == "4711/"
    drop(job, "nothing")
    running.wake()
    wait_until((job.folder.path / "match.refused").exists, "the file is refused")
    assert waits_for(spool, job, "Keep")


def test_a_running_engine_answers_a_command(spool: Spool, asking: Program, engine: Callable[[], Engine]) -> None:
    job = parked(spool, asking)
    engine()
    values = data(PatientID="4711").to_json_dict()
    answer = ask_service(spool, JobFolder(job.folder.path), "match", timeout=PATIENCE, values=values)
    assert answer.succeeded
    assert answer.message == 'matched, now queued; it goes on after "Ask"'
    wait_until(lambda: waits_for(spool, job, "Keep"), "the job asks again")


def test_a_file_that_came_while_no_service_ran_is_seen_at_the_start(
    spool: Spool, asking: Program, engine: Callable[[], Engine]
) -> None:
    job = parked(spool, asking)
    drop(job, "(0010,0020)=4711")
    engine()
    wait_until(lambda: waits_for(spool, job, "Keep"), "the job asks again")


def test_a_file_that_a_crash_left_after_it_was_taken_is_known_by_its_content(
    spool: Spool, asking: Program, engine: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = parked(spool, asking)
    drop(job, "(0010,0020)=4711")

    def dies(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", dies)
        with pytest.raises(Killed):
            take_file(job)
    assert (job.folder.path / "match").exists()
    engine()
    wait_until(lambda: waits_for(spool, job, "Keep"), "the job asks again")
    assert not list(job.folder.path.glob("match*"))


def test_a_dry_run_goes_on_with_the_jobs_own_values(spool: Spool, tmp_path: Path) -> None:
    what = program(tmp_path, ASK + AFTER, '<Perform action="Ask"/><Perform action="After"/>')
    job = new_job(spool, PatientID="0")
    seen: list[Job] = []
    dry = Runner(spool, tools(network=DryNetwork(tmp_path)), lambda: what, before_leaving=seen.append)
    assert isinstance(dry.run(job), Done)
    assert seen[0].dataset.PatientComments == "0/"
    assert seen[0].flags.query_found
