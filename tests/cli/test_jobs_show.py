"""`jobs show`, `jobs list` and `jobs restore` of what is not simply a job that waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
import pytest

from dicomprinter.engine.spool import Spool
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.parts import State
from tests.cli.conftest import Call

ID = "20260131T091502123456-a1b2c3"
NO_SERVICE = "no service runs on this spool: dicomprinter serve starts one\n"


@pytest.fixture
def held(call: Call, base: Path, page: Path) -> Callable[[], str]:
    """Makes a held job; its id."""

    def make() -> str:
        said = call("run", base / "config" / "config.xml", page, "--base", base, "--json")
        assert said.code == 3
        return str(said.json["job"])

    return make


def reject(base: Path, *names: str, reason: str = "it cannot be read\nPatientIDD\nsecond\n") -> None:
    Spool.open(base).close()
    for name in names:
        file = base / "spool" / "rejected" / name
        file.touch()
        file.with_name(name + ".reason.txt").write_text(reason)


def test_a_finished_job_is_told_from_the_ledger(call: Call, base: Path, held: Callable[[], str]) -> None:
    job_id, other = held(), held()
    discarded = call("jobs", "discard", job_id, "--base", base)
    assert (discarded.out, discarded.err) == (f"{job_id}: discarded\n", "")
    said = call("jobs", "show", job_id, "--base", base)
    assert said.code == 0
    assert [line.split()[:2] for line in said.out.splitlines() if line.startswith(("job", "outcome", "reason"))] == [
        ["job", job_id],
        ["outcome", "discarded"],
        ["reason", "an"],
    ]
    assert call("jobs", "show", job_id, "--base", base, "--json").json["outcome"] == "discarded"
    for command in (("resume",), ("match", "PatientID=1"), ("restore",)):
        said = call("jobs", command[0], job_id, *command[1:], "--base", base)
        assert said.code == 2
        assert said.err.startswith("error: ")
        assert "has finished: discarded at 20" in said.err
    # The beginning of a job that is there means that job.
    assert other in call("jobs", "show", other, "--base", base).out
    third = held()
    for command in ("show", "resume"):
        said = call("jobs", command, "20", "--base", base)
        assert (said.code, said.err.count('"20" is the beginning of 2 jobs')) == (2, 1)
    call("jobs", "discard", other, third, "--base", base)
    said = call("jobs", "show", "20", "--base", base)
    assert (said.code, "is the beginning of 3 finished jobs" in said.err) == (2, True)


def test_the_older_ledger_is_read_too(call: Call, base: Path) -> None:
    Spool.open(base).close()
    (base / "spool" / "ledger.1.jsonl").write_text(json.dumps({"job": ID, "outcome": "done", "time": "t"}) + "\n")
    assert "done" in call("jobs", "show", ID, "--base", base).out


def test_a_rejected_file_and_its_whole_reason(call: Call, base: Path) -> None:
    reject(base, f"{ID}-scan.pdf", f"{ID}-scan.pdf.json", f"{ID}-scan.txt")
    said = call("jobs", "show", ID, "--base", base)
    assert said.code == 0
    for text in ("it cannot be read", "PatientIDD", "second", f"dicomprinter jobs restore {ID}-scan.pdf --base {base}"):
        assert text in said.out
    assert call("jobs", "show", f"{ID}-scan.pdf.json", "--base", base, "--json").json == {
        "name": f"{ID}-scan.pdf",
        "reason": "it cannot be read",
        "private": "PatientIDD\nsecond",
        "sidecars": [f"{ID}-scan.pdf.json", f"{ID}-scan.txt"],
    }


def test_a_sidecar_is_no_row_of_its_own(call: Call, base: Path) -> None:
    reject(base, f"{ID}-scan.pdf", f"{ID}-scan.pdf.json")
    said = call("jobs", "list", "--base", base)
    counted = f"1 rejected file in {base}/spool/rejected, with its reason: dicomprinter jobs list --rejected\n"
    assert said.err == counted + NO_SERVICE
    said = call("jobs", "list", "--rejected", "--base", base)
    (row,) = [line for line in said.out.splitlines() if ID in line]
    assert row.endswith("it cannot be read (PatientIDD second)")
    # A sidecar alone is shown: nothing else would tell of it.
    reject(base, f"{ID[:-1]}4-alone.json")
    assert "2 rejected files" in call("jobs", "list", "--base", base).err
    assert f"{ID[:-1]}4-alone.json" in call("jobs", "list", "--rejected", "--base", base).out


def test_a_live_job_is_not_restored_and_says_what_it_wants(call: Call, base: Path, held: Callable[[], str]) -> None:
    job_id = held()
    said = call("jobs", "restore", job_id, "--base", base)
    assert said.code == 2
    assert said.err.startswith(f"error: the job {job_id} is in the spool, held; ")
    assert said.err.endswith(f"send it on: dicomprinter jobs resume {job_id}\n")


def test_an_unknown_id_is_an_error_everywhere_alike(call: Call, base: Path, held: Callable[[], str]) -> None:
    held()
    said = {
        command: call("jobs", command, "1999", *more, "--base", base).err
        for command, *more in (["show"], ["resume"], ["discard"], ["restore"], ["match", "PatientID=1"])
    }
    assert all(text.startswith("error: there is ") and text.count("1999") == 1 for text in said.values())


def test_no_job_runs_where_no_service_does(call: Call, base: Path, held: Callable[[], str]) -> None:
    job_id = held()
    folder = JobFolder(base / "spool" / "jobs" / job_id)
    job = folder.load()
    job.state, job.reason = State.RUNNING, None
    folder.save(job, secure=True)
    said = call("jobs", "list", "--base", base)
    assert said.err == NO_SERVICE
    (row,) = [line for line in said.out.splitlines() if job_id in line]
    assert "running" not in row
    assert "queued" in row
    with Spool.open(base):
        said = call("jobs", "list", "--base", base)
        assert said.err == ""
        assert "running" in said.out
        assert call("jobs", "list", "--base", base, "--json").json["jobs"][0]["state"] == "running"
    assert call("jobs", "show", job_id, "--base", base, "--json").json["state"] == "queued"


def test_a_narrow_terminal_breaks_no_state_and_a_pipe_pads_nothing(
    call: Call, base: Path, held: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = held()
    lines = call("jobs", "list", "--base", base).out.splitlines()
    assert all(line == line.rstrip() and line.strip("─ ") for line in lines)
    assert "Perform Send (at 0)" in lines[-1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    said = click.unstyle(call("jobs", "list", "--base", base).out)
    (row,) = [line for line in said.splitlines() if job_id in line]
    assert row.split()[1] == "held"
    assert "Position" not in said
    assert max(map(len, said.splitlines())) <= 80
    # One that is to wake up has its time in place of the position, and stays in one line too.
    folder = JobFolder(base / "spool" / "jobs" / job_id)
    job = folder.load()
    job.state, job.wake_at = State.SUSPENDED, datetime(2026, 2, 3, 4, 5, 6).astimezone()
    job.facts = replace(job.facts, name="a very long name of a scan")
    folder.save(job, secure=True)
    said = click.unstyle(call("jobs", "list", "--base", base).out)
    (row,) = [line for line in said.splitlines() if job_id in line]
    assert "suspended" in row
    assert "03 Feb 04:05" in row
    assert "scan" not in said
    assert " Reason " in said
    assert max(map(len, said.splitlines())) <= 80
