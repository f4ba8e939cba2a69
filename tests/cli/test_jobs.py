"""`dicomprinter jobs`, beside a running service and without one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.engine import commands as operators
from dicomprinter.engine.commands import Answer
from dicomprinter.engine.spool import Spool
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.parts import State
from tests.cli.conftest import Call
from tests.scp import StorageScp
from tests.system.help import png
from tests.system.service import Service, configuration, connection
from tests.waiting import PATIENCE

Running = Callable[[Any], Any]


@pytest.fixture
def held(call: Call, base: Path, page: Path) -> Callable[[str], str]:
    """Makes a held job of this name in the base directory; its id."""

    def make(name: str) -> str:
        said = call("run", base / "config" / "config.xml", page, "--base", base, "--name", name, "--json")
        assert said.code == 3
        return str(said.json["job"])

    return make


def test_the_list(call: Call, base: Path, held: Callable[[str], str]) -> None:
    first, second = held("ECG"), held("[bold]Brief[/bold]")
    said = call("jobs", "list", "--base", base, "--json")
    assert said.code == 0
    assert said.json["base"] == str(base)
    assert [(job["id"], job["state"], job["name"]) for job in said.json["jobs"]] == [
        (first, "held", "ECG"),
        (second, "held", "[bold]Brief[/bold]"),
    ]
    job = said.json["jobs"][0]
    assert job["position"] == "Perform Send (at 0)"
    assert job["wake_at"] is None
    assert "cannot resolve the host" in job["reason"]
    said = call("jobs", "list", "--base", base)
    (row,) = [line for line in said.out.splitlines() if second in line]
    for text in ("held", "[bold]Brief[/bold]", "Perform Send (at 0)", " s ", "cannot resolve the host"):
        assert text in row


def test_a_job_whose_destination_is_down_wakes_when_that_answers(
    call: Call, base: Path, held: Callable[[str], str]
) -> None:
    job_id = held("ECG")
    job = JobFolder(base / "spool" / "jobs" / job_id).load()
    job.state, job.waits_for = State.SUSPENDED, "PACS@pacs.example:104"
    job.wake_at = datetime.now().astimezone() - timedelta(seconds=5)
    job.folder.save(job)
    assert call("jobs", "list", "--base", base, "--json").json["jobs"][0]["waits_for"] == "PACS@pacs.example:104"
    assert "when it answers" in call("jobs", "list", "--base", base).out
    assert "waits for  PACS@pacs.example:104" in call("jobs", "show", job_id, "--base", base).out
    job.wake_at += timedelta(hours=1)
    job.folder.save(job)
    assert "when it answers" not in call("jobs", "list", "--base", base).out


def test_a_job_that_cannot_be_read_is_said_and_hides_no_other(
    call: Call, base: Path, held: Callable[[str], str]
) -> None:
    foreign, expired, sound = held("a"), held("b"), held("c")
    spool = base / "spool"
    (spool / "jobs" / expired).rename(spool / "expired" / expired)
    for job in (spool / "jobs" / foreign, spool / "expired" / expired):
        data = json.loads((job / "job.json").read_text())
        (job / "job.json").write_text(json.dumps({**data, "version": 99}))
    said = call("jobs", "list", "--json", "--base", base)
    assert said.code == 0
    assert [job["id"] for job in json.loads(said.out)["jobs"]] == [sound]
    assert said.err.count("written by another version") == 2


def test_an_empty_spool_and_none_at_all(call: Call, tmp_path: Path) -> None:
    said = call("jobs", "list", "--base", tmp_path)
    assert (said.code, said.err) == (
        2,
        f"error: there is no spool in {tmp_path}; name the base directory with --base\n",
    )
    Spool.open(tmp_path).close()
    # A file with its reason, and a reason whose file has gone.
    for name in ("x.png", "x.png.reason.txt", "y.png.reason.txt"):
        (tmp_path / "spool" / "rejected" / name).touch()
    said = call("jobs", "list", "--base", tmp_path)
    assert (said.code, said.out) == (0, f"no jobs in {tmp_path}/spool/jobs\n")
    counted = f"1 rejected file in {tmp_path}/spool/rejected, with its reason: dicomprinter jobs list --rejected\n"
    assert said.err == counted + "no service runs on this spool: dicomprinter serve starts one\n"


def test_on_a_terminal_an_id_stays_whole_and_a_reason_has_one_line(
    call: Call, base: Path, held: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = held("ECG")
    monkeypatch.setenv("FORCE_COLOR", "1")
    for width in (80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        said = call("jobs", "list", "--base", base).out
        (row,) = [line for line in said.splitlines() if job_id in line]
        assert row.rstrip().endswith("…")
        assert "resolve the" not in said.partition(row)[2]


def test_the_base_directory_is_this_one_when_it_holds_a_configuration(
    call: Call, base: Path, held: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = held("ECG")
    monkeypatch.chdir(base)
    assert [job["id"] for job in call("jobs", "list", "--json").json["jobs"]] == [job_id]


def test_everything_of_a_job_by_the_beginning_of_its_id(call: Call, base: Path, held: Callable[[str], str]) -> None:
    job_id = held("ECG")
    said = call("jobs", "show", job_id[:12], "--base", base)
    assert said.code == 0
    for text in (job_id, "held", "ECG", "accepted from run: 1 page", "Perform Send failed"):
        assert text in said.out
    shown = call("jobs", "show", job_id, "--base", base, "--json").json
    assert (shown["id"], shown["facts"]["name"], len(shown["payload"]["pages"])) == (job_id, "ECG", 1)
    assert shown["history"][0]["message"] == "accepted from run: 1 page"


@pytest.mark.parametrize("command", ["show", "resume", "discard"])
def test_a_job_that_is_not_there(call: Call, base: Path, held: Callable[[str], str], command: str) -> None:
    held("one")
    held("two")
    said = call("jobs", command, "1999", "--base", base)
    assert said.code == 2
    assert 'there is no job "1999"' in said.err
    said = call("jobs", command, "2", "--base", base)
    assert said.code == 2
    assert '"2" is the beginning of 2 jobs' in said.err


def test_an_expired_job_is_listed_and_shown(call: Call, base: Path, held: Callable[[str], str]) -> None:
    job_id = held("old")
    folder = base / "spool" / "jobs" / job_id
    data = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps({**data, "state": "expired"}))
    folder.rename(base / "spool" / "expired" / job_id)
    assert [job["state"] for job in call("jobs", "list", "--base", base, "--json").json["jobs"]] == ["expired"]
    assert call("jobs", "show", job_id, "--base", base).code == 0


def test_a_job_that_was_merged_is_shown_with_the_one_that_it_is_in(call: Call, base: Path) -> None:
    with Spool.open(base) as spool:
        spool.write_ledger({"job": "20260131T09-2", "outcome": "merged", "into": "20260131T09-1"})
    shown = call("jobs", "show", "20260131T09-2", "--base", base)
    assert shown.code == 0
    assert "20260131T09-1" in shown.out


# Without a service


def test_resume_without_a_service(call: Call, base: Path, held: Callable[[str], str]) -> None:
    job_id = held("ECG")
    said = call("jobs", "resume", job_id, "--base", base)
    assert said.code == 0
    assert "held before, now queued; it goes on at Perform Send (at 0)" in said.out
    assert "no service runs here: it goes on when one is started" in said.out
    assert call("jobs", "list", "--base", base, "--json").json["jobs"][0]["state"] == "queued"


def test_discard_without_a_service_and_one_bad_id_does_not_stop_the_others(
    call: Call, base: Path, held: Callable[[str], str]
) -> None:
    first, second = held("one"), held("two")
    said = call("jobs", "discard", first, "1999", second, "--base", base, "--json")
    assert said.code == 2
    assert [job["succeeded"] for job in said.json["jobs"]] == [True, False, True]
    assert list((base / "spool" / "jobs").iterdir()) == []
    ledger = [json.loads(line) for line in (base / "spool" / "ledger.jsonl").read_text().splitlines()]
    assert [(line["job"], line["outcome"]) for line in ledger] == [(first, "discarded"), (second, "discarded")]
    # The lock is given back.
    Spool.open(base).close()


# Beside a service


@pytest.mark.parametrize(
    ("outcome", "message", "succeeded"),
    [
        ("done", "it has finished meanwhile: done", True),
        ("discarded", "it has finished meanwhile: discarded", False),
        ("", "no longer in the spool", False),
    ],
)
def test_a_job_that_ends_before_the_command_is_written_does_not_stop_the_others(
    *,
    call: Call,
    base: Path,
    held: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    message: str,
    succeeded: bool,
) -> None:
    first, second = held("one"), held("two")
    ask = operators.ask_service

    def leaves(spool: Spool, folder: JobFolder, command: str, *, timeout: float) -> Answer:
        if folder.path.name == second:
            # Another fault of the system.
            monkeypatch.setattr(folder, "write_command", full)
        else:
            if outcome:
                spool.write_ledger({"job": first, "outcome": outcome})
            folder.remove()
        return ask(spool, folder, command, timeout=timeout)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "a/file")

    monkeypatch.setattr(operators, "ask_service", leaves)
    with Spool.open(base):
        said = call("jobs", "resume", first, first[:-1], first, second, "nope", "--base", base, "--json")
    assert said.code == 2
    assert [(job["id"], job["succeeded"]) for job in said.json["jobs"]] == [
        (first, succeeded),
        (second, False),
        ("nope", False),
    ]
    told = [job["message"] for job in said.json["jobs"]]
    assert told[0] == message
    assert told[1] == "the disk or the system failed: a/file: No space left on device"
    assert 'there is no job "nope"' in told[2]


def test_resume_and_discard_beside_a_service(call: Call, tmp_path: Path, running: Running) -> None:
    answered = threading.Event()
    # The third time it waits: a job that is done at once takes the command's answer along.
    archive = running(
        StorageScp(answers=[0xC123, 0xC123], on_store=lambda _: len(archive.received) < 3 or answered.wait(PATIENCE))
    )
    store = f'<Store name="Send">{connection(archive.port, "PACS")}</Store>'
    service = running(Service(tmp_path / "base", configuration(store, '<Perform action="Send"/>')))

    def are_held(count: int) -> bool:
        jobs = call("jobs", "list", "--base", service.base, "--json").json["jobs"]
        return [job["state"] for job in jobs] == ["held"] * count

    service.drop("one.png", png(1))
    service.wait_for(lambda: are_held(1), "the first job is held")
    service.drop("two.png", png(2))
    service.wait_for(lambda: are_held(2), "both jobs are held")
    first, second = service.job_ids()
    try:
        said = call("jobs", "resume", first, "--base", service.base)
    finally:
        answered.set()
    assert said.code == 0
    assert "held before, now queued" in said.out
    assert "no service" not in said.out
    archive.wait_for(3)
    service.wait_for(lambda: len(service.ledger()) == 1, "the first job is done")
    said = call("jobs", "discard", second, "--base", service.base)
    assert (said.code, said.out) == (0, f"{second}: discarded\n")
    assert [line["outcome"] for line in service.ledger()] == ["done", "discarded"]
    service.wait_for(lambda: service.leftovers() == [], "nothing is left")
