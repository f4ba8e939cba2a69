"""A clock that is set while jobs wait: none expires by a mistake, none waits for ever, and they keep their order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dicomprinter.engine import spool as spool_module
from dicomprinter.engine.clock_watch import ClockWatch
from dicomprinter.engine.engine import Engine
from dicomprinter.engine.spool import Spool
from dicomprinter.job.parts import State

from .help import Clock, new_job, program, tools, with_marks

WORKFLOW = '<Perform action="A"/>'


@pytest.fixture
def spool(tmp_path, monkeypatch):
    with_marks(monkeypatch)
    with Spool.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scheduler(spool, tmp_path, clock):
    """Its looks are made by hand; a held job waits."""
    job = new_job(spool)
    job.state, job.reason = State.HELD, "for a test"
    job.folder.save(job, secure=True)
    loaded = program(tmp_path, '<Mark name="A"/>', WORKFLOW)
    engine = Engine(spool, loaded, tools(clock), workers=1, steady=clock.steady)
    engine.submit(job)
    return engine._scheduler


def test_a_clock_that_is_wrong_for_a_moment_expires_nothing(spool, scheduler, clock, caplog):
    clock.jump(days=365)
    scheduler.look()
    clock.forward(minutes=50)
    scheduler.look()
    assert "the clock was set forward by 365 days" in caplog.text
    clock.jump(days=-365)
    scheduler.look()
    assert len(spool.job_ids()) == 1
    assert list(spool.expired.iterdir()) == []


def test_a_clock_that_stays_is_believed_after_an_hour(spool, scheduler, clock):
    clock.jump(days=365)
    scheduler.look()
    assert len(spool.job_ids()) == 1
    clock.forward(minutes=61)
    scheduler.look()
    assert spool.job_ids() == []
    assert len(list(spool.expired.iterdir())) == 1


def test_time_that_passes_is_no_jump(clock, caplog):
    watch = ClockWatch(clock, clock.steady)
    for _ in range(5):
        clock.forward(hours=13)
        watch.look()
    assert watch.is_trusted
    clock.jump(seconds=30)
    watch.look()
    assert watch.is_trusted
    assert caplog.text == ""


def test_a_clock_that_is_put_right_is_believed_at_once(clock, caplog):
    watch = ClockWatch(clock, clock.steady)
    clock.jump(days=30)
    watch.look()
    assert not watch.is_trusted
    clock.jump(days=-30)
    watch.look()
    assert watch.is_trusted
    assert "the clock was set back by 30 days" in caplog.text


def test_ids_keep_the_order_of_arrival_when_the_clock_goes_back(spool, tmp_path, monkeypatch):
    class Shifted(datetime):
        shift = timedelta()

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + cls.shift

    monkeypatch.setattr(spool_module, "datetime", Shifted)
    ids = [spool.new_id() for _ in range(3)]
    Shifted.shift = timedelta(days=-1)
    ids += [spool.new_id() for _ in range(3)]
    job = new_job(spool)
    spool.close()
    Shifted.shift = timedelta(days=-2)
    with Spool.open(tmp_path) as again:
        later = again.new_id()
    assert ids == sorted(ids)
    assert later > job.id > ids[-1]


@pytest.mark.parametrize("name", ["99991231T235959999999-abcdef", "a-b", "2026"])
def test_a_folder_that_somebody_made_does_not_spoil_the_ids(spool, tmp_path, name):
    (spool.jobs / name).mkdir()
    spool.close()
    with Spool.open(tmp_path) as again:
        assert again.new_id().startswith(f"{datetime.now(UTC):%Y}")
