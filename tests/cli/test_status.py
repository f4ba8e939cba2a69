"""`dicomprinter status`: what waits, how the destinations do, and what wants a person."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dicomprinter.engine.spool import Spool
from dicomprinter.job.parts import State
from dicomprinter.service import spool_state
from tests.cli.conftest import Call
from tests.engine.help import new_job
from tests.system.service import Service, configuration


class Usage(NamedTuple):
    """As shutil tells it, in bytes."""

    total: int
    used: int
    free: int


PACS = {"ae_title": "PACS", "host": "10.0.0.1", "port": 104, "calls": "Send, Send2"}
NOTHING_YET = {"failures": 0, "last_success": None, "last_failure": None, "reason": None, "next_try": None}


@pytest.fixture(autouse=True)
def roomy_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine of the test has."""
    monkeypatch.setattr(spool_state.shutil, "disk_usage", lambda _: Usage(500 * 10**9, 100 * 10**9, 400 * 10**9))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    Spool.open(tmp_path / "base").close()
    return tmp_path / "base"


def put(base: Path, state: State, age: timedelta, *, reason: str | None = None, waits_for: str | None = None) -> str:
    """A job of that state; its id."""
    with Spool.open(base) as spool:
        job = new_job(spool, accepted=datetime.now().astimezone() - age)
        job.state, job.reason, job.waits_for = state, reason, waits_for
        job.folder.save(job, secure=True)
        if state is State.EXPIRED:
            job.folder.path.rename(spool.expired / job.id)
    return job.id


def write_destinations(base: Path, *destinations: dict[str, Any]) -> None:
    (base / "spool" / "destinations.json").write_text(json.dumps({"version": 1, "destinations": destinations}))


def test_an_idle_service_is_well(call: Call, tmp_path: Path) -> None:
    with Service(tmp_path / "base", configuration("", "")) as service:
        said = call("status", "--base", service.base)
        pid = (service.spool / ".owner").read_text()
    assert (said.code, said.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in said.out.splitlines()[:-1])
    assert lines["service"] == f"runs, process {pid}"
    assert (lines["jobs"], lines["incoming"]) == ("none", "0 files")
    assert lines["disk"] == "400.0 of 500.0 GB free"
    assert said.out.endswith("all is well\n")


def test_everything_for_a_program(call: Call, base: Path) -> None:
    put(base, State.QUEUED, timedelta(minutes=1))
    put(base, State.SUSPENDED, timedelta(minutes=2))
    oldest = put(base, State.HELD, timedelta(hours=3), reason="the archive refused it")
    put(base, State.EXPIRED, timedelta(days=9))
    (base / "spool" / "incoming" / "ward").mkdir()
    for name in ("incoming/a.png", "incoming/ward/b.png", "incoming/c.part", "rejected/x.pdf"):
        (base / "spool" / name).touch()
    (base / "spool" / "rejected" / "x.pdf.reason.txt").touch()
    times = {"last_success": "2026-01-31T09:15:02+00:00", "last_failure": "2026-01-31T09:16:02+00:00"}
    down = {**PACS, "breaker": "open", "failures": 5, **times, "reason": "nobody listens", "next_try": None}
    write_destinations(base, down)
    said = call("status", "--base", base, "--json")
    assert said.code == 3
    found = said.json
    assert (found["base"], found["service"]) == (str(base), {"runs": False, "pid": None})
    assert found["jobs"] == {"expired": 1, "held": 1, "queued": 1, "suspended": 1}
    assert 3 * 3600 <= found["oldest"].pop("age_seconds") < 4 * 3600
    assert found["oldest"].pop("accepted") < datetime.now().astimezone().isoformat()
    assert found["oldest"] == {"id": oldest, "state": "held", "reason": "the archive refused it"}
    assert (found["incoming"], found["rejected"]) == (2, 1)
    (destination,) = found["destinations"]
    assert {name: destination[name] for name in (*PACS, "breaker", "failures", "reason", "next_try")} == {
        **PACS,
        "breaker": "open",
        "failures": 5,
        "reason": "nobody listens",
        "next_try": None,
    }
    assert datetime.fromisoformat(destination["last_success"]) == datetime.fromisoformat(times["last_success"])
    assert found["disk"] == {"free": 400 * 10**9, "total": 500 * 10**9, "tight": False}
    assert found["attention"] == [
        "no service runs on this spool: dicomprinter serve starts one",
        "1 job is held: dicomprinter jobs list says why",
        "1 file was rejected: dicomprinter jobs list --rejected says why",
        "PACS@10.0.0.1:104 is not called now, after failures in a row",
    ]


def test_a_destination_that_is_down_for_a_person(call: Call, base: Path) -> None:
    now = datetime.now().astimezone()
    down = {
        "breaker": "open",
        "failures": 5,
        "last_success": (now - timedelta(hours=3)).isoformat(),
        "last_failure": (now - timedelta(seconds=30)).isoformat(),
        "reason": "nobody listens",
        "next_try": (now + timedelta(minutes=5)).isoformat(),
    }
    write_destinations(base, {**PACS, **down}, {**PACS, "host": "b", "calls": "", "breaker": "closed", **NOTHING_YET})
    put(base, State.SUSPENDED, timedelta(0), waits_for="PACS@10.0.0.1:104")
    put(base, State.SUSPENDED, timedelta(0))
    assert [one["waiting"] for one in call("status", "--base", base, "--json").json["destinations"]] == [1, 0]
    said = call("status", "--base", base)
    standing = "breaker open, 5 failures in a row, 1 job waiting for it, next try in "
    assert f"destination PACS@10.0.0.1:104 (Send, Send2): {standing}" in said.out
    assert ", 3 h ago\n" in said.out
    assert " s ago: nobody listens\n" in said.out
    assert "destination PACS@b:104: breaker closed\n" in said.out
    assert "PACS@10.0.0.1:104 is not called now" in said.err
    assert "PACS@b" not in said.err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"destinations": 7}',
        '{"destinations": [7, {}, {"ae_title": "A", "host": "h", "port": "x"}]}',
        '{"destinations": [{"ae_title": "A", "host": "h", "port": 1e999}]}',
        '{"destinations": [{"ae_title": "A", "host": "h", "port": 1, "last_failure": "0001-01-01T00:00:00+14:00"}]}',
    ],
)
def test_destinations_that_cannot_be_read_are_left_out(call: Call, base: Path, text: str) -> None:
    (base / "spool" / "destinations.json").write_text(text)
    said = call("status", "--base", base, "--json")
    assert said.json["destinations"] == []


@pytest.mark.parametrize(
    ("usage", "tight"),
    [
        (Usage(4000 * 10**9, 0, 11 * 10**9), False),
        (Usage(4000 * 10**9, 0, 9 * 10**9), True),
        (Usage(20 * 10**9, 0, 9 * 10**8), True),
    ],
)
def test_a_disk_that_is_nearly_full(
    call: Call, base: Path, monkeypatch: pytest.MonkeyPatch, usage: Usage, tight: bool
) -> None:
    monkeypatch.setattr(spool_state.shutil, "disk_usage", lambda _: usage)
    said = call("status", "--base", base)
    assert ("nearly full" in said.out, "the disk is nearly full" in said.err) == (tight, tight)


def test_a_job_that_nobody_runs_is_queued(call: Call, base: Path) -> None:
    put(base, State.RUNNING, timedelta(0))
    assert call("status", "--base", base, "--json").json["jobs"] == {"queued": 1}


def test_no_spool(call: Call, tmp_path: Path) -> None:
    said = call("status", "--base", tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.err == f"error: there is no spool in {tmp_path}; name the base directory with --base\n"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="becomes another user, as root")
@pytest.mark.parametrize("command", [("status",), ("jobs", "list"), ("status", "--json")])
@pytest.mark.parametrize("closed", ["base", "spool"])
def test_another_user_is_refused_in_words(tmp_path: Path, base: Path, command: tuple[str, ...], closed: str) -> None:
    for folder in (base, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and str(folder) not in ("/", "/tmp"):
            folder.chmod(0o755)
    tmp_path.chmod(0o755)
    (base if closed == "base" else base / "spool").chmod(0o700)
    code = (
        "import os, sys; import dicomprinter.cli.main as m\n"
        "import dicomprinter.cli.status, dicomprinter.cli.jobs.lists, dicomprinter.cli.state_report\n"
        "os.setgid(65534); os.setuid(65534); sys.exit(m.invoke(sys.argv[1:]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *command, "--base", str(base)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert f"the spool in {base} is open to the service's user and to administrators alone" in run.stderr


@pytest.mark.parametrize("command", [("status",), ("jobs", "list"), ("service", "status")])
def test_looking_waits_for_nothing_of_dicom(base: Path, command: tuple[str, ...]) -> None:
    code = "import sys; import dicomprinter.cli.main as m; m.invoke(sys.argv[1:]); print(*sys.modules)"
    where = () if command[0] == "service" else ("--base", str(base))
    run = subprocess.run([sys.executable, "-c", code, *command, *where], capture_output=True, text=True, check=True)
    assert {"pydicom", "numpy", "dicomprinter.program"} & set(run.stdout.split()) == set()
