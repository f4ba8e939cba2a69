"""`jobs match`, and how a job that waits for an operator is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.engine.spool import Spool
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from tests.cli.conftest import Call
from tests.scp import StorageScp
from tests.system.help import png
from tests.system.service import Service, configuration, connection

Running = Callable[[Any], Any]
FIND = f'<Query name="Find">{connection(104, "PACS", host="pacs.invalid")}</Query>'
HIDDEN = FIND.replace('name="Find"', 'name="Hidden" show="false"')
ACTIONS = f'<Query name="Ask" type="Manual"/>{FIND}{HIDDEN}<Query name="AskAgain" type="Manual"/>'
ASKING = configuration(ACTIONS, '<Perform action="Ask" defaultQuery="Find"/><Perform action="AskAgain"/>')


@pytest.fixture
def base(base: Path) -> Path:
    """Whose workflow asks an operator, twice."""
    (base / "config" / "config.xml").write_text(ASKING)
    return base


@pytest.fixture
def asking(call: Call, base: Path, page: Path) -> str:
    """A job that waits for an operator; its id."""
    said = call("run", base / "config" / "config.xml", page, "--base", base, "--set", "PatientSex=O", "--json")
    assert said.code == 3
    assert said.json["outcome"] == "manual"
    return str(said.json["job"])


def load(base: Path, job_id: str) -> Job:
    return JobFolder(base / "spool" / "jobs" / job_id).load()


def content(base: Path, job_id: str) -> dict[str, bytes]:
    folder = base / "spool" / "jobs" / job_id
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_run_that_ends_so_says_how_it_goes_on(call: Call, base: Path, page: Path) -> None:
    said = call("run", base / "config" / "config.xml", page, "--base", base)
    assert said.code == 3
    assert 'manual: "Ask" waits for an operator' in said.out
    (line,) = [line for line in said.out.splitlines() if line.startswith("answer it:")]
    (job_id,) = Spool(base).job_ids()
    assert line == f"answer it:   dicomprinter jobs match {job_id} --base {base} TAG=VALUE..."
    assert "jobs resume" not in said.out
    arguments = line.partition("dicomprinter ")[2].replace("TAG=VALUE...", "PatientID=1").split()
    assert call(*arguments).code == 0


def test_a_dry_run_goes_on_as_if_it_were_answered(call: Call, base: Path, page: Path, tmp_path: Path) -> None:
    config = base / "config" / "config.xml"
    said = call("run", config, page, "--dry-run", "--output-dir", tmp_path / "out")
    assert said.code == 0
    assert said.out.count("it goes on as if the job's own values had been chosen") == 2
    assert '"Ask" waits for an operator' in said.out


def test_it_is_shown_plainly(call: Call, base: Path, asking: str) -> None:
    shown = call("jobs", "show", asking, "--base", base)
    assert "asks                   Ask: dicomprinter jobs match" in shown.out
    assert "first choice           Find\n" in shown.out
    assert "queries that may help  Find\n" in shown.out
    assert "Hidden" not in shown.out
    asks = {"query": "Ask", "default": "Find", "queries": ["Find"]}
    assert call("jobs", "show", asking, "--base", base, "--json").json["asks"] == asks
    (listed,) = call("jobs", "list", "--base", base, "--json").json["jobs"]
    assert (listed["state"], listed["asks"]) == ("manual", asks)
    said = call("jobs", "list", "--base", base)
    (row,) = [line for line in said.out.splitlines() if asking in line]
    assert "manual" in row
    assert '"Ask" waits for an operator' in row
    waits = "1 job waits for an operator: dicomprinter jobs match ID TAG=VALUE...\n"
    assert said.err == waits + "no service runs on this spool: dicomprinter serve starts one\n"


def test_a_match_without_a_service(call: Call, base: Path, asking: str) -> None:
    said = call(
        "jobs", "match", asking[:20], "(0010,0020)=47=11", "PatientName=Müller^Jürgen", "0010,0040=", "--base", base
    )
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        f'{asking}: matched, now queued; it goes on after "Ask"; no service runs here: it goes on when one is started\n'
    )
    job = load(base, asking)
    assert job.state == "queued"
    assert job.match is not None
    assert (job.match.PatientID, str(job.match.PatientName), job.match.PatientSex) == ("47=11", "Müller^Jürgen", "")
    # Nothing of it is told where anyone may look.
    assert "47=11" not in call("jobs", "list", "--base", base).out
    again = call("jobs", "match", asking, "PatientID=2", "--base", base)
    assert again.code == 2
    assert "it has been matched already and goes on" in again.err
    assert load(base, asking).match == job.match
    Spool.open(base).close()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["PatienID=1"], "names no tag"),
        (["PatientID"], "is not of the form NAME=value"),
        (["PatientBirthDate=19800231"], "PatientBirthDate (0010,0030) cannot be written; it is no day of the calendar"),
        (["PatientID=1", "SOPInstanceUID=1.2"], "SOPInstanceUID (0008,0018) cannot be set"),
        (["Rows=5"], "Rows (0028,0010) cannot be set"),
        (["WindowCenter=5"], "WindowCenter (0028,1050) cannot be set"),
        (["TransferSyntaxUID=1.2"], "TransferSyntaxUID (0002,0010) cannot be set"),
        (["SpecificCharacterSet=ISO_IR 100"], "(0008,0005) cannot be set"),
        (["ProcedureCodeSequence=x"], "is a sequence and takes no text"),
        (["PatientID=" + "1" * 65], "PatientID (0010,0020) cannot be written"),
        (["PatientID=1", "0010,0020=2"], "a tag is given twice"),
        (["PatientName=M\udcfcller"], "is not UTF-8"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_written(
    call: Call, base: Path, asking: str, *, values: list[str], said: str
) -> None:
    before = content(base, asking)
    answer = call("jobs", "match", asking, *values, "--base", base)
    assert answer.code == 2
    assert said in answer.err
    assert content(base, asking) == before


def test_a_job_that_is_not_there_or_does_not_wait(call: Call, base: Path, asking: str) -> None:
    said = call("jobs", "match", "1999", "PatientID=1", "--base", base)
    assert said.code == 2
    assert 'there is no job "1999"' in said.err
    file = base / "spool" / "jobs" / asking / "job.json"
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "state": "held"}))
    said = call("jobs", "match", asking, "PatientID=1", "--base", base, "--json")
    assert said.code == 2
    (told,) = said.json["jobs"]
    assert (told["succeeded"], told["message"]) == (False, "it is held and waits for no match")


def test_resumed_it_asks_again(call: Call, base: Path, asking: str) -> None:
    said = call("jobs", "resume", asking, "--base", base)
    assert said.code == 0
    assert "it goes on at Perform Ask (at 0); there it asks again, and jobs match answers" in said.out
    assert load(base, asking).asks is None


def test_a_match_beside_a_service_reaches_the_archive(call: Call, tmp_path: Path, running: Running) -> None:
    archive = running(StorageScp())
    actions = f'<Query name="Ask" type="Manual"/><Store name="Send">{connection(archive.port, "PACS")}</Store>'
    workflow = '<Perform action="Ask"/><Perform action="Send"/>'
    service = running(Service(tmp_path / "base", configuration(actions, workflow)))
    for number in (1, 2):
        service.drop(f"{number}.png", png(number))

    def are_manual() -> bool:
        jobs = call("jobs", "list", "--base", service.base, "--json").json["jobs"]
        return [job["state"] for job in jobs] == ["manual"] * 2

    service.wait_for(are_manual, "both jobs wait")
    first, second = service.job_ids()
    said = call("jobs", "match", first, "PatientID=4711", "PatientName=Müller^Jürgen", "--base", service.base)
    assert said.code == 0
    assert "no service" not in said.out
    archive.wait_for(1)
    # Another program leaves its answer as a file; nobody wakes the service.
    partial = service.jobs / second / ".partial"
    partial.write_text("\ufeff(0010,0020)=4712\n(0010,0010)=Иванов^Иван\n", encoding="utf-8")
    partial.rename(partial.with_name("match"))
    archive.wait_for(2)
    names = {(item.PatientID, str(item.PatientName)) for item in (one.dataset for one in archive.received)}
    assert names == {("4711", "Müller^Jürgen"), ("4712", "Иванов^Иван")}
    service.wait_for(lambda: len(service.ledger()) == 2, "the jobs are done")
    service.wait_for(lambda: service.leftovers() == [], "nothing is left")
    late = call("jobs", "match", first, "PatientID=1", "--base", service.base)
    assert late.code == 2
    assert "there is no job" in late.err
