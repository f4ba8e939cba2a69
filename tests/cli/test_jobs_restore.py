"""`jobs restore`: back from `expired/` and `rejected/`, beside a service and without one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.engine.restore import restore
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now
from dicomprinter.errors import SpoolError
from dicomprinter.job.folder import JobFolder
from tests.cli.conftest import Call
from tests.scp import StorageScp
from tests.system.help import png
from tests.system.service import Service, configuration, connection

Running = Callable[[Any], Any]


@pytest.fixture
def expired(call: Call, base: Path, page: Path) -> str:
    """A job that has expired as the engine leaves it; its id."""
    said = call("run", base / "config" / "config.xml", page, "--base", base, "--name", "ECG", "--json")
    job_id = str(said.json["job"])
    expire(base, job_id)
    return job_id


def expire(base: Path, job_id: str) -> None:
    folder = base / "spool" / "jobs" / job_id
    data = json.loads((folder / "job.json").read_text())
    old = (datetime.now().astimezone() - timedelta(days=30)).isoformat()
    facts = {**data["facts"], "accepted": old}
    (folder / "job.json").write_text(json.dumps({**data, "state": "expired", "facts": facts}))
    folder.rename(base / "spool" / "expired" / job_id)


def reject(spool: Path, name: str, content: bytes = b"x", reason: str = "it cannot be read\nMuster^Erika\n") -> Path:
    file = spool / "rejected" / name
    file.write_bytes(content)
    file.with_name(name + ".reason.txt").write_text(reason)
    return file


ID = "20260131T091502123456-a1b2c3"
OTHER = "20260131T091502123457-a1b2c4"


# Expired jobs


def test_an_expired_job_is_queued_again_where_it_stood(call: Call, base: Path, expired: str) -> None:
    said = call("jobs", "restore", expired[:22], "--base", base)
    assert (said.code, said.err) == (0, "")
    assert "restored, now queued; it goes on at Perform Send (at 0), and its age counts anew" in said.out
    assert "no service runs here: it goes on when one is started" in said.out
    job = JobFolder(base / "spool" / "jobs" / expired).load()
    assert (job.state, job.reason, job.position.node) == ("queued", None, "Perform Send")
    assert local_now() - job.facts.accepted < timedelta(minutes=1)
    assert not (base / "spool" / "expired" / expired).exists()
    assert any("operator: restore" in str(line["message"]) for line in job.folder.history())
    Spool.open(base).close()


@pytest.mark.parametrize("command", [("resume",), ("discard",), ("match", "PatientID=1")])
def test_another_command_says_that_it_has_expired(
    call: Call, base: Path, expired: str, command: tuple[str, ...]
) -> None:
    said = call("jobs", command[0], expired, *command[1:], "--base", base)
    assert said.code == 2
    assert "has expired" in said.err
    assert f"dicomprinter jobs restore {expired} --base {base}" in said.err


def test_no_job_is_overwritten(base: Path, expired: str) -> None:
    spool = Spool(base)
    (spool.jobs / expired).mkdir()
    (spool.jobs / expired / "mine").touch()
    with pytest.raises(SpoolError, match="is in the spool already"):
        restore(spool, expired, local_now())
    assert (spool.jobs / expired / "mine").exists()
    assert JobFolder(spool.expired / expired).load().state == "expired"


def test_a_name_that_is_not_there_is_told_with_what_is(call: Call, base: Path, expired: str) -> None:
    reject(base / "spool", f"{ID}-scan.pdf")
    said = call("jobs", "restore", "nope", expired, "--base", base, "--json")
    assert said.code == 2
    wrong, right = said.json["jobs"]
    assert not wrong["succeeded"]
    assert f"expired are: {expired}; rejected are: {ID}-scan.pdf" in wrong["message"]
    assert right["succeeded"]


def test_a_damaged_one_is_told_and_stays(call: Call, base: Path, expired: str) -> None:
    file = base / "spool" / "expired" / expired / "job.json"
    file.write_text("{")
    said = call("jobs", "restore", expired, "--base", base)
    assert said.code == 2
    assert "job.json or its dataset is damaged" in said.err
    assert file.read_text() == "{"


def test_beside_a_service_it_runs_at_once_and_does_not_expire_again(
    call: Call, tmp_path: Path, running: Running
) -> None:
    archive = running(StorageScp(answers=[0xC123]))
    store = f'<Store name="Send">{connection(archive.port, "PACS")}</Store>'
    service = running(Service(tmp_path / "base", configuration(store, '<Perform action="Send"/>')))
    service.drop("one.png", png(1))

    def is_held() -> bool:
        jobs = call("jobs", "list", "--base", service.base, "--json").json["jobs"]
        return [job["state"] for job in jobs] == ["held"]

    service.wait_for(is_held, "the job is held")
    (job_id,) = service.job_ids()
    file = service.jobs / job_id / "job.json"
    data = json.loads(file.read_text())
    old = (datetime.now().astimezone() - timedelta(days=30)).isoformat()
    file.write_text(json.dumps({**data, "facts": {**data["facts"], "accepted": old}}))
    service.stop()
    service.start()
    service.wait_for(lambda: service.job_ids() == [], "the job has expired")
    service.wait_for((service.base / "spool" / "expired" / job_id).exists, "the job has expired")
    said = call("jobs", "restore", job_id, "--base", service.base)
    assert said.code == 0
    assert "restored" in said.out
    assert "no service" not in said.out
    archive.wait_for(2)
    service.wait_for(lambda: len(service.ledger()) == 1, "the job is done")
    assert list((service.base / "spool" / "commands").iterdir()) == []
    assert list((service.base / "spool" / "expired").iterdir()) == []


# Rejected files


def test_rejected_files_are_listed_with_the_first_line_of_their_reason(call: Call, base: Path) -> None:
    Spool.open(base).close()
    reject(base / "spool", f"{ID}-Befund ä.pdf")
    for arguments in (("--rejected",), ()):
        listed = call("jobs", "list", *arguments, "--base", base, "--json").json
        assert listed["rejected"] == [{"name": f"{ID}-Befund ä.pdf", "reason": "it cannot be read"}]
    said = call("jobs", "list", "--rejected", "--base", base)
    assert said.code == 0
    (row,) = [line for line in said.out.splitlines() if ID in line]
    assert f"{ID}-Befund ä.pdf" in row
    assert "it cannot be read" in row
    # Whoever asks may see all of it.
    assert "it cannot be read (Muster^Erika)" in row
    (base / "spool" / "rejected" / f"{ID}-Befund ä.pdf").unlink()
    assert call("jobs", "list", "--rejected", "--base", base).out == f"no files in {base}/spool/rejected\n"


def test_a_rejected_file_comes_back_with_its_sidecar(call: Call, base: Path) -> None:
    Spool.open(base).close()
    for name in (f"{ID}-scan.pdf", f"{ID}-scan.pdf.json", f"{OTHER}-scan.pdf"):
        reject(base / "spool", name, name.encode())
    said = call("jobs", "restore", f"{ID}-scan.pdf", "--base", base)
    assert said.code == 0
    assert "back in incoming/ as scan.pdf.json, scan.pdf; it is tried again when a service is started" in said.out
    incoming, rejected = base / "spool" / "incoming", base / "spool" / "rejected"
    assert {file.name: file.read_text() for file in incoming.iterdir()} == {
        "scan.pdf": f"{ID}-scan.pdf",
        "scan.pdf.json": f"{ID}-scan.pdf.json",
    }
    assert sorted(file.name for file in rejected.iterdir()) == [f"{OTHER}-scan.pdf", f"{OTHER}-scan.pdf.reason.txt"]
    # The next of this name does not take its place.
    said = call("jobs", "restore", f"{OTHER}-scan.pdf", "--base", base)
    assert said.code == 2
    assert "incoming/ has a file of this name already" in said.err
    assert (incoming / "scan.pdf").read_text() == f"{ID}-scan.pdf"
    assert (rejected / f"{OTHER}-scan.pdf.reason.txt").exists()


def test_a_file_that_comes_there_in_between_is_not_overwritten(
    call: Call, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Spool.open(base).close()
    file = reject(base / "spool", f"{ID}-scan.pdf")
    link = os.link

    def late(source: Path, target: Path, **how: Any) -> None:
        Path(target).write_text("another")
        link(source, target, **how)

    monkeypatch.setattr(os, "link", late)
    assert call("jobs", "restore", file.name, "--base", base).code == 2
    assert (base / "spool" / "incoming" / "scan.pdf").read_text() == "another"
    assert file.exists()
    assert file.with_name(file.name + ".reason.txt").exists()


def test_where_there_are_no_links_it_is_moved(call: Call, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Spool.open(base).close()
    reject(base / "spool", f"{ID}-scan.pdf")

    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert call("jobs", "restore", ID, "--base", base).code == 0
    assert (base / "spool" / "incoming" / "scan.pdf").read_bytes() == b"x"
    assert list((base / "spool" / "rejected").iterdir()) == []


def test_the_beginning_of_several_is_refused(call: Call, base: Path, expired: str) -> None:
    for one in (ID, OTHER):
        reject(base / "spool", f"{one}-scan.pdf")
    said = call("jobs", "restore", "20260131", "--base", base)
    assert said.code == 2
    assert "is the beginning of 2 rejected files" in said.err
    reject(base / "spool", f"{expired}-x.pdf")
    said = call("jobs", "restore", expired[:16], "--base", base)
    assert "is the beginning of an expired job and of a rejected file" in said.err
    assert call("jobs", "restore", expired, "--base", base).code == 2
    assert call("jobs", "restore", f"{expired}-x", "--base", base).code == 0


def test_beside_a_service_a_file_is_tried_again(call: Call, tmp_path: Path, running: Running) -> None:
    archive = running(StorageScp())
    store = f'<Store name="Send">{connection(archive.port, "PACS")}</Store>'
    service = running(Service(tmp_path / "base", configuration(store, '<Perform action="Send"/>')))
    service.drop("one.png", b"\x00\x01no picture")
    rejected = service.base / "spool" / "rejected"
    service.wait_for(lambda: len(list(rejected.iterdir())) == 2, "the file is rejected")
    (name,) = [entry["name"] for entry in call("jobs", "list", "--base", service.base, "--json").json["rejected"]]
    # Somebody has repaired it.
    (rejected / name).write_bytes(png(1))
    said = call("jobs", "restore", name, "--base", service.base)
    assert said.code == 0
    assert said.out == f"{name}: back in incoming/ as one.png; it is tried again\n"
    archive.wait_for(1)
    service.wait_for(lambda: len(service.ledger()) == 1, "the job is done")
    service.wait_for(lambda: service.leftovers() == [], "nothing is left")
