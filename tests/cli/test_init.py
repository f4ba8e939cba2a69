"""`dicomprinter init`."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from dicomprinter.actions.base import Connected
from dicomprinter.config.environment import read_environment
from dicomprinter.demo.worklist import EmbeddedWorklist, worklist_entry
from dicomprinter.program import load
from tests.cli.conftest import Call
from tests.links import ROOT
from tests.scp import StorageScp
from tests.system.service import Service

CLI = ROOT / "dicomprinter" / "cli"
# What the template and its twin among the examples perform once the order is found.
SETTERS = ("Describe", "SetMetadata")


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): stat.filemode(path.stat().st_mode) for path in folder.rglob("*")}


def test_a_base_directory_to_start_from(call: Call, tmp_path: Path) -> None:
    base = tmp_path / "new" / "base"
    said = call("init", base)
    assert (said.code, said.err) == (0, "")
    assert tree(base) == {
        ".env": "-rw-------",
        "config": "drwx------",
        "config/config.xml": "-rw-------",
        "spool": "drwx------",
        "spool/incoming": "drwx------",
    }
    assert stat.filemode(base.stat().st_mode) == "drwx------"


def test_what_it_says_to_do_next_can_be_done(call: Call, tmp_path: Path) -> None:
    said = call("init", tmp_path / "my base").out
    config = tmp_path / "my base" / "config" / "config.xml"
    for command in ("explain", "check --strict", "echo", "serve --base"):
        assert f"dicomprinter {command} '{tmp_path}/my base" in said
    checked = call("check", "--strict", config)
    assert (checked.code, checked.err) == (0, "")
    assert call("explain", config).code == 0


def test_every_address_stands_in_the_environment_file(call: Call, tmp_path: Path) -> None:
    call("init", tmp_path)
    text = (tmp_path / "config" / "config.xml").read_text(encoding="utf-8")
    named = set(re.findall(r"\$\{(\w{2,})\}", text)) - {"NAME"}
    assert named == set(read_environment(tmp_path, process={}))
    (tmp_path / ".env.local").write_text("PACS_HOST=10.1.2.3\nPACS_PORT=104\n")
    program = load(tmp_path / "config" / "config.xml", tmp_path, environment={})
    store = program.actions["SendToPACS"]
    assert isinstance(store, Connected)
    assert str(store.peer) == "PACS@10.1.2.3:104"


def test_the_template_runs_a_job(call: Call, page: Path, tmp_path: Path) -> None:
    call("init", tmp_path / "base")
    config = tmp_path / "base" / "config" / "config.xml"
    options = ("--dry-run", "--output-dir", tmp_path / "out", "--json")
    said = call("run", config, page, "--set", "PatientID=4711", "--assume", "QUERY_FOUND=true", *options)
    assert (said.code, [one["action"] for one in said.json["instances"]]) == (0, ["SendToPACS"])
    assert said.json["history"][1]["message"] == "If TAG_VALUE(0010,0020): no"


@pytest.mark.parametrize("number", ["", "47*", "4?11"])
def test_the_template_asks_no_worklist_for_everybody(number: str, call: Call, page: Path, tmp_path: Path) -> None:
    call("init", tmp_path / "base")
    config = tmp_path / "base" / "config" / "config.xml"
    options = ("--dry-run", "--output-dir", tmp_path / "out", "--json")
    said = call("run", config, page, "--set", f"PatientID={number}", *options)
    told = " ".join(line["message"] for line in said.json["history"])
    assert "AskOperator" in told
    assert "FindOrder" not in told


@pytest.mark.parametrize("name", ["config/config.xml", ".env"])
def test_nothing_is_overwritten(name: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = tree(tmp_path)
    said = call("init", tmp_path)
    assert said.code == 2
    assert f"{tmp_path / name} is there already" in said.err
    assert (tmp_path / name).read_text() == "mine"
    assert tree(tmp_path) == before


def test_a_link_that_leads_nowhere_is_something(call: Call, tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")
    assert call("init", tmp_path).code == 2
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize("inside", [".", "base", "base/below"])
def test_a_file_in_the_way(inside: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    said = call("init", tmp_path / "file" / inside)
    assert said.code == 2
    assert "is not a folder" in said.err


def test_for_a_program(call: Call, tmp_path: Path) -> None:
    said = call("init", tmp_path / "base", "--json").json
    assert said["base"] == str(tmp_path / "base")
    assert said["files"] == [str(tmp_path / "base" / name) for name in ("config/config.xml", ".env")]


# What becomes of a report in the template's workflow

ORDERS = (
    worklist_entry(
        patient_name="Muster^Erika",
        patient_id="4711",
        accession_number="A1",
        description="Lung function",
        start=datetime.now(),
        birth_date="19640812",
        sex="F",
        study_instance_uid="2.25.1",
    ),
    worklist_entry(
        patient_name="Muster^Erika",
        patient_id="4711",
        accession_number="A2",
        description="ECG",
        start=datetime.now() - timedelta(days=9),
        birth_date="19640812",
        sex="F",
        study_instance_uid="2.25.2",
    ),
    *(
        worklist_entry(
            patient_name="Beispiel^Jan",
            patient_id="4712",
            accession_number=accession,
            description="Spirometry",
            start=datetime.now(),
            birth_date="19700101",
            sex="M",
            study_instance_uid=study,
        )
        for accession, study in (("B1", "2.25.3"), ("B2", "2.25.4"))
    ),
)


@contextmanager
def served(base: Path, worklist: EmbeddedWorklist, archive: StorageScp) -> Iterator[Service]:
    """The configuration as it stands, but for addresses and waiting times."""
    short = "<SuspensionTime>0.002</SuspensionTime><CheckingInterval>0.1</CheckingInterval>"
    text = (CLI / "template.xml").read_text("utf-8").replace("<SuspensionTime>15</SuspensionTime>", short)
    peers = {"RIS": worklist.port, "PACS": archive.port}
    endpoints = [word for title, port in peers.items() for word in ("--endpoint", f"{title}=127.0.0.1:{port}")]
    service = Service(base, text, *endpoints)
    (base / ".env").write_bytes((CLI / "template.env").read_bytes())
    with service:
        yield service


@pytest.mark.parametrize(
    ("number", "answers", "order"),
    [
        ("4711", [], ("2.25.1", "19640812")),
        ("", [("PatientID=4712", "AccessionNumber=B2")], ("2.25.4", "19700101")),
        ("47*", [("PatientID=4711", "AccessionNumber=A2")], ("2.25.2", "19640812")),
        ("4712", [("AccessionNumber=B1",)], ("2.25.3", "19700101")),
        ("4713", [("PatientID=4711", "StudyInstanceUID=2.25.1", "AccessionNumber=A1")], ("2.25.1", "19640812")),
        # A number without an order, a name that is not the order's, several orders, no number, a wildcard: asked again.
        ("", [("PatientID=4714",), ("PatientID=4711", "AccessionNumber=A1")], ("2.25.1", "19640812")),
        (
            "",
            [("PatientID=4711", "PatientName=Mustre^Erika"), ("PatientID=4712", "AccessionNumber=B1")],
            ("2.25.3", "19700101"),
        ),
        ("", [("PatientID=4712",), ("PatientID=4711", "AccessionNumber=A1")], ("2.25.1", "19640812")),
        ("", [("PatientName=Muster^Erika",), ("PatientID=4711", "AccessionNumber=A1")], ("2.25.1", "19640812")),
        (
            "",
            [("PatientID=471?", "AccessionNumber=A1"), ("PatientID=4712", "AccessionNumber=B1")],
            ("2.25.3", "19700101"),
        ),
    ],
)
def test_a_report_joins_the_study_of_its_order_whoever_has_named_it(
    *, call: Call, tmp_path: Path, page: Path, number: str, answers: list[tuple[str, ...]], order: tuple[str, str]
) -> None:
    with (
        EmbeddedWorklist(ORDERS, "RIS") as worklist,
        StorageScp() as archive,
        served(tmp_path / "base", worklist, archive) as service,
    ):
        service.drop("page.png", page.read_bytes(), {"tags": {"PatientID": number}})
        for answer in answers:
            job = service.wait_for_state("manual")["id"]
            assert not archive.received
            questions = service.said.count("waits for an operator")
            assert call("jobs", "match", job, *answer, "--base", service.base).code == 0
            service.wait_for(partial(_has_gone_on, service, questions), "the job is done, or the person is asked again")
        service.wait_for(service.ledger, "the job is done")
    (stored,) = [one.dataset for one in archive.received]
    assert (stored.StudyInstanceUID, stored.PatientBirthDate) == order
    assert [number for number in (str(query.PatientID) for query in worklist.queries) if not number.isdigit()] == []


def _has_gone_on(service: Service, questions: int) -> bool:
    return bool(service.ledger()) or service.said.count("waits for an operator") > questions


def test_the_example_with_a_worklist_does_the_same() -> None:
    twin = ROOT / "examples" / "report-with-worklist.xml"
    texts = [file.read_text("utf-8").partition("  <Workflow>\n")[2] for file in (CLI / "template.xml", twin)]
    flows = [text.partition('    <Perform action="' + name)[0] for text, name in zip(texts, SETTERS, strict=True)]
    assert flows[0] == flows[1] != ""
