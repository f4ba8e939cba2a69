"""The real `dicomprinter serve` process."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scp import RawScp, StorageScp
from tests.system.help import png
from tests.system.service import COMMAND, Service, configuration, connection, started
from tests.waiting import PATIENCE

Running = Callable[[Any], Any]
NOBODY = "pacs.invalid"
FOR_EVER = "<AssociationTimeout>-1</AssociationTimeout><DimseTimeout>-1</DimseTimeout>"


def config(port: int = 104, *, host: str = "127.0.0.1", aet: str = "PACS", more: str = "", general: str = "") -> str:
    store = f'<Store name="Send">{connection(port, aet, host=host, more=more)}</Store>'
    text = configuration(store, '<Perform action="Send"/>')
    return text.replace("<General>", f"<General>{general}")


def loaded(service: Service) -> int:
    return service.said.count("the configuration was loaded anew")


def test_a_file_that_is_dropped_is_stored_and_the_end_is_clean(
    tmp_path: Path, running: Running, storage_scp: StorageScp
) -> None:
    service = running(Service(tmp_path / "base", config(storage_scp.port)))
    service.drop("page.png", png(1), {"tags": {"PatientID": "4711"}})
    assert storage_scp.wait_for(1)[0].dataset.PatientID == "4711"
    service.wait_for(service.ledger, "the job is done")
    assert service.stop() == 0
    assert "what was not finished" not in service.said
    assert "SUCCESS" in service.logged
    # What the screen shows is what the log keeps.
    assert service.said == service.logged
    assert service.said.splitlines()[-1].endswith("stopped")
    assert service.leftovers() == []  # the worker has ended, and with it the removal
    assert not (service.spool / ".owner").exists()


def test_ctrl_c_ends_it_as_well(tmp_path: Path, running: Running) -> None:
    service = running(Service(tmp_path / "base", config()))
    service.signal(signal.SIGINT)
    assert service._process.wait(PATIENCE) == 0


def test_a_node_that_does_not_end_is_abandoned_and_repeated_at_the_next_start(tmp_path: Path, running: Running) -> None:
    connected = threading.Event()

    def never_answer(link: Any) -> None:
        connected.set()
        link.over.wait()

    silent = running(RawScp(never_answer))
    service = running(Service(tmp_path / "base", config(silent.port, more=FOR_EVER)))
    service.drop("page.png", png(1))
    assert connected.wait(PATIENCE)
    assert service.stop() == 0
    assert "what was not finished is repeated at the start" in service.said
    assert service.job()["state"] == "running"
    with StorageScp() as archive:
        service.configure(config(archive.port))
        service.start()
        archive.wait_for(1)
        service.wait_for(service.ledger, "the job is done")


@pytest.mark.parametrize("way", ["a renamed file", "SIGHUP", "a variable"])
def test_a_corrected_configuration_is_taken_over(
    tmp_path: Path, running: Running, storage_scp: StorageScp, way: str
) -> None:
    # With looks an hour apart only SIGHUP can be what does it.
    interval = "3600" if way == "SIGHUP" else "0.1"
    old = config(storage_scp.port, host="${PACS_HOST:-pacs.invalid}").replace(
        "<CheckingInterval>0.1<", f"<CheckingInterval>{interval}<"
    )
    service = running(Service(tmp_path / "base", old))
    if way == "a variable":
        (service.base / ".env").write_text("PACS_HOST=127.0.0.1\n")
    else:
        service.configure(old.replace("pacs.invalid", "127.0.0.1"))
    if way == "SIGHUP":
        service.signal(signal.SIGHUP)
    service.wait_for(lambda: loaded(service) == 1, "the configuration is loaded")
    service.drop("page.png", png(1))
    storage_scp.wait_for(1)
    assert loaded(service) == 1


def test_a_configuration_that_is_not_valid_is_told_whole_and_the_one_before_stays(
    tmp_path: Path, running: Running, storage_scp: StorageScp
) -> None:
    service = running(Service(tmp_path / "base", config(storage_scp.port)))
    bad = config(storage_scp.port).replace('action="Send"', 'action="Sned"').replace("<Port>", "<Prot>x</Prot><Port>")
    service.configure(bad)
    service.wait_for(lambda: "the one before stays in use" in service.said, "the bad one is refused")
    place = f"ERROR   -  {service.base}/config/config.xml:1:"
    told = [line for line in service.logged.splitlines() if place in line]
    assert len(told) == 2
    assert any('did you mean "Send"?' in line for line in told)
    service.drop("page.png", png(1))
    storage_scp.wait_for(1)
    assert loaded(service) == 0
    (service.base / "config" / "config.xml").unlink()
    service.wait_for(lambda: "the configuration before stays in use" in service.said, "that it is gone is told")
    service.configure(config(storage_scp.port))
    service.wait_for(lambda: loaded(service) == 1, "the good one is loaded")


def test_it_warns_of_a_watched_folder_and_other_warnings(tmp_path: Path, running: Running) -> None:
    text = config(general="<RegistrationKey>x</RegistrationKey>").replace("<Actions>", "<DropMonitor/><Actions>")
    service = running(Service(tmp_path / "base", text))
    warned = [line for line in service.logged.splitlines() if " WARN " in line]
    assert any("<DropMonitor>: this version does not watch its folder" in line for line in warned)
    assert any("RegistrationKey" in line for line in warned)


def serve(*options: object) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "serve", *(str(option) for option in options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_it_does_not_start_with_a_bad_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    file.write_text("<DicomPrinter/>")
    ended = serve("--base", tmp_path / "base", "--config", file)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{file}:1:1: ")
    assert not (tmp_path / "base").exists()


def test_it_does_not_start_without_a_configuration_or_a_log(tmp_path: Path) -> None:
    ended = serve("--base", tmp_path / "base")
    assert ended.returncode == 2
    assert f"there is no configuration {tmp_path}/base/config/config.xml" in ended.stderr
    file = tmp_path / "config.xml"
    file.write_text(config())
    ended = serve("--base", tmp_path / "base", "--config", file, "--log-dir", file / "log")
    assert ended.returncode == 2
    assert "choose another --log-dir" in ended.stderr


def test_a_system_installation_has_its_parts_in_different_places(tmp_path: Path) -> None:
    file, base, log = tmp_path / "etc" / "config.xml", tmp_path / "lib", tmp_path / "log"
    file.parent.mkdir()
    with StorageScp() as archive:
        file.write_text(config(1, host=NOBODY))
        options = ["--base", base, "--config", file, "--log-dir", log, "--endpoint", f"PACS=127.0.0.1:{archive.port}"]
        (base / "spool" / "incoming").mkdir(parents=True)
        (base / "spool" / "incoming" / "waits.png").write_bytes(png(1))
        with started("serve", *options, stderr=subprocess.DEVNULL, cwd=os.sep) as process:
            archive.wait_for(1)
            process.terminate()
            assert process.wait(PATIENCE) == 0
    assert "ready: watches" in (log / "dicomprinter.log").read_text()
    assert sorted(path.name for path in base.iterdir()) == ["spool"]
