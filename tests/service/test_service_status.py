"""`dicomprinter service status`: what systemd, the spool and the log say."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dicomprinter.engine.spool import Spool
from dicomprinter.service.spool_state import spool_state
from dicomprinter.service.state import last_error
from dicomprinter.service.systemd import Systemd
from tests.service.systemd_help import Call, Programs, install, standard

RUNS = (
    "LoadState=loaded\nActiveState=active\nSubState=running\nActiveEnterTimestampMonotonic=1000000\n"
    "MainPID=4711\nNRestarts=2\nResult=success\nStatusText=watches = /x\n"
)
FAILED = (
    "ActiveState=activating\nSubState=auto-restart\nActiveEnterTimestampMonotonic=0\nMainPID=0\nNRestarts=9\n"
    "Result=watchdog\nStatusText=old\n"
)


def test_status_tells_what_systemd_the_spool_and_the_log_say(
    live: Systemd, programs: Programs, tmp_path: Path, call: Call
) -> None:
    base, log = tmp_path / "base", tmp_path / "log"
    install(live, standard(live))
    (live.unit("dicomprinter")).write_text(
        live.unit("dicomprinter")
        .read_text()
        .replace("/var/lib/dicomprinter", str(base))
        .replace("/var/log/dicomprinter", str(log))
    )
    with Spool.open(base) as spool:
        (spool.rejected / "x.pdf").touch()
        (spool.rejected / "x.pdf.reason.txt").touch()
        (spool.incoming / "new.pdf").touch()
    log.mkdir()
    (log / "dicomprinter.log").write_text("2026-01-31 09:15:02.123 ERROR   -  the spool is full\n")
    programs.answers = {"systemctl show": (0, RUNS, "")}
    code, out, _ = call("status", "--json")
    said = json.loads(out)
    assert code == 0
    assert said.pop("since") < "2100"
    assert said.pop("disk")["free"] > 0
    assert said == {
        "name": "dicomprinter",
        "state": "active (running)",
        "active": True,
        "starts_by_itself": True,
        "pid": 4711,
        "restarts": 2,
        "text": "watches = /x",
        "config": "/etc/dicomprinter/config.xml",
        "base": str(base),
        "log_dir": str(log),
        "jobs": {},
        "oldest": None,
        "incoming": 1,
        "rejected": 1,
        "destinations": [],
        "attention": [
            "no service runs on this spool: dicomprinter serve starts one",
            "1 file was rejected: dicomprinter jobs list --rejected says why",
        ],
        "last_error": "2026-01-31 09:15:02.123 ERROR   -  the spool is full",
    }
    code, out, _ = call("status")
    assert code == 0
    lines = {line.split(maxsplit=1)[0]: line for line in out.splitlines()}
    assert lines["state"].endswith("active (running): watches = /x")
    assert lines["process"].endswith("4711")
    assert lines["jobs"].endswith("none")
    assert "the spool is full" in out
    programs.answers = {"systemctl show": (0, FAILED, "")}
    code, out, _ = call("status", "--json")
    assert code == 3
    said = json.loads(out)
    assert (said["state"], said["active"]) == ("activating (auto-restart), watchdog", False)
    assert (said["since"], said["pid"], said["text"]) == (None, None, "")


def test_status_of_nothing_says_how_to_install_it(live: Systemd, call: Call) -> None:
    code, _, err = call("status")
    assert code == 2
    assert "`dicomprinter service install` makes it" in err


def test_jobs_are_counted_by_their_state(tmp_path: Path) -> None:
    with Spool.open(tmp_path) as spool:
        for job_id, text in (("20260131T091502123456-a1b2c3", "torn"), ("20260131T091502123457-a1b2c3", "{}")):
            (spool.jobs / job_id).mkdir()
            (spool.jobs / job_id / "job.json").write_text(text)
    # What cannot be read is held for a person.
    assert spool_state(tmp_path).jobs == {"held": 2}
    assert spool_state(tmp_path / "never").jobs == {}


def test_a_spool_that_is_closed_does_not_look_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Spool.open(tmp_path):
        pass

    def refuse(path: Path) -> list[str]:
        raise PermissionError(f"{path} is closed to all but root, who may run this test")

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(PermissionError):
        spool_state(tmp_path)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], None),
        (["2026-01-31 09:15:02.123 INFO    -  an ERROR in a text", "  ERROR"], None),
        (["2026-01-31 09:15:02.123 ERROR   -  one", "2026-01-31 09:15:02.124 FATAL   -  two", "   File x"], 1),
        (['{"level": "ERROR", "message": "a"}', '{"level": "INFO"}', "{torn"], 0),
    ],
)
def test_the_last_error_of_either_form_of_log_is_found(tmp_path: Path, lines: list[str], found: int | None) -> None:
    assert last_error(tmp_path) is None
    (tmp_path / "dicomprinter.log").write_text("".join(f"{line}\n" for line in lines))
    assert last_error(tmp_path) == (None if found is None else lines[found])


@pytest.mark.parametrize(
    ("platform", "says"), [("darwin", "launchd"), ("freebsd14", "freebsd14"), ("win32", "pywin32")]
)
def test_elsewhere_the_way_out_is_told(call: Call, monkeypatch: pytest.MonkeyPatch, platform: str, says: str) -> None:
    monkeypatch.setattr("sys.platform", platform)
    code, _, err = call("status")
    assert code == 2
    assert says in err
