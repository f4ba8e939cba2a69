"""`dicomprinter serve` as systemd runs it: what it is told, and when it is told no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.scp import StorageScp
from tests.service.notify_socket import NotifySocket
from tests.system.help import png
from tests.system.service import COMMAND, configuration, connection
from tests.waiting import PATIENCE, wait_until

# A worker ends as if the interpreter itself had failed there: `except Exception` does not see this.
DEADLY = """
import sys
from dicomprinter.cli.main import invoke
from dicomprinter.engine.runner import Runner

def run(self, job):
    raise SystemExit

Runner.run = run
sys.exit(invoke(sys.argv[1:]))
"""
WATCHDOG_SECONDS = 1.0


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[NotifySocket]:
    with NotifySocket(tmp_path) as opened:
        yield opened


@contextmanager
def serving(base: Path, systemd: NotifySocket, *command: str, config: str) -> Iterator[subprocess.Popen[str]]:
    file = base / "config" / "config.xml"
    file.parent.mkdir(parents=True)
    file.write_text(config)
    environment = {
        **os.environ,
        "NOTIFY_SOCKET": systemd.address,
        "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1e6)),
    }
    command = (*(command or COMMAND), "serve", "--base", str(base))
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def store(port: int) -> str:
    # With looks an hour apart only the watchdog's period brings its signs of life.
    action = f'<Store name="Send">{connection(port, "PACS")}</Store>'
    return configuration(action, '<Perform action="Send" onError="Hold"/>', interval=3600)


def test_systemd_hears_of_everything_in_order(tmp_path: Path, systemd: NotifySocket, storage_scp: StorageScp) -> None:
    incoming = tmp_path / "base" / "spool" / "incoming"
    with serving(tmp_path / "base", systemd, config=store(storage_scp.port)) as process:
        first = systemd.receive()
        assert first == {"READY": "1", "STATUS": f"watches {incoming}"}
        # It says so once what is dropped now is seen.
        (incoming / "page.png").write_bytes(png(1))
        assert systemd.receive() == {"WATCHDOG": "1"}
        assert systemd.receive() == {"WATCHDOG": "1"}
        storage_scp.wait_for(1)
        process.send_signal(signal.SIGHUP)
        reloading = systemd.wait_for("RELOADING")
        assert int(reloading["MONOTONIC_USEC"]) > 0
        assert systemd.receive() == first
        assert systemd.receive() == {"WATCHDOG": "1"}
        process.terminate()
        assert "STOPPING" in systemd.wait_for("STOPPING")
        assert process.wait(PATIENCE) == 0
        assert systemd.is_silent()


def test_a_configuration_that_is_not_valid_leaves_it_ready(tmp_path: Path, systemd: NotifySocket) -> None:
    with serving(tmp_path / "base", systemd, config=store(104)) as process:
        first = systemd.receive()
        (tmp_path / "base" / "config" / "config.xml").write_text("<DicomPrinter/>")
        process.send_signal(signal.SIGHUP)
        systemd.wait_for("RELOADING")
        assert systemd.receive() == first


def test_no_sign_of_life_follows_when_a_worker_has_ended(tmp_path: Path, systemd: NotifySocket) -> None:
    deadly = (sys.executable, "-c", DEADLY)
    with serving(tmp_path / "base", systemd, *deadly, config=store(104)) as process:
        systemd.wait_for("WATCHDOG")
        (tmp_path / "base" / "spool" / "incoming" / "page.png").write_bytes(png(1))
        end = time.monotonic() + PATIENCE
        while "STATUS" not in (said := systemd.receive()):
            assert said == {"WATCHDOG": "1"}
            assert time.monotonic() < end, "nothing is said of the worker"
        assert said["STATUS"].startswith("the thread worker-")
        with pytest.raises(TimeoutError):
            systemd.receive(WATCHDOG_SECONDS * 1.5)
        # The other worker goes on until systemd makes an end.
        assert process.poll() is None
        process.terminate()
        assert "the thread worker-" in process.communicate(timeout=PATIENCE)[1]


def test_a_worker_that_takes_long_is_no_fault(tmp_path: Path, systemd: NotifySocket) -> None:
    with StorageScp(on_store=lambda _: held.wait_for("WATCHDOG") and held.wait_for("WATCHDOG")) as scp:
        held = systemd
        with serving(tmp_path / "base", systemd, config=store(scp.port)):
            systemd.wait_for("READY")
            (tmp_path / "base" / "spool" / "incoming" / "page.png").write_bytes(png(1))
            # Its node cannot end before two signs of life have come.
            scp.wait_for(1)
            assert systemd.wait_for("WATCHDOG")


def test_no_program_that_it_starts_can_speak_for_it(tmp_path: Path, systemd: NotifySocket) -> None:
    with serving(tmp_path / "base", systemd, config=store(104)) as process:
        systemd.wait_for("READY")
        (tmp_path / "base" / "spool" / "incoming" / "x.png").write_bytes(png(1))
        wait_until(lambda: _children(process.pid), "the decoder runs")
        for child in _children(process.pid):
            assert b"NOTIFY_SOCKET" not in Path(f"/proc/{child}/environ").read_bytes()


def _children(pid: int) -> list[int]:
    """The decoder's process, once it runs its own program: until then it looks like its parent."""
    found = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [child for child in found if b"imaging.child" in Path(f"/proc/{child}/cmdline").read_bytes()]
