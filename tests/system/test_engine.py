"""The engine by itself: jobs wake, expire, obey operators, survive damage, and go on with another configuration."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.actions.set_tag import SetTag
from dicomprinter.demo.pacs import EmbeddedPacs
from dicomprinter.engine.commands import ask_service
from dicomprinter.engine.engine import Engine
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now
from dicomprinter.errors import SpoolError
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import State
from dicomprinter.program import Program
from dicomprinter.workflow.interpreter import Done, Held
from tests.scp import StorageScp, closed_port
from tests.system.help import House, perform, png, set_tag, store
from tests.system.service import COMMAND, Service, configuration, wait_until

Run = Callable[[Any], Any]


def state(house: House, job: Job) -> State | None:
    """Of a job in the spool, read as another process reads it; None when it has left."""
    try:
        return JobFolder(job.folder.path).load().state
    except Exception:  # noqa: BLE001 - it may be on its way out while it is read
        return None


def wait_for(house: House, job: Job, wanted: State | None) -> None:
    """The engine tells nobody of a state."""
    wait_until(lambda: state(house, job) == wanted, f"the job is {wanted}", 10)


def outcomes(house: House) -> list[str]:
    if not house.spool.ledger.exists():
        return []
    return [json.loads(line)["outcome"] for line in house.spool.ledger.read_text("utf-8").splitlines()]


def uids(job: Job) -> list[str]:
    return [instance.sop_instance_uid for instance in job.instances.values()]


def suspended(house: House, port: int, *, minutes: float = 15) -> tuple[Program, Job]:
    """A job that waits for an archive that is down."""
    program = house.program(store("Send", port), perform("Send", on_error="Suspend"), suspension=minutes * 60)
    job = house.job(png())
    house.run(program, job)
    assert job.state is State.SUSPENDED
    return program, job


def held(house: House, port: int) -> tuple[Program, Job]:
    program = house.program(store("Send", port), perform("Send"))
    job = house.job(png())
    house.run(program, job)
    assert job.state is State.HELD
    return program, job


# Waking


def test_a_suspended_job_wakes_at_its_time(house: House, running: Run) -> None:
    port = closed_port()
    program, job = suspended(house, port)
    assert job.wake_at == house.clock() + timedelta(minutes=15)
    scp = running(EmbeddedPacs(house.base / "pacs", port=port))
    engine = house.engine(program)
    house.clock.forward(minutes=14, seconds=59)
    engine._look_at_waiting()
    assert engine.idle(5)
    assert state(house, job) is State.SUSPENDED
    assert scp.instances == ()
    house.clock.forward(seconds=1)
    engine.wake()
    (one,) = scp.wait_for(1)
    wait_for(house, job, None)
    assert [one.sop_instance] == uids(job)
    assert outcomes(house) == ["done"]


def test_a_suspended_job_wakes_at_its_time_after_a_restart(house: House, running: Run) -> None:
    port = closed_port()
    program, job = suspended(house, port)
    engine = house.engine(program)
    assert engine.stop()
    house.restart()
    house.clock.forward(minutes=20)
    scp = running(EmbeddedPacs(house.base / "pacs", port=port))
    house.engine(program)
    (one,) = scp.wait_for(1)
    assert [one.sop_instance] == uids(job)


def test_a_job_wakes_by_itself(house: House, running: Run) -> None:
    port = closed_port()
    program, _ = suspended(house, port, minutes=1 / 600)
    house.tools = replace(house.tools, clock=local_now)
    scp = running(EmbeddedPacs(house.base / "pacs", port=port))
    house.engine(program)
    scp.wait_for(1)


# Expiry


@pytest.mark.parametrize("make", [suspended, held])
def test_a_job_past_its_validity_moves_to_expired_whole(house: House, make: Callable[..., Any]) -> None:
    program, job = make(house, closed_port())
    if make is suspended:
        # It would wake before: a suspension longer than the validity.
        job.wake_at = house.clock() + timedelta(days=9)
        job.folder.save(job)
    before = content(job.folder.path)
    engine = house.engine(program)
    house.clock.forward(days=5)
    engine._look_at_waiting()
    assert job.folder.path.exists()
    house.clock.forward(seconds=1)
    engine.wake()
    there = house.spool.expired / job.id
    wait_until(there.exists, "the job has expired", 10)
    expired = JobFolder(there).load()
    assert expired.state is State.EXPIRED
    assert "unfinished for longer than ValidityPeriod" in (expired.reason or "")
    assert "refused the connection" in (expired.reason or "")
    after = content(there)
    changed = {"job.json", "history.jsonl"}
    assert {name: data for name, data in after.items() if name not in changed} == {
        name: data for name, data in before.items() if name not in changed
    }
    assert house.spool.job_ids() == []


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_job_killed_on_its_way_to_expired_gets_there(house: House) -> None:
    program, job = held(house, closed_port())
    # Written down as expired, and not yet moved.
    job.state = State.EXPIRED
    job.folder.save(job)
    engine = house.engine(program)
    there = house.spool.expired / job.id
    wait_until(there.exists, "the job has expired", 10)
    assert engine.idle(5)
    assert house.network.calls == ["Send"], "it is not run again"


# Operators


@pytest.mark.parametrize("make", [suspended, held])
def test_an_operator_resumes(house: House, running: Run, make: Callable[..., Any]) -> None:
    port = closed_port()
    program, job = make(house, port)
    engine = house.engine(program)
    scp = running(EmbeddedPacs(house.base / "pacs", port=port))
    answer = asked(engine, job, "resume")
    assert answer.succeeded
    assert answer.message in (
        "the job has finished meanwhile",
        f"operator: resume: {job.state} before, now queued; it goes on at Perform Send (at 0)",
    )
    (one,) = scp.wait_for(1)
    assert [one.sop_instance] == uids(job)
    wait_for(house, job, None)
    assert outcomes(house) == ["done"]


@pytest.mark.parametrize("make", [suspended, held])
def test_an_operator_discards(house: House, make: Callable[..., Any]) -> None:
    program, job = make(house, closed_port())
    engine = house.engine(program)
    answer = asked(engine, job, "discard")
    assert (answer.succeeded, answer.message) == (True, "discarded")
    assert not job.folder.path.exists()
    assert outcomes(house) == ["discarded"]
    assert house.network.calls == ["Send"]


def test_a_command_that_nobody_knows(house: House) -> None:
    program, job = held(house, closed_port())
    engine = house.engine(program)
    answer = asked(engine, job, "explode")
    assert (answer.succeeded, answer.message) == (False, "operator: explode: the command is not known")
    assert state(house, job) is State.HELD
    assert asked(engine, job, "discard").succeeded


def test_a_command_that_cannot_be_read_is_taken_away(house: House) -> None:
    program, job = held(house, closed_port())
    (job.folder.path / "command.json").write_text('{"comma', encoding="utf-8")
    engine = house.engine(program)
    wait_until(lambda: not (job.folder.path / "command.json").exists(), "the command is read", 10)
    assert state(house, job) is State.HELD
    assert asked(engine, job, "discard").succeeded


def asked(engine: Engine, job: Job, command: str):
    """What `jobs resume` does; the engine looks when it is woken."""
    done = threading.Event()

    def keep_awake() -> None:
        while not done.wait(0.02):
            engine.wake()

    thread = threading.Thread(target=keep_awake)
    thread.start()
    try:
        return ask_service(JobFolder(job.folder.path), command, timeout=10)
    finally:
        done.set()
        thread.join()


# Damage


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


@pytest.mark.parametrize("damage", ["the dataset", "job.json is missing", "an unknown state", "another version"])
def test_other_damage_is_held_too(house: House, damage: str) -> None:
    program, job = suspended(house, closed_port())
    file = job.folder.path / "job.json"
    match damage:
        case "the dataset":
            (job.folder.path / "datasets" / "1.json").write_bytes(b"{")
        case "job.json is missing":
            file.unlink()
        case "an unknown state":
            file.write_text(file.read_text("utf-8").replace('"suspended"', '"asleep"'), encoding="utf-8")
        case _:
            file.write_text(file.read_text("utf-8").replace('"version": 1', '"version": 9'), encoding="utf-8")
    house.restart()
    engine = house.engine(program)
    wait_for(house, job, State.HELD)
    assert asked(engine, job, "discard").succeeded
    assert house.spool.job_ids() == []


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
    house.clock.forward(days=6)
    scp = running(EmbeddedPacs(house.base / "pacs", port=port))
    engine.wake()
    scp.wait_for(1)
    wait_for(house, job, None)


def test_two_engines_on_one_spool(house: House, tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="is in use by another process"):
        Spool.open(house.base)
    config = tmp_path / "config.xml"
    config.write_text(configuration(set_tag("Tag", "PatientID", "1"), perform("Tag")), encoding="utf-8")
    command = [*COMMAND, "serve", "--base", str(house.base), "--config", str(config)]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert ended.returncode == 2
    assert "is in use by another process" in ended.stderr
    assert "choose another --base" in ended.stderr


def test_a_second_service_leaves_the_first_alone(tmp_path: Path, running: Run) -> None:
    scp = running(StorageScp())
    config = configuration(store("Send", scp.port), perform("Send"))
    with Service(tmp_path / "base", config) as service:
        command = [*COMMAND, "serve", "--base", str(service.base)]
        ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert ended.returncode == 2
        assert "is in use by another process (process " in ended.stderr
        service.drop("page.png", png())
        scp.wait_for(1)


# Another configuration


class Gate:
    """Stops a SetTag's performance until the test lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered, self.open = threading.Event(), threading.Event()
        original = SetTag.perform

        def wait(action, job, tools) -> None:
            original(action, job, tools)
            if action.name == "Gate":
                self.entered.set()
                assert self.open.wait(10)

        monkeypatch.setattr(SetTag, "perform", wait)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate(monkeypatch)
    yield made
    made.open.set()


def test_a_reload_while_a_job_runs_counts_from_the_next_node(house: House, running: Run, gate: Gate) -> None:
    wrong, right = running(StorageScp()), running(StorageScp())

    def program(port: int, name: str) -> Program:
        actions = set_tag("Gate", "InstitutionName", name) + store("Send", port)
        return house.program(actions, perform("Gate", "Send"))

    engine = house.engine(program(wrong.port, "old"))
    job = house.job(png())
    engine.submit(job)
    assert gate.entered.wait(10)
    engine.reload(program(right.port, "new"))
    gate.open.set()
    (one,) = right.wait_for(1)
    assert one.dataset.InstitutionName == "old", "the node that ran ends with the old one"
    wait_for(house, job, None)
    assert wrong.associations == 0


TAGS = "".join(set_tag(name, "InstitutionName", name) for name in ("One", "Two"))


@pytest.mark.parametrize(
    ("workflow", "trace"),
    [
        (perform("One", "Two", "Send"), []),
        ('<If field="QUERY_FOUND" value="true"><Perform action="Send"/></If>', []),
        (perform("Send", "One"), ["One"]),
    ],
    ids=["nodes before it", "inside an If", "nodes after it"],
)
def test_a_position_is_found_again_by_its_name(
    house: House, running: Run, monkeypatch: pytest.MonkeyPatch, workflow: str, trace: list[str]
) -> None:
    _, job = held(house, closed_port())
    performed = []
    monkeypatch.setattr(SetTag, "perform", lambda action, *_: performed.append(action.name))
    scp = running(StorageScp())
    assert house.resume(house.program(TAGS + store("Send", scp.port), workflow), job.id) == Done()
    assert [one.sop_instance for one in scp.received] == uids(job)
    assert performed == trace


@pytest.mark.parametrize("workflow", [perform("One"), perform("One", "Send", "Send")], ids=["gone", "more than once"])
def test_a_position_that_is_not_to_be_found_is_held_with_the_reason(house: House, running: Run, workflow: str) -> None:
    _, job = held(house, closed_port())
    scp = running(StorageScp())
    program = house.program(TAGS + store("Send", scp.port), workflow)
    outcome = house.resume(program, job.id)
    assert isinstance(outcome, Held)
    assert "the configuration has changed and Perform Send (at 0) is not there any more" in outcome.why
    assert "correct the file, or discard the job" in outcome.why
    assert state(house, job) is State.HELD
    assert scp.associations == 0
    # A corrected file helps.
    assert house.resume(house.program(store("Send", scp.port), perform("Send")), job.id) == Done()
    assert [one.sop_instance for one in scp.received] == uids(job)


def test_an_update_loads_and_is_passed(house: House, running: Run) -> None:
    scp = running(StorageScp())
    film = (
        '<Print name="Film"><ConnectionParameters><PeerAETitle>FILM</PeerAETitle><Host>127.0.0.1</Host>'
        "<Port>104</Port></ConnectionParameters></Print>"
    )
    change = "<BasicFilmBoxAttributes><FilmSizeId>A4</FilmSizeId></BasicFilmBoxAttributes>"
    update = f'<Update action="Film" type="Print">{change}</Update>'
    program = house.program(film + store("Send", scp.port), update + perform("Send"))
    job = house.job(png())
    assert house.run(program, job) == Done()
    assert len(scp.received) == 1
    assert "Update Film" in house.messages(job)


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
    monkeypatch.setattr("dicomprinter.engine.engine._AFTER_A_FAULT_SECONDS", 0.05)
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
        scp.wait_for(1)
    assert "a fault of the engine: ZeroDivisionError; the job is kept" in caplog.text
    wait_for(house, job, None)


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
    wait_until(there.exists, "the job has expired", 10)
    assert failed.is_set()
    assert JobFolder(there).load().state is State.EXPIRED
