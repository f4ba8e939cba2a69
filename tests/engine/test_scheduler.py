"""Which of many waiting jobs are looked at, and when."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from dicomprinter.engine import scheduler as scheduler_module
from dicomprinter.engine.bells import ring
from dicomprinter.engine.clock_watch import ClockWatch
from dicomprinter.engine.destinations import Destinations
from dicomprinter.engine.recovery import Recovery
from dicomprinter.engine.scheduler import Scheduler
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.startup import take_up_all
from dicomprinter.engine.ticket import Ticket
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import State

from .help import Clock, new_job, program

AT_ONCE = 3
JOBS = 8


class Desk:
    """A scheduler over jobs that are held, and what it does with them."""

    def __init__(self, spool: Spool, folder: Path) -> None:
        self.spool = spool
        self.clock = Clock()
        self.ready: list[str] = []
        loaded = program(folder, "", "")
        self.scheduler = Scheduler(
            spool,
            ClockWatch(self.clock, self.steady),
            lambda: loaded,
            Recovery(Destinations(self.clock)),
            take_up=self.take_up,
            wake=lambda ticket: self.ready.append(ticket.job_id),
            discard=lambda job: job.folder.remove(),
            stopping=threading.Event(),
        )

    def steady(self) -> float:
        """Goes with the clock: nobody has set it."""
        return self.clock().timestamp()

    def take_up(self, ticket: Ticket) -> None:
        if ticket.is_ready:
            self.ready.append(ticket.job_id)
        else:
            self.scheduler.add(ticket)

    def job(self, state: State = State.HELD, wake_in: timedelta | None = None) -> Job:
        job = new_job(self.spool)
        job.state, job.wake_at = state, self.clock() + wake_in if wake_in else None
        job.folder.save(job, secure=True)
        return job

    def looks_until(self, condition: Callable[[], bool]) -> int:
        """How often it looks before that is so."""
        for count in range(1, 100):
            self.scheduler.look()
            if condition():
                return count
        raise AssertionError("never")


@pytest.fixture
def desk(spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(scheduler_module, "_AT_ONCE", AT_ONCE)
    return Desk(spool, tmp_path)


@pytest.fixture
def jobs(desk: Desk) -> list[Job]:
    """Held, and looked at for as long as everyone has had a turn."""
    found = [desk.job() for _ in range(JOBS)]
    for job in found:
        desk.scheduler.add(Ticket.of(job))
    for _ in range(JOBS):
        desk.scheduler.look()
    return found


def test_a_look_goes_into_few_folders_and_each_has_its_turn(
    desk: Desk, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    has_command = JobFolder.has_command
    monkeypatch.setattr(JobFolder, "has_command", lambda self: seen.append(self.path.name) or has_command(self))
    for count in range(1, 4):
        desk.scheduler.look()
        assert len(seen) == count * AT_ONCE
    assert set(seen) == {job.id for job in jobs}


def test_who_rings_does_not_wait(desk: Desk, jobs: list[Job]) -> None:
    for job in jobs:
        job.folder.write_command({"command": "resume", "token": job.id})
        ring(desk.spool, job.id)
        assert desk.looks_until(lambda job=job: job.id in desk.ready) == 1
        assert list(desk.spool.commands.iterdir()) == []
        assert not job.folder.has_command()


@pytest.mark.parametrize("number", [0, JOBS - 1])
def test_who_does_not_ring_comes_in_turn(desk: Desk, jobs: list[Job], number: int) -> None:
    jobs[number].folder.write_command({"command": "discard"})
    assert desk.looks_until(lambda: not jobs[number].folder.path.exists()) <= JOBS // AT_ONCE + 1


def test_a_bell_for_nobody_is_taken_away(desk: Desk, jobs: list[Job]) -> None:
    ring(desk.spool, "20260131T091502123456-a1b2c3")
    desk.scheduler.look()
    assert list(desk.spool.commands.iterdir()) == []


def test_without_a_bell_a_command_is_carried_out_all_the_same(desk: Desk, jobs: list[Job]) -> None:
    """Another user's folder, or a full disk."""
    desk.spool.commands.rmdir()
    desk.spool.commands.touch()
    jobs[0].folder.write_command({"command": "resume"})
    ring(desk.spool, jobs[0].id)
    desk.looks_until(lambda: jobs[0].id in desk.ready)


def test_whose_time_has_come_goes_at_once(desk: Desk, jobs: list[Job]) -> None:
    late, early = (desk.job(State.SUSPENDED, timedelta(seconds=seconds)) for seconds in (50, 30))
    for job in (late, early):
        desk.scheduler.add(Ticket.of(job))
    for _ in range(JOBS):
        desk.scheduler.look()
    assert desk.ready == []
    desk.clock.forward(seconds=31)
    desk.scheduler.look()
    assert desk.ready == [early.id]
    desk.clock.forward(seconds=31)
    desk.scheduler.look()
    assert desk.ready == [early.id, late.id]


def test_a_job_that_comes_to_wait_is_looked_at_next(desk: Desk, jobs: list[Job]) -> None:
    """Its bell may have rung while it still ran."""
    job = desk.job()
    job.folder.write_command({"command": "resume"})
    desk.scheduler.add(Ticket.of(job))
    assert desk.looks_until(lambda: job.id in desk.ready) == 1


def test_a_job_that_has_waited_before_has_one_turn(desk: Desk, jobs: list[Job]) -> None:
    for job in jobs:
        for _ in range(3):
            desk.scheduler.add(Ticket.of(job))
    jobs[-1].folder.write_command({"command": "discard"})
    assert desk.looks_until(lambda: not jobs[-1].folder.path.exists()) <= JOBS // AT_ONCE + 1


@pytest.mark.parametrize("damage", ["{", "[]", None])
def test_a_start_glances_and_damage_is_found_in_turn(desk: Desk, damage: str | None) -> None:
    jobs = [desk.job(State.SUSPENDED, timedelta(seconds=50)) for _ in range(JOBS)]
    file = jobs[4].folder.path / "datasets" / "1.json"
    if damage is None:
        file.unlink()
    else:
        file.write_text(damage)
    take_up_all(
        desk.spool, lambda ticket: desk.scheduler.add(ticket, is_read=False), lambda *told: pytest.fail(str(told))
    )
    desk.looks_until(lambda: desk.spool.glance(jobs[4].id).state is State.HELD)
    assert "is damaged" in (desk.spool.load(jobs[4].id).reason or "")
    for _ in range(JOBS):
        desk.scheduler.look()
    assert {desk.spool.glance(job.id).state for job in jobs if job is not jobs[4]} == {State.SUSPENDED}
    assert desk.ready == []


def test_a_damaged_job_that_cannot_be_put_aside_now_keeps_no_other_from_starting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged, sound = desk.job(), desk.job()
    (damaged.folder.path / "job.json").write_text("{")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(JobFolder, "save", full)
    found: list[str] = []
    later: list[str] = []
    take_up_all(desk.spool, lambda ticket: found.append(ticket.job_id), lambda job_id, _: later.append(job_id))
    assert (found, later) == ([sound.id], [damaged.id])


def test_a_wish_that_cannot_be_taken_away_ends_no_scheduler(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.spool.commands / "never-was.json").write_text("{}")

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "unlink", read_only)
    desk.scheduler._look_at_wishes()
    monkeypatch.setattr(Path, "read_bytes", read_only)
    desk.scheduler._look_at_wishes()
    monkeypatch.undo()
    desk.scheduler._look_at_wishes()
    assert list(desk.spool.commands.iterdir()) == []
