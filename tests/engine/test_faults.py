"""What the engine does when its own files, its disk or its clock fail it."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom.dataelem import DataElement

from dicomprinter.engine.commands import ask_service
from dicomprinter.engine.engine import Engine
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.errors import SpoolError
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.parts import Sent, State
from dicomprinter.job.record import JOB_FILE
from dicomprinter.workflow.interpreter import Discarded, Done, Held
from tests.waiting import PATIENCE, wait_until

from .help import Clock, Mark, new_job, program, tools, with_marks

MARKS = "".join(f'<Mark name="{name}"/>' for name in "AB")


@pytest.fixture
def spool(tmp_path, monkeypatch):
    with_marks(monkeypatch)
    with Spool.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def loaded(tmp_path):
    return program(tmp_path, MARKS, '<Perform action="A"/><Perform action="B"/>')


def sent(uid: str) -> Sent:
    return Sent("Store", "PACS@127.0.0.1:104", "1.2", uid, "1.2.840.10008.1.2.1", 0, stored=True)


def test_a_torn_last_line_does_not_swallow_the_next(spool):
    folder = new_job(spool).folder
    folder.add_sent(sent("1"))
    with (folder.path / "sent.jsonl").open("a") as stream:
        stream.write('{"action": "Sto')
    folder.add_sent(sent("2"))
    assert [answer.sop_instance_uid for answer in folder.read_sent()] == ["1", "2"]


def test_a_line_of_another_shape_is_passed_over(spool):
    folder = new_job(spool).folder
    (folder.path / "sent.jsonl").write_text('{"other": 1}\n[]\n')
    folder.add_sent(sent("1"))
    assert [answer.sop_instance_uid for answer in folder.read_sent()] == ["1"]


def test_a_ledger_that_cannot_be_written_repeats_no_node(spool, loaded, monkeypatch):
    job = new_job(spool)
    runner = Runner(spool, tools(), lambda: loaded)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "write_ledger", full)
        for _ in range(3):
            with pytest.raises(OSError, match="No space"):
                runner.run(spool.load(job.id))
    assert isinstance(runner.run(spool.load(job.id)), Done)
    assert "".join(Mark.trace) == "AB"
    assert spool.outcome(job.id) == "done"


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_a_full_disk_inside_an_action_is_no_matter_of_its_policy(spool, tmp_path, monkeypatch, is_wrapped):
    loaded = program(tmp_path, MARKS, '<Perform action="A" onError="Discard"/>')
    job = new_job(spool)

    def full(*_):
        error = OSError(28, "No space left on device")
        if is_wrapped:
            # As pydicom does where it writes an element.
            raise OSError(f"With tag (7FE0,0010) got exception: {error}") from error
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Mark, "perform", full)
        with pytest.raises(OSError, match="No space"):
            Runner(spool, tools(), lambda: loaded).run(job)
    assert spool.load(job.id).position == job.position
    assert isinstance(Runner(spool, tools(), lambda: loaded).run(spool.load(job.id)), Done)


@pytest.mark.parametrize("inside", [True, False])
def test_a_failure_of_the_disk_says_where_if_that_is_the_jobs_own_folder(spool, loaded, monkeypatch, inside):
    job = new_job(spool)

    def refused(_action, job, _tools):
        folder = job.folder.path if inside else Path("/srv")
        raise PermissionError(13, "Permission denied", str(folder / "Muster^Erika"))

    monkeypatch.setattr(Mark, "perform", refused)
    held = Runner(spool, tools(), lambda: loaded).run(job)
    assert isinstance(held, Held)
    assert "Permission denied" in held.why
    assert (f"in the job's folder {job.folder.path};" in held.why) == inside
    # A file's name may come from outside.
    assert "Muster" not in held.why
    assert "/srv" not in held.why


def test_what_cannot_be_written_down_holds_the_job(spool, loaded, monkeypatch):
    """A fault of the program would come again at every try."""
    job = new_job(spool)

    def poison(_action, job, _tools):
        job.dataset.add(DataElement(0x00101030, "DS", "80", validation_mode=0))
        job.dataset["PatientWeight"]._value = "not a number"

    monkeypatch.setattr(Mark, "perform", poison)
    engine = Engine(spool, loaded, tools(), workers=1)
    engine.start()
    try:
        assert engine.idle(PATIENCE)
    finally:
        assert engine.stop()
    held = spool.load(job.id)
    assert held.state is State.HELD
    assert "fault of the engine" in (held.reason or "")


def test_a_command_is_carried_out_between_two_nodes(spool, loaded, monkeypatch):
    job = new_job(spool)
    perform = Mark.perform

    def asked_meanwhile(action, job, used):
        job.folder.write_command({"command": "discard", "token": "t"})
        perform(action, job, used)

    monkeypatch.setattr(Mark, "perform", asked_meanwhile)
    engine = Engine(spool, loaded, tools(), workers=1)
    engine.start()
    try:
        assert engine.idle(PATIENCE)
    finally:
        assert engine.stop()
    assert "".join(Mark.trace) == "A"
    assert spool.outcome(job.id) == "discarded"


def test_discarding_a_job_that_has_finished_says_so(spool, loaded):
    job = new_job(spool)
    assert isinstance(Runner(spool, tools(), lambda: loaded).run(job), Done)
    job.folder.path.mkdir()
    folder = JobFolder(job.folder.path)
    write = folder.write_command

    def gone_meanwhile(command):
        write(command)
        shutil.rmtree(folder.path)

    folder.write_command = gone_meanwhile  # type: ignore[method-assign]
    # A look comes also after the time is over.
    answer = ask_service(spool, folder, "discard", timeout=0)
    assert (answer.message, answer.succeeded) == ("done", False)


def test_a_service_that_is_busy_finds_the_command_later(spool):
    folder = new_job(spool).folder
    with pytest.raises(SpoolError, match="the service did not answer within 0 s"):
        ask_service(spool, folder, "discard", timeout=0)
    assert folder.read_command()["command"] == "discard"


def test_a_job_that_goes_while_its_history_is_read_has_finished(spool, loaded):
    folder = new_job(spool).folder

    def going():
        spool.write_ledger({"job": folder.path.name, "outcome": "done"})
        shutil.rmtree(folder.path)
        raise FileNotFoundError(2, "No such file or directory")

    folder.history = going  # type: ignore[method-assign]
    answer = ask_service(spool, folder, "resume", timeout=PATIENCE)
    assert (answer.message, answer.succeeded) == ("done", True)


def test_a_discard_that_is_cut_off_is_finished_at_the_next_start(spool, loaded):
    job = new_job(spool)
    job.leaving, job.reason = "discarded", "an operator discarded it"
    job.folder.save(job)
    assert isinstance(Runner(spool, tools(), lambda: loaded).run(spool.load(job.id)), Discarded)
    assert Mark.trace == []
    assert spool.job_ids() == []


def test_a_job_of_another_version_is_left_alone(spool):
    job = new_job(spool)
    file = job.folder.path / JOB_FILE
    before = json.dumps({**json.loads(file.read_text()), "version": 2})
    file.write_text(before)
    with pytest.raises(SpoolError, match="another version"):
        spool.load(job.id)
    assert file.read_text() == before


def test_a_copied_folder_is_not_run_as_the_same_job(spool):
    job = new_job(spool)
    shutil.copytree(job.folder.path, spool.jobs / "copy")
    with pytest.raises(SpoolError, match="is a copy of the job"):
        spool.load("copy")
    assert spool.load(job.id).id == job.id


def test_files_that_cannot_be_read_now_are_not_taken_for_damaged(spool, monkeypatch):
    job = new_job(spool)

    def busy(*_, **__):
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", busy)
        with pytest.raises(OSError, match="Too many"):
            spool.load(job.id)
    assert spool.load(job.id).state is State.QUEUED


def test_a_rebuilt_job_knows_which_tags_were_given(spool):
    """They decide on the content of a PDF, and so on its UID."""
    job = new_job(spool)
    job.folder.write_arrival(job.facts, [], {"Modality": "ECG"})
    job.folder.complete_arrival(job.payload)
    (job.folder.path / JOB_FILE).write_text("{")
    again = spool.load(job.id)
    assert again.state is State.HELD
    assert again.flags.set_tags == ("00080060",)
    assert (job.folder.path / (JOB_FILE + ".damaged")).exists()


def test_a_clock_set_back_does_not_keep_a_job_waiting_for_years(spool, tmp_path):
    clock = Clock()
    loaded = program(tmp_path, MARKS, '<Perform action="A"/>')
    job = new_job(spool)
    job.state, job.wake_at = State.SUSPENDED, clock.now + timedelta(days=400)
    job.folder.save(job)
    engine = Engine(spool, loaded, tools(clock), workers=1)
    engine.start()
    try:
        wait_until(lambda: not spool.job_ids(), "the job is done")
    finally:
        assert engine.stop()
    assert Mark.trace == ["A"]


def test_a_job_suspended_just_now_is_not_taken_for_one_of_a_clock_set_back(spool, tmp_path):
    clock = Clock()
    loaded = program(tmp_path, MARKS, '<Perform action="A"/>')
    job = new_job(spool)
    job.state, job.wake_at = State.SUSPENDED, clock.now + loaded.suspension_time + timedelta(seconds=1)
    job.folder.save(job)
    engine = Engine(spool, loaded, tools(clock), workers=1)
    engine.start()
    try:
        engine._scheduler.look()
        assert engine.idle(PATIENCE)
    finally:
        assert engine.stop()
    assert Mark.trace == []
    assert spool.load(job.id).state is State.SUSPENDED
