"""The tutorial, block by block in one shell, as it stands: against a real Orthanc on ports of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fences import Block, blocks
from tests.links import ROOT
from tests.peers import program
from tests.scp import closed_port
from tests.waiting import PATIENCE

PAGE = ROOT / "docs" / "tutorial.md"
# What this machine has already.
INSTALLED = "once, as root"
OUTPUT = "what it says"
# The only things that are replaced: the tutorial's ports.
PORTS = ("4242", "4243", "8042")
SECONDS = 10 * PATIENCE
_MARK = "=== block "


def steps() -> Iterator[tuple[Block, Block | None]]:
    """Each block of commands, with what it is to say when the page shows that."""
    every = blocks(PAGE)
    for block, following in zip(every, [*every[1:], None], strict=True):
        if block.language == "sh" and block.title != INSTALLED:
            yield block, following if following is not None and following.title == OUTPUT else None


def script(ports: dict[str, str]) -> str:
    """One shell for all, which stops at the first command that fails."""
    parts = ["set -e"]
    for number, (block, _) in enumerate(steps()):
        parts += [f"echo '{_MARK}{number}'", block.text]
    text = "\n".join(parts)
    for shown, free in ports.items():
        text = re.sub(rf"\b{shown}\b", free, text)
    return text


def is_said(shown: str, said: str) -> bool:
    """Whether the lines shown come in this order; `…` stands for anything."""
    lines = iter(said.splitlines())
    for line in filter(None, map(str.strip, shown.splitlines())):
        pattern = re.compile(".*?".join(re.escape(part) for part in re.split("…", line)))
        if not any(pattern.fullmatch(other.strip()) for other in lines):
            return False
    return True


@pytest.mark.peer("Orthanc", "dump2dcm", "dcmdump", "curl")
def test_every_command_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    ours = tools / "dicomprinter"
    ours.write_text(f'#!/bin/sh\nexec {sys.executable} -m dicomprinter "$@"\n')
    ours.chmod(0o755)
    ports = {shown: str(closed_port()) for shown in PORTS}
    folders = [str(tools), *dict.fromkeys(str(Path(program(name)).parent) for name in ("Orthanc", "dcmdump")), "/bin"]
    environment = {"HOME": str(tmp_path), "PATH": os.pathsep.join(folders), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    log = tmp_path / "said"
    with log.open("wb") as output:
        shell = subprocess.Popen(
            ["/bin/bash", "-c", script(ports)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
            env=environment,
            start_new_session=True,
        )
        try:
            code = shell.wait(SECONDS)
        finally:
            # What is left when it fails half way: an Orthanc and a service, in a session of their own.
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    said = log.read_text("utf-8", errors="replace")
    for free, shown in ((free, shown) for shown, free in ports.items()):
        said = re.sub(rf"\b{free}\b", shown, said)
    assert code == 0, said
    by_block = said.split(_MARK)[1:]
    for (block, expected), text in zip(steps(), by_block, strict=True):
        if expected is not None:
            assert is_said(expected.text, text), f"{block} says otherwise than {expected} shows:\n{text}"


def test_what_is_shown_is_compared() -> None:
    assert is_said("job …\ndone\n", "job 20260131T09-a1\n  a line more\ndone\n")
    assert not is_said("done\njob …\n", "job 20260131T09-a1\ndone\n")
    assert not is_said("held: …", "done")
