"""`dicomprinter init`."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from dicomprinter.config.environment import read_environment
from dicomprinter.program import load
from tests.cli.conftest import Call


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
    assert str(program.actions["SendToPACS"].peer) == "PACS@10.1.2.3:104"


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
