"""Several files that are dropped together: taken side by side, in their order."""

from __future__ import annotations

import errno
import threading
from unittest.mock import Mock

import pytest

from dicomprinter.intake import incoming as module
from dicomprinter.intake.accept import Intake
from tests.intake.test_incoming import Drop
from tests.waiting import PATIENCE


@pytest.fixture
def drop(tmp_path, decoder):
    opened = Drop(tmp_path, decoder)
    yield opened
    opened.spool.close()


def test_several_are_taken_side_by_side_and_keep_their_order(drop, monkeypatch):
    names = [f"{number}.png" for number in range(module._SIDE_BY_SIDE * 2)]
    for name in reversed(names):
        drop.put(name)
    together = threading.Barrier(module._SIDE_BY_SIDE, timeout=PATIENCE)
    take = Intake.take

    def meet(self, *arguments, **options):
        together.wait()
        return take(self, *arguments, **options)

    monkeypatch.setattr(Intake, "take", meet)
    assert drop.look() is False
    assert [job.facts.name for job in sorted(drop.jobs, key=lambda job: job.id)] == names
    assert drop.spool.job_ids() == sorted(job.id for job in drop.jobs)


def test_they_are_submitted_in_their_order_whichever_is_taken_first(drop, monkeypatch):
    names = [f"{number}.png" for number in range(module._SIDE_BY_SIDE * 2)]
    for name in names:
        drop.put(name)
    others_are_taken = threading.Event()
    taken = []
    take = Intake.take

    def wait(self, files, *arguments, **options):
        if files[0].name == "0.png":
            assert others_are_taken.wait(PATIENCE)
        job = take(self, files, *arguments, **options)
        taken.append(job)
        if len(taken) == len(names) - 1:
            others_are_taken.set()
        return job

    monkeypatch.setattr(Intake, "take", wait)
    drop.look()
    assert taken[-1].facts.name == "0.png"
    assert [job.facts.name for job in drop.jobs] == names


def test_one_that_fails_keeps_none_of_those_beside_it_out(drop, monkeypatch):
    for number in range(9):
        drop.put(f"{number}.png")
    take = Intake.take

    def fail(self, files, *arguments, **options):
        if files[0].name in ("0.png", "4.png"):
            raise OSError(errno.EIO, "Input/output error")
        return take(self, files, *arguments, **options)

    monkeypatch.setattr(Intake, "take", fail)
    drop.look()
    assert len(drop.jobs) == 7
    assert drop.left() == ["0.png", "4.png"]


def test_what_no_thread_can_be_had_for_is_taken_all_the_same(drop, monkeypatch):
    drop.put("0.png")
    drop.put("1.png")
    monkeypatch.setattr(module, "threading", Mock(**{"Thread.return_value.start.side_effect": RuntimeError}))
    drop.look()
    assert len(drop.jobs) == 2
