"""How the log of a real job is nested, and what of a dataset may stand in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset

from dicomprinter.config.sections import General
from dicomprinter.dicom.sensitive import told
from dicomprinter.errors import DicomPrinterError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.job.parts import State
from dicomprinter.service.log_form import Form
from dicomprinter.service.logs import Logs
from tests.scp import Answer, StorageScp
from tests.system.help import House, perform, png, set_tag, store

pytestmark = pytest.mark.usefixtures("libraries_as_before")


@pytest.fixture
def house(tmp_path: Path, decoder: Decoder) -> Iterator[House]:
    with House(tmp_path / "base", decoder) as opened:
        yield opened


def nested(house: House, port: int) -> None:
    """A job whose Store stands in an If."""
    workflow = perform("Set") + f'<If field="QUERY_FOUND" value="false"><Statements>{perform("Send")}</Statements></If>'
    program = house.program(set_tag("Set", "0010,0020", "#{PatientComments}1") + store("Send", port), workflow)
    house.run(program, house.job(png()))


DEPTHS = [
    (1, "accepted from test"),
    (3, "Set/PatientID (0010,0020): the job has no value"),
    (2, "Perform Set: done"),
    (2, "If QUERY_FOUND = false: yes"),
    (5, "Send: Secondary Capture Image Storage 1 stored by"),
    (3, "Perform Send: done"),
    (1, "done"),
]


def test_what_is_inside_stands_deeper(house: House, storage_scp: StorageScp) -> None:
    with Logs.open(house.base / "log", screen=False):
        nested(house, storage_scp.port)
    text = (house.base / "log" / "dicomprinter.log").read_text("utf-8")
    lines = [line[62:] for line in text.splitlines() if line[32] != "-"]
    assert len(lines) == len(DEPTHS)
    for line, (depth, message) in zip(lines, DEPTHS, strict=True):
        assert line.startswith("  " * (depth - 1) + message)


@pytest.mark.parametrize("verbosity", [1, 2, 3, 4, 5, 35])
def test_verbosity_ends_the_nesting(house: House, storage_scp: StorageScp, verbosity: int) -> None:
    with Logs.open(house.base / "log", screen=False, form=Form.JSON) as logs:
        logs.adopt(General(verbosity=verbosity))
        nested(house, storage_scp.port)
    text = (house.base / "log" / "dicomprinter.log").read_text("utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    assert [event["depth"] for event in found] == [depth for depth, _ in DEPTHS if depth <= verbosity]
    places = {(event.get("node"), event.get("action")) for event in found if event["depth"] > 1}
    outer = {("0", "Set"), ("1", None)}
    assert places == [set(), outer, outer | {("1/then/0", "Send")}][min(verbosity, 3) - 1]


def test_what_fails_deep_inside_is_told_at_any_verbosity(house: House) -> None:
    with (
        StorageScp(always=Answer(0xA700, "Kanarienvogel")) as archive,
        Logs.open(house.base / "log", screen=False, form=Form.JSON) as logs,
    ):
        logs.adopt(General(verbosity=1))
        nested(house, archive.port)
    text = (house.base / "log" / "dicomprinter.log").read_text("utf-8")
    accepted, failed, held = (json.loads(line) for line in text.splitlines())
    assert (accepted["depth"], failed["depth"], held["depth"]) == (1, 3, 1)
    assert (failed["node"], failed["action"], failed["private"]) == ("1/then/0", "Send", "****")
    assert failed["details"] == {
        "status": "A700",
        "peer": f"PACS@127.0.0.1:{archive.port}",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.7",
    }
    assert held["message"].startswith(f"{State.HELD.value}: Perform Send failed")


def test_no_job_runs_at_a_node_once_it_has_stopped(house: House, storage_scp: StorageScp) -> None:
    program = house.program(store("Send", storage_scp.port), perform("Send"))
    job = house.job(png())
    house.run(program, job)
    assert job.at is None
    assert job.log_context() == {"job": job.id}


# Values


def test_of_a_dataset_only_what_cannot_be_of_a_patient_is_told() -> None:
    step = Dataset()
    step.ScheduledStationAETitle = "SPIRO_1"
    step.ScheduledPerformingPhysicianName = "Käfigmeister"
    keys = Dataset()
    keys.Modality = "OT"
    keys.PatientID = "CANARY-4711"
    keys.PatientName = ""
    keys.add_new(0x00090010, "LO", "KANARIENZUCHT")
    keys.add_new(0x00091001, "AE", "PRIVATE")
    keys.ScheduledProcedureStepSequence = [step]
    text = told(keys)
    assert text.redacted.split("; ") == [
        "Modality (0008,0060)=OT",
        "(0009,0010)=****",
        "(0009,1001)=****",
        "PatientID (0010,0020)=****",
        "ScheduledStationAETitle (0040,0001)=SPIRO_1",
        "ScheduledPerformingPhysicianName (0040,0006)=****",
    ]
    assert "PatientID (0010,0020)=CANARY-4711" in text
    assert "KANARIENZUCHT" in text


def test_an_errors_details_are_its_own() -> None:
    details = {"status": "A700"}
    error = DicomPrinterError("x", details=details)
    details.clear()
    assert error.details == {"status": "A700"}
    assert DicomPrinterError("x").details == {}
