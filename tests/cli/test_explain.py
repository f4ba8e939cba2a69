"""`dicomprinter explain`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.links import ROOT
from tests.system.service import configuration, connection

EXAMPLE = ROOT / "examples" / "report-with-worklist.xml"


def test_the_tree(call: Call) -> None:
    said = call("explain", ROOT / "examples" / "two-archives.xml")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[1] == ("├── [0] SendToBackup: Store at PACS_BACKUP@backup.hospital.local:11112, as DICOM_PRINTER")
    assert "│           └── yes" not in lines
    assert "│       │       └── [2/then/0/then/0] wait 5 min, then go on at SendToPrimary (at 1)" in lines
    assert "└── the end: the job is done" in lines
    assert lines[-1] == "a suspended job waits 5 min; an unfinished one expires after 5 days"


def test_for_a_program(call: Call) -> None:
    said = call("explain", EXAMPLE, "--json")
    assert said.code == 0
    assert said.json["suspension_seconds"] == 900
    first = said.json["nodes"][0]
    assert (first["path"], first["node"]) == ("0", "If TAG_VALUE(0010,0020)")
    assert first["branches"][0]["answer"] == "no"
    assert first["branches"][0]["nodes"][0]["path"] == "0/else/0"


def test_a_flowchart_alone_on_standard_output(call: Call) -> None:
    said = call("explain", ROOT / "examples" / "seed.xml", "--format", "mermaid")
    assert said.code == 0
    assert said.out.startswith("flowchart TD\n    start([")
    assert said.err.startswith("warning: ")


def test_a_terminal_is_not_commanded_by_a_name(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    store = f'<Store name="a&#x9b;b">{connection(104, "PACS")}</Store>'
    file.write_text(configuration(store, '<Perform action="a&#x9b;b"/>'), encoding="utf-8")
    said = call("explain", file)
    assert said.code == 0
    assert "[0] a?b: Store" in said.out
    assert "\x9b" not in call("explain", file, "--format", "mermaid").out


@pytest.mark.parametrize("options", [("--json", "--format", "mermaid"), ("--format", "svg")])
def test_forms_that_do_not_go(options: tuple[str, ...], call: Call) -> None:
    said = call("explain", EXAMPLE, *options)
    assert said.code == 2
    assert "Traceback" not in said.err


def test_a_configuration_that_is_none(call: Call, tmp_path: Path) -> None:
    assert call("explain", tmp_path / "none.xml").code == 2
    assert call("explain", tmp_path).code == 2
    (tmp_path / "config.xml").write_text("<DicomPrinter><Actions/><Workflow><Perform/></Workflow></DicomPrinter>")
    said = call("explain", tmp_path / "config.xml")
    assert said.code == 2
    assert "needs the attribute" in said.err


def test_a_flowchart_shows_where_a_person_is_waited_for(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    file.write_text(configuration('<Query name="Ask" type="Manual"/>', '<Perform action="Ask"/>'))
    assert "waits for an operator's answer" in call("explain", file, "--format", "mermaid").out
