"""`dicomprinter run`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from dicomprinter.engine.spool import UNFINISHED, Spool
from dicomprinter.imaging import pool, process
from dicomprinter.imaging.process import ChildProcess
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from tests.cli.conftest import Call
from tests.scp import RawScp, StorageScp, closed_port, silent
from tests.system.service import configuration, connection, started
from tests.waiting import PATIENCE

Running = Callable[[Any], Any]
Spools = Callable[[], list[Path]]


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """A configuration with one Store; `workflow` in place of its Perform."""

    def write(port: int = 104, workflow: str = "", *, on_error: str = "Hold", host: str = "127.0.0.1") -> Path:
        file = tmp_path / "config.xml"
        store = f'<Store name="Send">{connection(port, "PACS", host=host)}</Store>'
        file.write_text(
            configuration(store, workflow or f'<Perform action="Send" onError="{on_error}"/>', suspension=60)
        )
        return file

    return write


def messages(report: Any) -> list[str]:
    """The history of a job."""
    return [line["message"] for line in report["history"]]


def test_a_job_that_is_done(
    call: Call, config: Callable[..., Path], page: Path, storage_scp: StorageScp, spools: Spools
) -> None:
    before = page.read_bytes()
    said = call("run", config(storage_scp.port), page, "--set", "PatientID=4711", "--json")
    assert (said.code, said.err) == (0, f"job {said.json['job']}\n")
    (received,) = storage_scp.received
    assert received.dataset.PatientID == "4711"
    report = said.json
    assert list(report) == ["job", "outcome", "reason", "history", "instances"]
    assert (report["outcome"], report["reason"]) == ("done", None)
    assert report["instances"] == [
        {
            "action": "Send",
            "sop_class_uid": SecondaryCaptureImageStorage,
            "sop_instance_uid": received.sop_instance,
            "transfer_syntax_uid": ExplicitVRLittleEndian,
            "status": 0,
        }
    ]
    assert [line["message"] for line in report["history"]][-1] == "done"
    assert page.read_bytes() == before
    assert spools() == []


def test_what_a_person_reads(call: Call, config: Callable[..., Path], page: Path, storage_scp: StorageScp) -> None:
    workflow = '<If field="QUERY_FOUND" value="false"><Perform action="Send"/></If>'
    said = call("run", config(storage_scp.port, workflow), page)
    assert said.code == 0
    assert said.err == ""
    for text in ("accepted from run: 1 page", "If QUERY_FOUND = false: yes", "Secondary Capture", "0000"):
        assert text in said.out
    assert said.out.splitlines()[-1] == "done"


def test_the_facts_are_those_of_this_machine_or_of_the_options(
    call: Call, config: Callable[..., Path], page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "drsmith")

    def facts(*options: str) -> dict[str, Any]:
        said = call("run", config(closed_port()), page, "--json", *options)
        assert said.code == 3
        job_id = said.json["job"]
        base = said.err.partition("the job stays in ")[2].partition("/spool/")[0]
        shown: dict[str, Any] = call("jobs", "show", job_id, "--base", base, "--json").json
        return {name: shown["facts"][name] for name in ("name", "user", "host", "source")}

    assert facts() == {"name": "page.png", "user": "drsmith", "host": socket.gethostname(), "source": "run"}
    assert facts("--name", "ECG", "--user", "", "--host", "ward-3") == {
        "name": "ECG",
        "user": "",
        "host": "ward-3",
        "source": "run",
    }


def test_a_held_job_stays_and_goes_on_by_the_commands_that_are_told(
    call: Call, config: Callable[..., Path], page: Path, running: Running, spools: Spools
) -> None:
    archive = running(StorageScp(answers=[0xC123]))
    endpoint = f"Send=127.0.0.1:{archive.port}"
    said = call("run", config(104, host="pacs.invalid"), page, "--endpoint", endpoint)
    assert said.code == 3
    lines = said.out.splitlines()
    assert any(line.startswith("held: Perform Send failed") for line in lines)
    (base,) = spools()
    (job,) = (base / "spool" / "jobs").iterdir()
    assert f"the job stays in {job}" in lines
    resume, serve = (line.split()[3:] for line in lines[-2:])
    assert resume[0] == serve[0] == "dicomprinter"
    assert call(*resume[1:]).code == 0
    with started(*serve[1:], stderr=subprocess.DEVNULL) as process:
        first, second = archive.wait_for(2)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert first.sop_instance == second.sop_instance
    assert not job.exists()


def test_a_suspended_job(call: Call, config: Callable[..., Path], page: Path, spools: Spools) -> None:
    said = call("run", config(closed_port(), on_error="Suspend"), page, "--json")
    assert (said.code, said.json["outcome"]) == (4, "suspended")
    assert "refused the connection" in said.json["reason"]
    (base,) = spools()
    assert f"dicomprinter serve --base {base} --config" in said.err
    assert f"at once:     dicomprinter jobs resume {said.json['job']} --base {base}\n" in said.err


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_job_that_stores_nothing(
    call: Call, config: Callable[..., Path], page: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    dry = (*options, "--output-dir", tmp_path / "out") if options else ()
    file = config(workflow='<If field="QUERY_FOUND" value="true"><Perform action="Send"/></If>')
    said = call("run", file, page, *dry)
    assert (said.code, said.out.splitlines()[-1]) == (0, "done, nothing stored")
    assert call("run", file, page, *dry, "--json").json["outcome"] == "done"
    if dry:
        said = call("run", file, page, *dry, "--assume", "QUERY_FOUND=1")
        assert "If QUERY_FOUND = true: yes (assumed)" in said.out
        assert said.out.splitlines()[-1] == "done"


def test_a_text_alone_is_one_text(call: Call, config: Callable[..., Path], page: Path, tmp_path: Path) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("a letter")
    file = config(workflow="<Discard/>")
    assert messages(call("run", file, text, "--json").json)[0] == "accepted from run: 1 text, set as a PDF"
    assert messages(call("run", file, page, text, "--json").json)[0] == "accepted from run: 1 page, 1 text"


def test_a_discarded_job(call: Call, config: Callable[..., Path], page: Path, spools: Spools) -> None:
    said = call("run", config(workflow="<Discard/>"), page, "--json")
    assert (said.code, said.json["outcome"], said.json["reason"]) == (5, "discarded", "the workflow discards it")
    assert spools() == []
    assert page.exists()


def test_the_variables_go_on_with_the_job(call: Call, tmp_path: Path, page: Path, spools: Spools) -> None:
    base = tmp_path / "site"
    (base / "config").mkdir(parents=True)
    file = base / "config" / "config.xml"
    store = f'<Store name="Send">{connection(closed_port(), "${AET}")}</Store>'
    file.write_text(configuration(store, '<Perform action="Send"/>'))
    (base / "config" / ".env").write_text("AET=PACS\n")
    assert call("run", file, page).code == 3
    (kept,) = spools()
    assert (kept / "config" / ".env").read_text() == "AET=PACS\n"


def test_a_base_directory_keeps_the_job_and_no_other_spool_is_made(
    call: Call, config: Callable[..., Path], page: Path, tmp_path: Path, spools: Spools
) -> None:
    said = call("run", config(closed_port()), page, "--base", tmp_path / "base", "--json")
    assert said.code == 3
    assert (tmp_path / "base" / "spool" / "jobs" / said.json["job"] / "job.json").exists()
    assert (tmp_path / "base" / "log" / "dicomprinter.log").exists()
    assert spools() == []


def test_an_endpoint_that_nothing_has(call: Call, config: Callable[..., Path], page: Path) -> None:
    said = call("run", config(), page, "--endpoint", "Sned=127.0.0.1:1")
    assert said.code == 2
    assert 'did you mean "Send"?' in said.err


# Dry runs


def test_a_dry_run_writes_what_would_be_sent_and_calls_nobody(
    *, call: Call, config: Callable[..., Path], page: Path, tmp_path: Path, storage_scp: StorageScp, spools: Spools
) -> None:
    workflow = '<If field="TAG_VALUE(0010,0020)" value="^47"><Perform action="Send"/></If>'
    options = ("--dry-run", "--output-dir", tmp_path / "out", "--base", tmp_path / "base", "--json")
    said = call("run", config(storage_scp.port, workflow), page, *options)
    assert (said.code, said.json["instances"]) == (0, [])
    assert "If TAG_VALUE(0010,0020): no" in messages(said.json)
    said = call("run", config(storage_scp.port, workflow), page, *options, "--assume", "TAG_VALUE(PatientID)=4711")
    assert "If TAG_VALUE(0010,0020): yes (assumed)" in messages(said.json)
    address = f"PACS@127.0.0.1:{storage_scp.port}"
    assert f"Send: Secondary Capture Image Storage 1 would be stored by {address}" in messages(said.json)
    (instance,) = said.json["instances"]
    assert instance["status"] is None
    assert dcmread(instance["file"]).SOPInstanceUID == instance["sop_instance_uid"]
    assert Path(instance["file"]).is_relative_to(tmp_path / "out")
    assert storage_scp.associations == 0
    assert spools() == []
    assert not (tmp_path / "base").exists()


def test_a_switch_says_that_its_field_is_assumed(
    call: Call, config: Callable[..., Path], page: Path, tmp_path: Path
) -> None:
    workflow = '<Switch field="CLIENT_HOST_NAME"><Case value="ward"><Perform action="Send"/></Case></Switch>'
    options = ("--dry-run", "--output-dir", tmp_path / "out", "--json", "--assume", "CLIENT_HOST_NAME=ward")
    said = call("run", config(workflow=workflow), page, *options)
    assert "Switch CLIENT_HOST_NAME: case 1 (assumed)" in messages(said.json)


def test_an_output_folder_that_is_a_file(call: Call, config: Callable[..., Path], page: Path, spools: Spools) -> None:
    for folder in (page, page / "out"):
        said = call("run", config(), page, "--dry-run", "--output-dir", folder)
        assert (said.code, said.out) == (2, "")
        assert said.err == f"error: --output-dir: {page} is a file; name a folder\n"
    assert spools() == []


def test_a_dry_run_that_would_be_held_leaves_no_job_that_a_service_would_send(
    call: Call, config: Callable[..., Path], page: Path, tmp_path: Path, spools: Spools
) -> None:
    workflow = '<Suspend/><Perform action="Send"/>'
    options = ("--dry-run", "--output-dir", tmp_path / "out", "--base", tmp_path / "base")
    said = call("run", config(workflow=workflow), page, *options)
    assert said.code == 4
    assert said.out.splitlines()[-1] == "of a dry run no job is kept"
    assert spools() == []
    assert not (tmp_path / "base").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--dry-run",), "--dry-run needs --output-dir"),
        (("--assume", "QUERY_FOUND=1"), "--assume goes with --dry-run only"),
        (("--output-dir", "out"), "--output-dir goes with --dry-run only"),
        (("--dry-run", "--output-dir", "out", "--assume", "QUERY_FUND=1"), 'did you mean "QUERY_FOUND"?'),
        (("--set", "PatientID"), "is not of the form NAME=value"),
        (("--set", "PatientD=1"), 'did you mean "PatientID"?'),
        (("--set", "SOPInstanceUID=1.2"), "cannot be set"),
    ],
)
def test_options_that_do_not_go(
    *, call: Call, config: Callable[..., Path], page: Path, options: tuple[str, ...], message: str, spools: Spools
) -> None:
    said = call("run", config(), page, *options)
    assert said.code == 2
    assert message in said.err
    assert said.out == ""
    assert spools() == []


# Interruptions


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_job_stays_queued(
    config: Callable[..., Path], page: Path, running: Running, spools: Spools, number: signal.Signals
) -> None:
    connected = threading.Event()

    def script(connection: Any) -> None:
        connected.set()
        connection.wait()

    archive = running(RawScp(script))
    command = ("run", config(archive.port), page, "--json")
    with started(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert connected.wait(PATIENCE)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
    (base,) = spools()
    (job,) = (base / "spool" / "jobs").iterdir()
    assert json.loads((job / "job.json").read_text())["state"] == "queued"
    assert f"interrupted; the job stays in {job}" in err
    assert "Traceback" not in err
    assert json.loads(out)["error"].startswith("interrupted")
    assert page.exists()


def test_a_full_disk_tells_where_the_job_is(
    call: Call, config: Callable[..., Path], page: Path, spools: Spools, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = JobFolder.save

    def full(folder: JobFolder, job: Job, *, secure: bool = False) -> None:
        if not folder.path.name.startswith(UNFINISHED):
            raise OSError(28, "No space left on device")
        save(folder, job, secure=secure)

    monkeypatch.setattr(JobFolder, "save", full)
    said = call("run", config(104), page)
    assert said.code == 2
    (base,) = spools()
    (job,) = (base / "spool" / "jobs").iterdir()
    assert f"stopped; the job stays in {job}" in said.err
    assert "No space left on device" in said.err


def test_a_second_run_in_one_base_directory_is_refused(
    call: Call, config: Callable[..., Path], page: Path, tmp_path: Path, running: Running
) -> None:
    with Spool.open(tmp_path / "base"):
        said = call("run", config(running(silent()).port), page, "--base", tmp_path / "base")
    assert said.code == 2
    assert f"in use by another process (process {os.getpid()})" in said.err


def test_its_decoder_starts_at_once_and_only_once(
    call: Call, config: Callable[..., Path], page: Path, storage_scp: StorageScp, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[ChildProcess] = []

    class Counted(ChildProcess):
        def __init__(self) -> None:
            children.append(self)
            super().__init__()

    for module in (process, pool):
        monkeypatch.setattr(module, "ChildProcess", Counted)
    file = config(storage_scp.port)
    for arguments in (("check", file), ("run", "--help")):
        call(*arguments)
        assert not children
    assert call("run", file, page).code == 0
    (child,) = children
    assert not child.is_running
    # One that was not needed ends as well.
    assert call("run", file.with_name("none.xml"), page).code == 2
    assert len(children) == 2
    assert not children[1].is_running


# A sidecar


def test_a_raw_copy_is_the_same_job_again(
    call: Call, config: Callable[..., Path], page: Path, tmp_path: Path, storage_scp: StorageScp
) -> None:
    save = f'<Save name="Keep"><Directory>{tmp_path}/raw</Directory><Format>dxi</Format></Save>'
    file = tmp_path / "raw.xml"
    file.write_text(configuration(save, '<Perform action="Keep"/>', suspension=60))
    facts = ("--user", "drsmith", "--host", "ecg-room", "--name", "ECG")
    assert call("run", file, page, "--set", "PatientID=4711", *facts).code == 0
    (copy,) = (tmp_path / "raw").glob("*.png")
    again = (config(storage_scp.port), copy, f"{copy}.json")
    assert call("run", *again).code == 0
    assert call("run", *again, "--set", "PatientID=0815", "--dry-run", "--output-dir", tmp_path / "out").code == 0
    (received,) = storage_scp.received
    assert received.dataset.PatientID == "4711"
    (other,) = (tmp_path / "out").rglob("*.dcm")
    assert dcmread(other).PatientID == "0815"


def test_a_sidecar_that_is_not_named_is_told_of(
    call: Call, config: Callable[..., Path], page: Path, tmp_path: Path
) -> None:
    sidecar = page.with_name(f"{page.name}.json")
    sidecar.write_text('{"tags": {"PatientID": "4711"}}')
    dry = ("--dry-run", "--output-dir", tmp_path / "out")
    said = call("run", config(), page, *dry)
    assert (said.code, f"warning: {sidecar} is not read" in said.err) == (0, True)
    sidecar.write_text("{")
    said = call("run", config(), page, sidecar, *dry)
    assert (said.code, "the sidecar is not JSON" in said.err) == (2, True)
    assert "Traceback" not in said.err
