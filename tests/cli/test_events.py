"""`dicomprinter events`: what people have been told, and what they are told now."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dicomprinter.engine.events import Events
from dicomprinter.engine.spool_view import SpoolView
from tests.cli.conftest import Call


def event(number: int) -> dict[str, str]:
    time = f"2026-03-15T10:30:0{number}"
    return {"time": time, "job": "J", "action": "Tell", "message": "%1", "private": f"Doe\a{number}"}


@pytest.fixture
def events(tmp_path: Path) -> Events:
    (tmp_path / "spool").mkdir()
    return Events(SpoolView(tmp_path).events_file)


def test_the_newest_are_shown(call: Call, tmp_path: Path, events: Events) -> None:
    base = ("--base", str(tmp_path))
    assert call("events", *base).out == ""
    for number in range(3):
        events.add(event(number))
    assert call("events", *base, "--last", "1").out == "2026-03-15T10:30:02 J Tell: Doe?2\n"
    assert [json.loads(line) for line in call("events", *base, "--json").out.splitlines()] == [*map(event, range(3))]


def test_what_comes_is_shown_when_it_comes(tmp_path: Path, events: Events) -> None:
    events.add(event(0))
    command = [sys.executable, "-m", "dicomprinter", "events", "--base", str(tmp_path), "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("2026-03-15T10:30:00")
            events.add(event(1))
            assert process.stdout.readline().startswith("2026-03-15T10:30:01")
        finally:
            process.kill()
