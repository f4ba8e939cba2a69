"""An archive that is down, and an address that is wrong: the job waits, and goes on where it stopped."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.demo.pacs import EmbeddedPacs
from dicomprinter.demo.worklist import EmbeddedWorklist, worklist_entry
from tests.scp import closed_port
from tests.system.help import grey, perform, pixels, png
from tests.system.service import COMMAND, Service, configuration, connection
from tests.waiting import PATIENCE

Run = Callable[[Any], Any]

CANARY = "CANARY"
SIDECAR = {"title": f"{CANARY} letter", "tags": {"PatientID": f"{CANARY}1"}}
# Nothing listens there, though it is loopback too.
WRONG_HOST = "127.0.0.99"
UIDS = ("sop_instance_uid", "series_instance_uid")


@pytest.fixture
def ris(running: Run) -> EmbeddedWorklist:
    entry = worklist_entry(
        patient_name=f"{CANARY}^Zelda",
        patient_id=f"{CANARY}1",
        accession_number=f"{CANARY}2",
        description=f"{CANARY} of the knee",
        start=datetime.now(),
    )
    worklist = running(EmbeddedWorklist([entry]))
    assert isinstance(worklist, EmbeddedWorklist)
    return worklist


def text(
    ris: EmbeddedWorklist,
    port: int,
    *,
    host: str = "127.0.0.1",
    on_error: str = "Suspend",
    suspension: float = 1,
    interval: float = 0.1,
) -> str:
    actions = (
        f'<Query name="Find" type="Worklist">{connection(ris.port, "WORKLIST")}'
        '<DcmTag tag="PatientID">#{PatientID}</DcmTag></Query>'
        f'<Store name="Send">{connection(port, "PACS", host=host)}</Store>'
    )
    workflow = perform("Find") + perform("Send", on_error=on_error)
    return configuration(actions, workflow, suspension=suspension, interval=interval)


def planned(job: dict[str, Any]) -> list[tuple[str, ...]]:
    """The UIDs that were written down before the first byte went out."""
    return [tuple(instance[name] for name in UIDS) for instance in job["instances"]]


def arrived(pacs: EmbeddedPacs) -> list[tuple[str, ...]]:
    return [(one.sop_instance, str(one.attributes.SeriesInstanceUID)) for one in pacs.instances]


def is_done(service: Service, pacs: EmbeddedPacs, ris: EmbeddedWorklist) -> None:
    """One whole object of the right patient came, and nothing is left."""
    service.wait_for(lambda: [line["outcome"] for line in service.ledger()] == ["done"], "the job is done")
    service.wait_for(lambda: service.leftovers() == [], "the spool is empty")
    (one,) = pacs.instances
    assert str(one.attributes.PatientName) == f"{CANARY}^Zelda"
    assert pixels(one.read()).tolist() == grey(7).tolist()
    assert len(ris.queries) == 1, "the worklist is not asked a second time"
    assert CANARY not in service.said + service.logged
    assert one.sop_instance not in service.said + service.logged


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_pacs_that_is_down(tmp_path: Path, running: Run, ris: EmbeddedWorklist, how: str) -> None:
    port = closed_port()
    with Service(tmp_path / "base", text(ris, port)) as service:
        service.drop("page.png", png(7), SIDECAR)
        waiting = service.wait_for_state("suspended")
        assert waiting["position"]["node"] == "Perform Send"
        assert "refused the connection" in waiting["reason"]
        assert waiting["wake_at"]
        uids = planned(waiting)
        assert len(uids) == 1

        if how == "stopped":
            assert service.stop() == 0
        else:
            service.kill()
        assert planned(service.job()) == uids
        service.start()
        again = service.wait_for_state("suspended")
        assert planned(again) == uids

        pacs = running(EmbeddedPacs(tmp_path / "pacs", port=port))
        is_done(service, pacs, ris)
        assert arrived(pacs) == uids


def test_a_wrong_host_that_is_corrected_in_the_file(tmp_path: Path, running: Run, ris: EmbeddedWorklist) -> None:
    pacs = running(EmbeddedPacs(tmp_path / "pacs"))
    with Service(tmp_path / "base", text(ris, pacs.port, host=WRONG_HOST)) as service:
        service.drop("page.png", png(7), SIDECAR)
        uids = planned(service.wait_for_state("suspended"))
        service.configure(text(ris, pacs.port))
        is_done(service, pacs, ris)
    assert arrived(pacs) == uids
    assert "the configuration was loaded anew" in service.logged


def test_a_wrong_host_that_is_corrected_and_sighup(tmp_path: Path, running: Run, ris: EmbeddedWorklist) -> None:
    """Looks at the file are an hour apart: only the signal can be the reason."""
    pacs = running(EmbeddedPacs(tmp_path / "pacs"))
    with Service(tmp_path / "base", text(ris, pacs.port, host=WRONG_HOST, interval=3600)) as service:
        service.drop("page.png", png(7), SIDECAR)
        uids = planned(service.wait_for_state("suspended"))
        service.configure(text(ris, pacs.port, interval=3600))
        service.signal(signal.SIGHUP)
        is_done(service, pacs, ris)
    assert arrived(pacs) == uids


def test_a_held_job_goes_to_the_right_host_when_it_is_resumed(
    tmp_path: Path, running: Run, ris: EmbeddedWorklist
) -> None:
    pacs = running(EmbeddedPacs(tmp_path / "pacs"))
    with Service(tmp_path / "base", text(ris, pacs.port, host=WRONG_HOST, on_error="Hold")) as service:
        service.drop("page.png", png(7), SIDECAR)
        held = service.wait_for_state("held")
        service.configure(text(ris, pacs.port, on_error="Hold"))
        service.wait_for(lambda: "the configuration was loaded anew" in service.said, "the file is read")
        assert service.job()["state"] == "held"
        command = [*COMMAND, "jobs", "resume", held["id"], "--base", str(service.base), "--json"]
        ended = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout)["jobs"][0]["succeeded"]
        is_done(service, pacs, ris)
    assert arrived(pacs) == planned(held)


def test_a_configuration_that_is_not_valid_changes_nothing(tmp_path: Path, running: Run, ris: EmbeddedWorklist) -> None:
    pacs = running(EmbeddedPacs(tmp_path / "pacs"))
    with Service(tmp_path / "base", text(ris, pacs.port)) as service:
        service.configure(text(ris, pacs.port).replace('<Perform action="Send"', '<Perform action="Sent"'))
        service.wait_for(lambda: "the one before stays in use" in service.said, "the file is refused")
        assert 'did you mean "Send"?' in service.logged
        service.drop("page.png", png(7), SIDECAR)
        is_done(service, pacs, ris)
