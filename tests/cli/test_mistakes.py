"""What a newcomer types, and the way out that is named."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest

from dicomprinter.cli import check
from dicomprinter.engine.spool import Spool
from dicomprinter.errors import SpoolError
from tests.cli.conftest import Call
from tests.scp import StorageScp, closed_port
from tests.system.service import configuration, connection

QUERY = f'<Query name="Find" type="Study">{connection(104, "RIS")}<DcmTag tag="PatientID"/></Query>'


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """A configuration with a Store at a port."""

    def write(port: int = 104, more: str = "", workflow: str = '<Perform action="Send"/>') -> Path:
        file = tmp_path / "config.xml"
        store = f'<Store name="Send">{connection(port, "PACS")}</Store>'
        file.write_text(configuration(store + more, workflow))
        return file

    return write


def may_not_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the right to write to a folder away, also from root."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and access(path, mode))


def test_help_is_a_word_too(call: Call) -> None:
    assert call("help") == call("--help")
    assert call("help", "jobs", "list") == call("jobs", "list", "--help")


@pytest.mark.parametrize("option", ["--base", "--rejected", "--dry-run"])
def test_an_option_before_its_command(call: Call, option: str) -> None:
    said = call(option, "jobs", "list")
    assert said.code == 2
    assert said.err.startswith(f"error: {option} goes after the command")


def test_an_option_that_no_command_has(call: Call) -> None:
    assert "No such option '--nonsense'" in call("--nonsense").err


def test_a_fault_is_told_in_whole_with_v_anywhere(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def missing(name: str) -> object:
        if name == "dicomprinter.cli.jobs":
            raise ModuleNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    assert "run it again with -v" in call("jobs", "list").err
    for arguments in (("-v", "jobs", "list"), ("jobs", "-v", "list"), ("jobs", "list", "-v")):
        said = call(*arguments)
        assert said.code == 1
        assert "Traceback" in said.err
        assert "report the lines above" in said.err


def test_v_after_the_group(call: Call, tmp_path: Path) -> None:
    Spool.open(tmp_path).close()
    assert call("jobs", "-v", "list", "--base", tmp_path).code == 0


@pytest.mark.parametrize("raised", [KeyboardInterrupt, click.Abort])
def test_an_interruption_is_said(call: Call, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]) -> None:
    def interrupted(*_: object) -> NoReturn:
        raise raised

    monkeypatch.setattr(check, "load", interrupted)
    said = call("check", "config.xml")
    # click ends the line with ^C itself.
    assert (said.code, said.out, said.err.strip()) == (130, "", "error: interrupted")


def test_files_and_configuration_exchanged(call: Call, config: Callable[..., Path], page: Path) -> None:
    said = call("run", page, config())
    assert said.code == 2
    assert f"{page} is no XML file; CONFIG comes first" in said.err


def test_serve_without_a_configuration(call: Call, tmp_path: Path) -> None:
    said = call("serve", "--base", tmp_path)
    assert said.code == 2
    assert f"there is no configuration {tmp_path}/config/config.xml" in said.err
    assert f"`dicomprinter init {tmp_path}`" in said.err
    assert "--config" in said.err
    assert not (tmp_path / "spool").exists()


def test_serve_on_a_spool_that_cannot_be_written(
    call: Call, config: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = tmp_path / "spool" / "jobs"
    may_not_write(jobs, monkeypatch)
    said = call("serve", "--base", tmp_path, "--config", config())
    assert said.code == 2
    assert f"the spool {tmp_path}/spool cannot be used; {jobs}: Permission denied" in said.err
    with pytest.raises(SpoolError, match="Permission denied"):
        Spool.open(tmp_path)
    monkeypatch.undo()
    Spool.open(tmp_path).close()


def test_init_where_nothing_can_be_made(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, **_: object) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    said = call("init", tmp_path / "x")
    assert said.code == 2
    assert f"{tmp_path}/x cannot be made; Permission denied; name a folder where you may write" in said.err


def test_an_output_dir_that_cannot_be_written_is_refused_before_the_start(
    call: Call, config: Callable[..., Path], page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_not_write(tmp_path, monkeypatch)
    said = call("run", config(), page, "--dry-run", "--output-dir", tmp_path / "deep" / "out")
    assert (said.code, said.out) == (2, "")
    assert f"--output-dir: {tmp_path} cannot be written" in said.err


def test_a_dry_run_says_that_nobody_is_asked(
    call: Call, config: Callable[..., Path], page: Path, tmp_path: Path
) -> None:
    file = config(104, QUERY, '<Perform action="Find"/><Perform action="Send"/>')
    arguments = ("run", file, page, "--set", "PatientID=1", "--dry-run", "--output-dir", tmp_path / "out")
    said = call(*arguments)
    assert said.code == 0
    assert "Find: would ask RIS@" in said.out
    assert "Find: a dry run asks nobody" in said.out
    assert "answers came" not in said.out
    assert "asks RIS" not in said.out
    told = [re.sub(r"^  [0-9:.]{12}  ", "", line) for line in said.out.splitlines()]
    assert len(set(told)) == len(told)
    assert [line for line in said.out.splitlines() if line.endswith("done")][-1] == "done"
    verbose = call(*arguments, "-v")
    assert (verbose.out + verbose.err).count("accepted from run: 1 page") == 1


def test_a_run_says_its_id_before_it_connects(
    call: Call, config: Callable[..., Path], page: Path, storage_scp: StorageScp
) -> None:
    said = call("run", config(storage_scp.port), page, "--json")
    assert said.err == f"job {said.json['job']}\n"
    said = call("run", config(storage_scp.port), page)
    assert said.out.startswith("job 20")
    assert said.out.count("job 20") == 1


def test_a_held_job_says_why_once(call: Call, config: Callable[..., Path], page: Path) -> None:
    said = call("run", config(closed_port()), page)
    assert said.code == 3
    assert [line for line in said.out.splitlines() if "held: " in line] == [
        line for line in said.out.splitlines() if line.startswith("held: ")
    ]


def test_a_refused_fallback_does_no_harm(
    call: Call, config: Callable[..., Path], running: Callable[[Any], Any]
) -> None:
    archive = running(StorageScp(syntaxes=["1.2.840.10008.1.2.1"]))
    said = call("echo", config(archive.port))
    assert "what is refused does no harm" in said.out


def test_the_wrong_value_of_a_match_has_an_example_and_names_its_tag_once(
    call: Call, tmp_path: Path, page: Path
) -> None:
    file = tmp_path / "config.xml"
    file.write_text(configuration('<Query name="Ask" type="Manual"/>', '<Perform action="Ask"/>'))
    job = call("run", file, page, "--base", tmp_path, "--json").json["job"]
    said = call("jobs", "match", job, "PatientBirthDate=12.8.64", "--base", tmp_path).err
    assert said.count("PatientBirthDate") == 1
    assert "12.8.64" in said
    assert "19640812" in said


def test_a_file_that_cannot_be_read_is_told_in_the_programs_own_words(
    call: Call, config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = config()

    def refuse(self: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(self))

    # Root may read everything.
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    said = call("check", file)
    assert said.code == 2
    assert said.err == (
        f"error: cannot read the configuration {file}; Permission denied; check the path and its rights\n"
    )
