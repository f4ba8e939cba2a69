"""The engine by itself: jobs wake, expire, obey operators, survive damage, and go on with another configuration."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dicomprinter.actions.tags.set_tag import SetTag
from dicomprinter.demo.pacs import EmbeddedPacs
from dicomprinter.engine.tools import local_now
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.parts import State
from dicomprinter.program import Program
from dicomprinter.workflow.interpreter import Done, Held
from tests.scp import StorageScp, closed_port
from tests.system.engine_help import asked, content, held, outcomes, state, suspended, uids, wait_for
from tests.system.help import House, perform, png, set_tag, store
from tests.system.service import connection
from tests.waiting import PATIENCE, wait_until

Run = Callable[[Any], Any]


# Waking


def test_a_suspended_job_wakes_at_its_time(house: House, running: Run) -> None:
    port = closed_port()
    program, job = suspended(house, port)
    assert job.wake_at == house.clock() + timedelta(minutes=15)
    scp = running(EmbeddedPacs(house.base / "pacs", port=port))
    engine = house.engine(program)
    house.clock.forward(minutes=14, seconds=59)
    engine._scheduler.look()
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
    # It would wake before: a suspension longer than the validity.
    long = {"minutes": 9 * 24 * 60} if make is suspended else {}
    program, job = make(house, closed_port(), **long)
    before = content(job.folder.path)
    engine = house.engine(program)
    house.clock.forward(days=5)
    engine._scheduler.look()
    assert job.folder.path.exists()
    house.clock.forward(seconds=1)
    engine.wake()
    there = house.spool.expired / job.id
    wait_until(there.exists, "the job has expired")
    expired = JobFolder(there).load()
    assert expired.state is State.EXPIRED
    assert "unfinished for longer than ValidityPeriod" in (expired.reason or "")
    assert "refused the connection" in (expired.reason or "")
    told = [str(line["message"]) for line in expired.folder.history() if str(line["message"]).startswith("expired")]
    assert len(told) == 1
    assert f"it is kept in spool/expired/{job.id}; dicomprinter jobs restore {job.id} takes it back" in told[0]
    after = content(there)
    changed = {"job.json", "history.jsonl"}
    assert {name: data for name, data in after.items() if name not in changed} == {
        name: data for name, data in before.items() if name not in changed
    }
    assert house.spool.job_ids() == []


def test_a_job_killed_on_its_way_to_expired_gets_there(house: House) -> None:
    program, job = held(house, closed_port())
    # Written down as expired, and not yet moved.
    job.state = State.EXPIRED
    job.folder.save(job)
    engine = house.engine(program)
    there = house.spool.expired / job.id
    wait_until(there.exists, "the job has expired")
    assert engine.idle(5)
    assert house.network.calls == ["Send"], "it is not run again"


# Operators


@pytest.mark.parametrize("make", [suspended, held])
def test_an_operator_resumes(house: House, running: Run, make: Callable[..., Any]) -> None:
    answered = threading.Event()
    # The second time it waits: a job that is done at once takes the command's answer along.
    scp = running(StorageScp(answers=[0xA700], on_store=lambda _: len(scp.received) < 2 or answered.wait(PATIENCE)))
    program, job = make(house, scp.port)
    engine = house.engine(program)
    try:
        answer = asked(engine, job, "resume")
    finally:
        answered.set()
    assert answer.succeeded
    assert answer.message == f"{job.state} before, now queued; it goes on at Perform Send (at 0)"
    assert [one.sop_instance for one in scp.wait_for(2)] == uids(job) * 2
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
    assert (answer.succeeded, answer.message) == (False, "the command is not known")
    assert state(house, job) is State.HELD
    assert asked(engine, job, "discard").succeeded


def test_a_command_that_cannot_be_read_is_taken_away(house: House) -> None:
    program, job = held(house, closed_port())
    (job.folder.path / "command.json").write_text('{"comma', encoding="utf-8")
    engine = house.engine(program)
    wait_until(lambda: not (job.folder.path / "command.json").exists(), "the command is read")
    assert state(house, job) is State.HELD
    assert asked(engine, job, "discard").succeeded


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
                assert self.open.wait(PATIENCE)

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
    assert gate.entered.wait(PATIENCE)
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
    film = f'<Print name="Film">{connection(104, "FILM")}</Print>'
    change = "<BasicFilmBoxAttributes><FilmSizeId>A4</FilmSizeId></BasicFilmBoxAttributes>"
    update = f'<Update action="Film" type="Print">{change}</Update>'
    program = house.program(film + store("Send", scp.port), update + perform("Send"))
    job = house.job(png())
    assert house.run(program, job) == Done()
    assert len(scp.received) == 1
    assert "Update Film" in house.messages(job)
