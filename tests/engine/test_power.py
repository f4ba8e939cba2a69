"""What a crash or a loss of power leaves of a job: nothing of it is forgotten, nothing is told twice."""

from __future__ import annotations

import json
import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from dicomprinter.engine import spool as spool_module
from dicomprinter.engine import sweeper as sweeper_module
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.sweeper import Sweeper
from dicomprinter.job import folder as folder_module
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.parts import Sent
from dicomprinter.workflow.interpreter import Done
from tests.killed import Killed, die
from tests.waiting import PATIENCE, wait_until

from .help import Mark, new_job, program, tools, with_marks

MARKS = '<Mark name="A"/><Mark name="B"/>'
TWO = '<Perform action="A"/><Perform action="B"/>'


@pytest.fixture
def spool(tmp_path, monkeypatch):
    with_marks(monkeypatch)
    with Spool.open(tmp_path) as opened:
        yield opened


def ledger(spool: Spool) -> list[str]:
    return [json.loads(line)["job"] for line in spool.ledger.read_text("utf-8").splitlines()]


def test_a_job_that_is_killed_between_its_line_and_its_end_is_entered_once(spool, tmp_path, monkeypatch):
    loaded = program(tmp_path, MARKS, TWO)
    job = new_job(spool)
    with monkeypatch.context() as patch:
        patch.setattr(JobFolder, "remove", die)
        with pytest.raises(Killed):
            Runner(spool, tools(), lambda: loaded).run(job)
    assert ledger(spool) == [job.id]
    assert isinstance(Runner(spool, tools(), lambda: loaded).run(spool.load(job.id)), Done)
    assert ledger(spool) == [job.id]
    assert spool.job_ids() == []
    assert "".join(Mark.trace) == "AB", "no node is repeated"


@pytest.mark.parametrize("is_known", [True, False])
def test_a_job_on_its_way_out_comes_back_if_the_ledger_has_lost_it(spool, tmp_path, is_known):
    job = new_job(spool)
    gone = spool.jobs / f".gone-{job.id}"
    job.folder.path.rename(gone)
    spool.write_ledger({"job": job.id if is_known else "another", "outcome": "done"})
    spool.close()
    with Spool.open(tmp_path) as again:
        assert again.job_ids() == ([] if is_known else [job.id])
    assert not gone.exists()


def test_the_ledger_is_read_once_however_many_folders_are_left(tmp_path, monkeypatch):
    with Spool.open(tmp_path) as spool:
        left = [spool.jobs / f".gone-{number}" for number in range(50)]
        for folder in left:
            folder.mkdir()
            spool.write_ledger({"job": folder.name.removeprefix(".gone-"), "outcome": "done"})
    read, files = spool_module.lines.read, []

    def noted(file: Path, having=()):
        files.append(file.name)
        return read(file, having)

    monkeypatch.setattr(spool_module.lines, "read", noted)
    with Spool.open(tmp_path):
        assert not any(folder.exists() for folder in left)
    assert files == ["ledger.1.jsonl", "ledger.jsonl"]


def test_two_who_find_the_ledger_full_begin_one_anew(spool, monkeypatch):
    monkeypatch.setattr(spool_module, "_LEDGER_BYTES", 1000)
    spool.write_ledger({"job": "before", "reason": "x" * 1000})
    both, stat = threading.Barrier(2), Path.stat

    def seen_by_both(path, **options):
        found = stat(path, **options)
        if path == spool.ledger:
            with suppress(threading.BrokenBarrierError):
                both.wait(0.2)
        return found

    monkeypatch.setattr(Path, "stat", seen_by_both)
    threads = [threading.Thread(target=spool.write_ledger, args=({"job": name},)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert all(spool.left(job_id) for job_id in ("before", "a", "b"))


def test_the_ledger_is_on_the_disk_before_the_folders_go(tmp_path):
    folders = [tmp_path / str(number) for number in range(3)]
    for folder in folders:
        folder.mkdir()
    there = []
    sweeper = Sweeper(lambda: there.append([folder.exists() for folder in folders]))
    for folder in folders:
        sweeper.put(folder)
    sweeper.start()
    wait_until(lambda: not any(folder.exists() for folder in folders), "all are gone")
    assert there[0] == [True] * 3


def test_a_folder_stays_as_long_as_the_ledger_cannot_be_synced(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeper_module, "_AGAIN_SECONDS", 0.01)
    folder = tmp_path / "folder"
    folder.mkdir()
    there = []

    def fails_twice():
        there.append(folder.exists())
        if len(there) < 3:
            raise OSError(5, "Input/output error")

    sweeper = Sweeper(fails_twice)
    sweeper.put(folder)
    sweeper.start()
    wait_until(lambda: not folder.exists(), "it goes in the end")
    assert there == [True] * 3


def test_a_folder_that_cannot_be_removed_now_is_removed_later(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeper_module, "_AGAIN_SECONDS", 0.01)
    folder = tmp_path / "folder"
    folder.mkdir()
    remove, tries = shutil.rmtree, []

    def fails_twice(path, **options):
        tries.append(path)
        if len(tries) > 2:
            remove(path, **options)

    monkeypatch.setattr(shutil, "rmtree", fails_twice)
    sweeper = Sweeper(lambda: None)
    sweeper.put(folder)
    sweeper.start()
    wait_until(lambda: not folder.exists(), "it goes in the end")
    assert tries == [folder] * 3


def test_a_disk_that_does_not_say_what_is_there_ends_no_sweeper(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeper_module, "_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(shutil, "rmtree", lambda path, **_: path.rmdir() if len(asked) > 2 else None)
    folder = tmp_path / "folder"
    folder.mkdir()
    stat, asked = Path.stat, []

    def fails_twice(path, **options):
        if path == folder:
            asked.append(path)
            if len(asked) < 3:
                raise OSError(5, "Input/output error")
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", fails_twice)
    sweeper = Sweeper(lambda: None)
    sweeper.put(folder)
    sweeper.start()
    wait_until(lambda: not os.path.lexists(folder), "it goes in the end")


def test_what_archives_confirmed_is_on_the_disk_before_the_job_goes_on(spool, monkeypatch):
    job = new_job(spool)
    job.folder.save(job, secure=True)
    events: list[str] = []
    sync, append = folder_module.sync_file, folder_module.lines.append

    def synced(file: Path) -> None:
        events.append(f"sync {file.name}")
        sync(file)

    def appended(file: Path, line: dict[str, object]) -> None:
        events.append(f"line of {file.name}")
        append(file, line)

    monkeypatch.setattr(folder_module, "sync_file", synced)
    monkeypatch.setattr(folder_module.lines, "append", appended)
    job.folder.add_sent(Sent("Send", "PACS@host:104", "1.2", "1.3", "1.4", 0, stored=True, key="k"))
    job.note("stored by PACS@host:104")
    job.folder.save(job)
    assert events == ["line of sent.jsonl", "line of history.jsonl", "sync sent.jsonl", "line of steps.jsonl"]
    events.clear()
    job.folder.save(job, secure=True)
    assert "sync history.jsonl" in events
    assert "sync sent.jsonl" not in events, "it is there already"
