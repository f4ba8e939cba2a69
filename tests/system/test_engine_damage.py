"""The engine and what breaks: torn files, a disk that fails, two processes on one spool, faults of the program."""

from __future__ import annotations

import logging
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.actions.tags.set_tag import SetTag
from dicomprinter.demo.pacs import EmbeddedPacs
from dicomprinter.engine.spool import Spool
from dicomprinter.errors import SpoolError
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.parts import State
from dicomprinter.workflow.interpreter import Done, Held
from tests.scp import StorageScp, closed_port
from tests.system.engine_help import asked, content, held, outcomes, state, suspended, uids, wait_for
from tests.system.help import House, perform, png, set_tag, store
from tests.system.service import COMMAND, Service, configuration
from tests.waiting import PATIENCE, wait_until

Run = Callable[[Any], Any]
TAGS = "".join(set_tag(name, "InstitutionName", name) for name in ("One", "Two"))


def test_a_torn_job_json_is_held_and_goes_on_with_the_same_uids(house: House, running: Run) -> None:
    scp = running(StorageScp(answers=[0xA700]))
    program, job = suspended(house, scp.port)
    file = job.folder.path / "job.json"
    file.write_bytes(file.read_bytes()[:100])
    house.restart()
    engine = house.engine(program)
    wait_for(house, job, State.HELD)
    torn = house.spool.load(job.id)
    assert "job.json or its dataset is damaged" in (torn.reason or "")
    assert "resumed, it starts at the first node, with the same UIDs as before" in (torn.reason or "")
    assert (job.folder.path / "job.json.damaged").stat().st_size == 100
    assert len(scp.received) == 1, "it does not run by itself"
    assert asked(engine, job, "resume").succeeded
    wait_for(house, job, None)
    assert len(scp.received) == 2
    assert {one.sop_instance for one in scp.received} == set(uids(job))
    assert len({one.data for one in scp.received}) == 1


@pytest.mark.parametrize("damage", ["the dataset", "job.json is missing", "an unknown state", "all but the history"])
def test_other_damage_is_held_too(house: House, damage: str) -> None:
    program, job = suspended(house, closed_port())
    file = job.folder.path / "job.json"
    match damage:
        case "the dataset":
            (job.folder.path / "datasets" / "1.json").write_bytes(b"{")
        case "job.json is missing":
            file.unlink()
        case "all but the history":
            for path in [path for path in job.folder.path.iterdir() if path.name != "history.jsonl"]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        case _:
            file.write_text(file.read_text("utf-8").replace('"suspended"', '"asleep"'), encoding="utf-8")
    house.restart()
    engine = house.engine(program)
    wait_for(house, job, State.HELD)
    assert asked(engine, job, "discard").succeeded
    assert house.spool.job_ids() == []


def test_a_job_of_another_version_is_left_as_it_is(house: House) -> None:
    program, job = suspended(house, closed_port())
    file = job.folder.path / "job.json"
    text = file.read_text("utf-8")
    file.write_text(text.replace('"version": 1', '"version": 9'), encoding="utf-8")
    assert file.read_text("utf-8") != text
    before = content(job.folder.path)
    house.restart()
    house.clock.forward(days=6)
    assert house.engine(program).idle(5)
    assert content(job.folder.path) == before


def test_a_torn_job_does_not_keep_the_others(house: House, running: Run) -> None:
    scp = running(StorageScp())
    torn, whole = house.job(png(1)), house.job(png(2))
    (torn.folder.path / "job.json").write_bytes(b"")
    house.engine(house.program(store("Send", scp.port), perform("Send")))
    wait_for(house, whole, None)
    wait_for(house, torn, State.HELD)


def test_a_job_that_is_torn_while_it_is_queued_does_not_run(house: House, running: Run) -> None:
    scp = running(StorageScp())
    engine = house.engine(house.program(store("Send", scp.port), perform("Send")))
    job = house.job(png())
    (job.folder.path / "job.json").write_bytes(b"{")
    engine.submit(job)
    wait_for(house, job, State.HELD)
    assert engine.idle(5)
    assert scp.associations == 0
    assert asked(engine, job, "resume").succeeded
    scp.wait_for(1)


def test_a_folder_that_is_taken_away_by_hand_stops_nobody(house: House, running: Run) -> None:
    port = closed_port()
    program, gone = suspended(house, port)
    job = house.job(png(2))
    house.run(program, job)
    engine = house.engine(program)
    gone.folder.remove()
    scp = running(EmbeddedPacs(house.base / "pacs", port=port))
    house.clock.forward(days=6)
    engine.wake()
    scp.wait_for(1)
    wait_for(house, job, None)


def test_two_engines_on_one_spool(house: House, tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="is in use by another process"):
        Spool.open(house.base)
    config = tmp_path / "config.xml"
    config.write_text(configuration(set_tag("Tag", "PatientID", "1"), perform("Tag")), encoding="utf-8")
    command = [*COMMAND, "serve", "--base", str(house.base), "--config", str(config)]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False)
    assert ended.returncode == 2
    assert "is in use by another process" in ended.stderr
    assert "choose another --base" in ended.stderr


def test_a_second_service_leaves_the_first_alone(tmp_path: Path, running: Run) -> None:
    scp = running(StorageScp())
    config = configuration(store("Send", scp.port), perform("Send"))
    with Service(tmp_path / "base", config) as service:
        command = [*COMMAND, "serve", "--base", str(service.base)]
        ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False)
        assert ended.returncode == 2
        assert "is in use by another process (process " in ended.stderr
        service.drop("page.png", png())
        scp.wait_for(1)


# Faults


@pytest.mark.parametrize("on_error", ["Hold", "Ignore", "Suspend", "Discard"])
def test_an_unexpected_exception_holds_the_job_whatever_on_error_says(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, on_error: str
) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError("CANARY")

    monkeypatch.setattr(SetTag, "perform", fault)
    job = house.job(png())
    program = house.program(TAGS, perform("One", on_error=on_error) + perform("Two"))
    assert isinstance(house.run(program, job), Held)
    assert state(house, job) is State.HELD
    assert "an internal fault (ZeroDivisionError)" in (job.reason or "")
    assert "CANARY" not in house.messages(job)
    monkeypatch.undo()
    assert house.resume(program, job.id) == Done()


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(28, "No space left on device")])
def test_a_disk_that_fails_keeps_the_job(
    house: House, running: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: OSError
) -> None:
    """Not even the failure can be written down; a little later the disk is well again."""
    monkeypatch.setattr("dicomprinter.engine.engine._AFTER_A_FAULT_SECONDS", 0.05)
    failed = threading.Event()
    original = JobFolder.save

    def save(folder, job, *, secure=False):
        if job.state is State.RUNNING and not failed.is_set():
            failed.set()
            raise error
        original(folder, job, secure=secure)

    monkeypatch.setattr(JobFolder, "save", save)
    scp = running(StorageScp())
    engine = house.engine(house.program(store("Send", scp.port), perform("Send")))
    job = house.job(png())
    with caplog.at_level(logging.ERROR):
        engine.submit(job)
        scp.wait_for(1)
    assert failed.is_set()
    assert f"the disk failed: {error.strerror}; the job is kept and tried again" in caplog.text
    wait_for(house, job, None)
    assert outcomes(house) == ["done"]


def test_a_fault_of_the_engine_keeps_the_job(
    house: House, running: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = threading.Event()
    original = Spool.load

    def load(spool, job_id):
        if not failed.is_set():
            failed.set()
            raise ZeroDivisionError
        return original(spool, job_id)

    monkeypatch.setattr(Spool, "load", load)
    scp = running(StorageScp())
    engine = house.engine(house.program(store("Send", scp.port), perform("Send")))
    job = house.job(png())
    with caplog.at_level(logging.ERROR):
        engine.submit(job)
        wait_for(house, job, State.HELD)
        said = "a fault of the engine (ZeroDivisionError); report it with the log, then resume"
        wait_until(lambda: said in caplog.text, "it is told, after it was written down")
    assert scp.associations == 0
    assert asked(engine, job, "resume").succeeded
    scp.wait_for(1)
    wait_for(house, job, None)


def test_a_fault_that_keeps_a_job_from_being_held_ends_no_worker(
    house: House, running: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dicomprinter.engine.engine._AFTER_A_FAULT_SECONDS", 0.05)
    faults = [ZeroDivisionError("CANARY")] * 4
    original = Spool.load

    def load(spool, job_id):
        if faults:
            raise faults.pop()
        return original(spool, job_id)

    monkeypatch.setattr(Spool, "load", load)
    scp = running(StorageScp())
    engine = house.engine(house.program(store("Send", scp.port), perform("Send")))
    job = house.job(png())
    with caplog.at_level(logging.ERROR):
        engine.submit(job)
        wait_for(house, job, None)
    assert all(thread.is_alive() for thread in engine.threads)
    assert caplog.text.count("the job cannot be held (ZeroDivisionError); the job is kept and tried again") == 2


@pytest.mark.parametrize("failing", ["save", "rename"])
def test_a_disk_that_fails_while_a_job_expires_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    program, job = held(house, closed_port())
    failed = threading.Event()
    owner = JobFolder if failing == "save" else Path
    original = getattr(owner, failing)

    def fail_once(*arguments, **options):
        if not failed.is_set():
            failed.set()
            raise OSError(28, "No space left on device")
        return original(*arguments, **options)

    engine = house.engine(program)
    monkeypatch.setattr(owner, failing, fail_once)
    house.clock.forward(days=6)
    there = house.spool.expired / job.id
    engine.wake()
    wait_until(there.exists, "the job has expired")
    assert failed.is_set()
    assert JobFolder(there).load().state is State.EXPIRED
