"""Completion in shells, which waits for nothing of DICOM."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from dicomprinter.cli.main import commands
from dicomprinter.cli.standins import completion_text, stand_in
from tests.cli.conftest import Call
from tests.links import ROOT
from tests.peers import program
from tests.waiting import PATIENCE

_ASK = "import sys; import dicomprinter.cli.main as m\ntry: m.invoke([])\nfinally: print(*sys.modules, file=sys.stderr)"


def completed(line: str, *, code: str = "import dicomprinter.cli.main as m; m.invoke([])") -> tuple[list[str], str]:
    """What bash is offered for the last word of a line, and standard error."""
    environment = {
        **os.environ,
        "_DICOMPRINTER_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
    }
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return run.stdout.splitlines(), run.stderr


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("dicomprinter ch", ["plain,check"]),
        ("dicomprinter ex", ["plain,explain"]),
        ("dicomprinter check ", ["file,"]),
        ("dicomprinter check --st", ["plain,--strict"]),
        ("dicomprinter run config.xml page.png --set A=1 --dry", ["plain,--dry-run"]),
        ("dicomprinter run --base ", ["file,"]),
        ("dicomprinter explain --format ", ["plain,text", "plain,mermaid"]),
        ("dicomprinter jobs di", ["plain,discard"]),
        ("dicomprinter jobs show --ba", ["plain,--base"]),
        ("dicomprinter completion z", ["plain,zsh"]),
        ("dicomprinter --ver", ["plain,--version", "plain,--verbose"]),
    ],
)
def test_what_is_offered(line: str, offered: list[str]) -> None:
    assert completed(line) == (offered, "")


def test_a_word_that_is_no_command_is_nobody_s_error() -> None:
    assert "plain,--help" in completed("dicomprinter chekc --")[0]


@pytest.mark.parametrize("line", ["dicomprinter ", "dicomprinter run --", "dicomprinter jobs ", "dicomprinter echo "])
def test_completion_waits_for_nothing_of_dicom(line: str) -> None:
    offered, modules = completed(line, code=_ASK)
    assert offered
    loaded = set(modules.split())
    assert "dicomprinter.cli.main" in loaded
    assert not loaded & {"pydicom", "pynetdicom", "numpy", "rich", "lxml", "dicomprinter.program"}


def test_what_is_completed_is_what_the_commands_declare() -> None:
    written = (ROOT / "dicomprinter" / "cli" / "completion.json").read_text(encoding="utf-8")
    assert written == completion_text(commands), "run `make completion`"


@pytest.mark.parametrize("name", commands.list_commands(click.Context(commands)))
def test_a_stand_in_takes_what_the_command_takes(name: str) -> None:
    stands, real = stand_in(name), commands.get_command(click.Context(commands), name)
    assert stands is not None
    assert real is not None
    shape = [(type(one), one.opts, one.nargs, one.multiple) for one in stands.params]
    assert shape == [(type(one), one.opts, one.nargs, one.multiple) for one in real.params]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(shell: str, call: Call) -> None:
    said = call("completion", shell)
    assert said.code == 0
    assert "_DICOMPRINTER_COMPLETE" in said.out
    assert f"{shell}_complete" in said.out


def test_an_unknown_shell(call: Call) -> None:
    said = call("completion", "powershell")
    assert said.code == 2
    assert "Traceback" not in said.err


def test_bash_takes_the_script(call: Call, tmp_path: Path) -> None:
    """The script is read by a real bash, which then asks the program as the Tab key would."""
    script = tmp_path / "script"
    script.write_text(call("completion", "bash").out)
    (tmp_path / "dicomprinter").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dicomprinter "$@"\n')
    (tmp_path / "dicomprinter").chmod(0o755)
    asked = (
        f'source "{script}"; COMP_WORDS=(dicomprinter jobs res); COMP_CWORD=2; '
        '_dicomprinter_completion dicomprinter; echo "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run = subprocess.run([program("bash"), "-c", asked], env=environment, capture_output=True, text=True, check=False)
    assert "resume" in run.stdout.split(), run.stderr
