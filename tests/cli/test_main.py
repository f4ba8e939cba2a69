"""The frame around the commands: version, help, and how errors are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dicomprinter import __version__
from dicomprinter.cli import check, main
from tests.cli.conftest import Call

_QUICK = 'import sys; import dicomprinter.cli.main as m; m.invoke([sys.argv[1]]); print(*sys.modules, sep="\\n")'


def test_the_version(call: Call) -> None:
    said = call("--version")
    assert (said.code, said.out) == (0, f"dicomprinter, version {__version__}\n")


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_wait_for_nothing_of_dicom(option: str) -> None:
    run = subprocess.run([sys.executable, "-c", _QUICK, option], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.splitlines())
    assert "dicomprinter.cli.main" in loaded
    assert not loaded & {"pydicom", "numpy", "rich", "lxml", "dicomprinter.program"}


def test_the_help_names_every_command(call: Call) -> None:
    said = call("--help").out
    names = ("init", "check", "explain", "echo", "run", "serve", "jobs", "status", "service", "demo", "completion")
    assert all(f"\n  {name} " in said for name in names)


@pytest.mark.parametrize(
    "command",
    [("init",), ("check",), ("explain",), ("echo",), ("run",), ("serve",), ("jobs", "list"), ("status",), ("demo",)],
)
def test_every_command_has_a_help(call: Call, command: tuple[str, ...]) -> None:
    said = call(*command, "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: dicomprinter {' '.join(command)}")


def test_the_module_is_the_program() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "dicomprinter", "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"dicomprinter, version {__version__}\n"


def test_an_unknown_command_is_told_without_a_traceback(call: Call) -> None:
    said = call("chekc")
    assert said.code == 2
    assert said.err.startswith("error: No such command 'chekc'")
    assert said.out == ""


@pytest.mark.parametrize(("wrong", "near"), [("chek", "check"), ("server", "serve"), ("job", "jobs")])
def test_a_command_that_is_nearly_one(call: Call, wrong: str, near: str) -> None:
    said = call(wrong)
    assert said.code == 2
    assert said.err == f"error: No such command '{wrong}'; did you mean \"{near}\"?\n"


@pytest.mark.parametrize("command", [(), ("jobs",)])
def test_without_a_command_the_help_is_shown(call: Call, command: tuple[str, ...]) -> None:
    said = call(*command)
    assert (said.code, said.out) == (2, "")
    assert said.err == call(*command, "--help").out


def test_a_wrong_use_with_json_is_one_object(call: Call) -> None:
    said = call("run", "--json")
    assert said.code == 2
    assert said.json == {"error": "Missing argument 'CONFIG'.", "problems": []}


def test_a_fault_of_the_program_says_what_to_report_and_shows_where_with_verbose(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the value")

    monkeypatch.setattr(check, "load", broken)
    said = call("check", "x.xml")
    assert said.code == 1
    assert (
        said.err == "error: a fault of the program (ZeroDivisionError); run it again with -v and report what it says\n"
    )
    for arguments in (("-v", "check", "x.xml"), ("check", "-v", "x.xml")):
        said = call(*arguments)
        assert said.code == 1
        assert "Traceback" in said.err
        assert "in broken" in said.err


def test_a_system_error_names_the_file(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "a/file")

    monkeypatch.setattr(check, "load", full)
    said = call("check", "x.xml")
    assert (said.code, said.err) == (2, "error: a/file: No space left on device\n")


def test_an_interruption_is_130(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(check, "load", interrupted)
    assert call("check", "x.xml").code == main.INTERRUPTED == 130


def test_what_is_told_cannot_command_the_terminal(call: Call, tmp_path: Path) -> None:
    said = call("check", tmp_path / "\x1b[2Jx\udce4.xml")
    assert said.code == 2
    assert "?[2Jx\\udce4.xml" in said.err
    assert "\x1b" not in said.err
