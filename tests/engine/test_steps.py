"""Where a job stands between two secure writes: lines beside job.json, which a crash may cut, a power cut take."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.engine.engine import Engine
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.sweeper import Sweeper
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import State
from dicomprinter.program import Program
from tests.killed import Killed
from tests.waiting import PATIENCE, wait_until

from .help import Mark, new_job, program, tools, with_marks

STEPS = "steps.jsonl"


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    with_marks(monkeypatch)
    with Spool.open(tmp_path / "base") as opened:
        yield opened


@pytest.fixture
def marks(tmp_path: Path) -> Program:
    return program(
        tmp_path,
        "".join(f'<Mark name="{name}"/>' for name in "ABCD"),
        "".join(f'<Perform action="{name}"/>' for name in "ABCD"),
    )


def killed_in(spool: Spool, what: Program, name: str, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job whose process was killed while this action ran."""
    job = new_job(spool)
    perform = Mark.perform

    def dies(action: Mark, *arguments: Any) -> None:
        if action.name == name:
            raise Killed
        perform(action, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Mark, "perform", dies)
        with pytest.raises(Killed):
            Runner(spool, tools(), lambda: what).run(job)
    Mark.trace.clear()
    return job


def finish(spool: Spool, what: Program, job: Job) -> str:
    """Run it to its end; what was performed for it."""
    gathered: list[str] = []
    keep = lambda done: gathered.append(str(done.dataset.PatientComments))  # noqa: E731
    Runner(spool, tools(), lambda: what, before_leaving=keep).run(spool.load(job.id))
    assert gathered == ["ABCD"]
    return "".join(Mark.trace)


def test_a_crash_repeats_the_node_that_ran_and_no_other(
    spool: Spool, marks: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = killed_in(spool, marks, "C", monkeypatch)
    found = spool.load(job.id)
    assert (found.state, found.position.node, found.dataset.PatientComments) == (State.RUNNING, "Perform C", "AB")
    # Beside it, job.json is still the one with which the job came.
    assert json.loads((job.folder.path / "job.json").read_text())["state"] == "queued"
    assert finish(spool, marks, job) == "CD"


def test_a_line_that_was_cut_does_not_count(spool: Spool, marks: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    job = killed_in(spool, marks, "C", monkeypatch)
    file = job.folder.path / STEPS
    whole = file.read_bytes()
    last = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in (last + 1, last + 50, len(whole) - 2):
        file.write_bytes(whole[:end])
        assert spool.load(job.id).position.node == "Perform B"
    assert finish(spool, marks, job) == "BCD"


def test_after_a_loss_of_power_more_is_repeated_and_nothing_is_damaged(
    spool: Spool, marks: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = killed_in(spool, marks, "C", monkeypatch)
    (job.folder.path / STEPS).write_bytes(b"\0" * 4096)
    found = spool.load(job.id)
    assert (found.state, found.position.path) == (State.QUEUED, "")
    assert finish(spool, marks, job) == "ABCD"


def test_a_step_whose_dataset_the_power_took_does_not_count(
    spool: Spool, marks: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = killed_in(spool, marks, "C", monkeypatch)
    newest = max((job.folder.path / "datasets").iterdir(), key=lambda file: int(file.stem))
    newest.write_bytes(b"")
    assert spool.load(job.id).state is State.QUEUED
    assert finish(spool, marks, job) == "ABCD"


def test_steps_that_a_crash_left_beside_a_newer_job_json_do_not_count(
    spool: Spool, marks: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = killed_in(spool, marks, "C", monkeypatch)
    steps = (job.folder.path / STEPS).read_bytes()
    job = spool.load(job.id)
    job.state, job.reason = State.HELD, "by hand"
    job.folder.save(job, secure=True)
    assert not (job.folder.path / STEPS).exists()
    (job.folder.path / STEPS).write_bytes(steps)
    assert spool.load(job.id).state is State.HELD
    job = spool.load(job.id)
    job.state = State.QUEUED
    job.folder.save(job)
    assert spool.load(job.id).state is State.QUEUED
    assert finish(spool, marks, job) == "CD"


def test_a_secure_write_says_the_same_as_the_last_step(spool: Spool, marks: Program) -> None:
    job = new_job(spool, PatientComments="x")
    job.dataset.PatientComments = "y"
    job.folder.save(job)
    before = JobFolder(job.folder.path).load()
    job.folder.save(job, secure=True)
    after = JobFolder(job.folder.path).load()
    assert before.to_json() == after.to_json()
    assert before.dataset == after.dataset == job.dataset


def test_folders_of_finished_jobs_go_beside_the_workers(
    spool: Spool, marks: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, go = threading.Event(), threading.Event()
    put = Sweeper.put

    def late(sweeper: Sweeper, folder: Path) -> None:
        going.set()
        assert go.wait(PATIENCE)
        put(sweeper, folder)

    # The job's name goes at once, and with it the job; only its files stay a little.
    monkeypatch.setattr(Sweeper, "put", late)
    job = new_job(spool)
    engine = Engine(spool, marks, tools())
    engine.start()
    assert going.wait(PATIENCE)
    assert spool.job_ids() == []
    assert (spool.jobs / f".gone-{job.id}").exists()
    go.set()
    wait_until(lambda: list(spool.jobs.iterdir()) == [], "its files go too")
    assert engine.stop()


def test_what_is_put_in_is_removed_before_the_end(tmp_path: Path) -> None:
    sweeper = Sweeper(lambda: None)
    folders = [tmp_path / str(number) for number in range(20)]
    for folder in folders:
        (folder / "inside").mkdir(parents=True)
        sweeper.put(folder)
    sweeper.start()
    wait_until(lambda: not any(folder.exists() for folder in folders), "all are gone")
    late = tmp_path / "late"
    late.mkdir()
    sweeper.put(late)
    sweeper.stop(time.monotonic() + PATIENCE)
    assert not late.exists()
