"""What has to be on the disk, and whose it is."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from dicomprinter.engine import spool as spool_module
from dicomprinter.engine.engine import Engine
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.intake import accept
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.submission import Submission
from dicomprinter.job import folder as folder_module
from dicomprinter.workflow.interpreter import Done
from tests.imaging.pictures import png
from tests.waiting import PATIENCE

from .help import Mark, new_job, program, tools, with_marks

MARKS = "".join(f'<Mark name="{name}"/>' for name in "AB")
TWO = '<Perform action="A"/><Perform action="B"/>'


@pytest.fixture
def spool(tmp_path, monkeypatch):
    with_marks(monkeypatch)
    with Spool.open(tmp_path) as opened:
        yield opened


def test_a_torn_ledger_loses_no_line_and_tells_what_it_holds(spool, tmp_path):
    loaded = program(tmp_path, MARKS, TWO)
    spool.ledger.write_text('{"job": "other", "outcome": "do')
    job = new_job(spool)
    assert isinstance(Runner(spool, tools(), lambda: loaded).run(job), Done)
    assert spool.outcome(job.id) == "done"
    assert spool.outcome("other") is None
    assert spool.outcome("never") is None


def test_a_job_that_was_done_before_the_ledger_was_put_aside_is_still_known(spool, monkeypatch):
    monkeypatch.setattr(spool_module, "_LEDGER_BYTES", 100)
    spool.write_ledger({"job": "a", "outcome": "expired", "reason": "x" * 100})
    spool.write_ledger({"job": "a", "outcome": "done"})
    spool.write_ledger({"job": "b", "outcome": "merged", "reason": "x" * 100})
    assert spool.ledger.with_name("ledger.1.jsonl").exists()
    assert (spool.outcome("a"), spool.outcome("b")) == ("done", "merged")
    spool.write_ledger({"job": "c", "outcome": "discarded"})
    assert [spool.outcome(job) for job in "abcd"] == ["done", "merged", "discarded", None]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="gives a folder to another user, as root")
def test_what_root_writes_into_the_ledger_is_the_service_user_s(spool):
    os.chown(spool.root, 65534, 65534)
    spool.write_ledger({"job": "a", "outcome": "done"})
    assert spool.ledger.stat().st_uid == 65534


def test_a_secured_job_has_every_dataset_on_the_disk_that_it_names(spool, tmp_path, monkeypatch):
    synced = set()
    sync = folder_module.sync_file

    def noted(file: Path) -> None:
        synced.add(file)
        sync(file)

    monkeypatch.setattr(folder_module, "sync_file", noted)
    job = new_job(spool)
    secure = tools().secure
    perform = Mark.perform

    def securing(action, job, used):
        if action.name == "B":
            synced.clear()
            secure(job)
        perform(action, job, used)

    monkeypatch.setattr(Mark, "perform", securing)
    assert isinstance(Runner(spool, tools(), lambda: program(tmp_path, MARKS, TWO)).run(job), Done)
    versions = {file.stem for file in synced if file.parent.name == "datasets"}
    assert versions == {"1", "2"}, "the one it has now, and the one with which A was entered"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO])
def test_a_job_that_has_its_name_is_told_of_whatever_the_disk_says(spool, tmp_path, decoder, monkeypatch, number):
    file = tmp_path / "scan.png"
    file.write_bytes(png(4, 2, 8, 0, [b"abcd", b"efgh"]))
    sync = accept.sync_folder

    def fails(folder: Path) -> None:
        if folder == spool.jobs:
            raise OSError(number, os.strerror(number))
        sync(folder)

    monkeypatch.setattr(accept, "sync_folder", fails)
    job = Intake(spool, decoder, tools().clock).take([file], Submission("scan.png"))
    assert job is not None
    assert spool.job_ids() == [job.id]


def test_a_run_in_the_foreground_is_not_stopped_by_a_command(spool, tmp_path, monkeypatch):
    job = new_job(spool)
    job.folder.write_command({"command": "discard", "token": "t"})
    assert isinstance(Runner(spool, tools(), lambda: program(tmp_path, MARKS, TWO)).run(job), Done)
    assert "".join(Mark.trace) == "AB"


def test_a_node_has_all_the_time_of_a_stop(spool, tmp_path, monkeypatch):
    began, go_on = threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        began.set()
        assert go_on.wait(PATIENCE)

    monkeypatch.setattr(Mark, "perform", slow)
    engine = Engine(spool, program(tmp_path, MARKS, TWO), tools(), workers=15)
    waited = []

    class Watched(threading.Thread):
        def join(self, timeout=None):
            waited.append(timeout)
            go_on.set()
            super().join(timeout)

    engine._threads = [Watched(target=thread._target, daemon=True) for thread in engine._threads]
    new_job(spool)
    engine.start()
    assert began.wait(PATIENCE)
    assert engine.stop(timeout=10 * PATIENCE)
    assert min(waited) > 5 * PATIENCE, "no thread is given a share only"


def test_no_log_tells_a_patient_s_value_by_a_yes(spool, tmp_path, caplog):
    caplog.set_level("DEBUG")
    asked = '<If field="TAG_VALUE(0010,0040)" value="F"><Perform action="A"/></If>'
    named = '<If field="PRINTED_FILE_NAME" value="Muster.*"><Perform action="A"/></If>'
    job = new_job(spool, PatientSex="F")
    lines = []
    runner = Runner(
        spool,
        tools(),
        lambda: program(tmp_path, MARKS, asked + named),
        before_leaving=lambda job: lines.extend(job.folder.history()),
    )
    assert isinstance(runner.run(job), Done)
    assert [record.getMessage() for record in caplog.records if "yes" in record.getMessage()] == [
        "If TAG_VALUE(0010,0040): yes"
    ]
    assert "Muster" not in caplog.text
    assert [line["private"] for line in lines if "If" in line["message"]] == [
        "compared with F",
        "compared with Muster.*",
    ]
