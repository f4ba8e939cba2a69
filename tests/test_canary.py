"""The canary itself: it sees a leak wherever it is, and takes nothing else for one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import Facts
from tests.canary import CANARY, MARKER, Canary, LeakError, leaks

NAME = CANARY["PatientName"]


@pytest.mark.parametrize(
    "text",
    [
        "of Kanarienvogel^Käthe",
        "of KANARIENVOGEL^KÄTHE",
        "Kanarienvogel Käthe",
        r"Kanarienvogel^K\u00e4the",
        r"Kanarienvogel^K\xe4the",
        r"b'Kanarienvogel^K\xc3\xa4the'",
        "Kanarienvogel%5EK%C3%A4the",
        "Kanarienvogel^K%C3%A4the",
        "Kanarienvogel^KÃ¤the",
        b"Kanarienvogel^K\xe4the".decode("utf-8", "surrogateescape"),
    ],
)
def test_a_value_is_found_however_it_is_written(text: str) -> None:
    assert NAME in leaks(f"2026-01-31 09:15:02.123 INFO    -  {text}", [NAME])


def test_names_and_uids_are_found_that_nobody_has_listed() -> None:
    assert leaks("Maier^Anna has 2.25.123456789012 and 1.2.276.0.7.4711.1", []) == [
        "Maier^Anna",
        "2.25.123456789012",
        "1.2.276.0.7.4711.1",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21 06:52:28.471 INFO    20260131T091502471100-4711ab  stored by PACS@127.0.0.1:4711",
        "SOP class 1.2.840.10008.5.1.4.1.1.7 with 0000",
        "PatientID (0010,0020) = ****",
        "10.0.0.1 a^b",
    ],
)
def test_what_a_log_holds_by_itself_is_no_leak(text: str) -> None:
    assert leaks(text, ["4711"]) == []


Look = Callable[[], None]


@pytest.fixture
def canary(request: pytest.FixtureRequest, tmp_path: Path) -> Look:
    """Looks at this test, as it is looked at in its end."""
    plugin = request.config.pluginmanager.get_plugin("canary")
    assert isinstance(plugin, Canary)
    return lambda: plugin.look(tmp_path)


@pytest.mark.unredacted
@pytest.mark.parametrize("name", ["log/dicomprinter.log", "dicomprinter.log.3", "spool/ledger.1.jsonl", "screen.log"])
def test_a_leak_in_a_file_is_seen(tmp_path: Path, canary: Look, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("20260131T091502471100-4711ab  a message", "utf-8")
    canary()
    file.write_text("20260131T091502471100-4711ab  of CANARY-4711", "utf-8")
    with pytest.raises(LeakError, match="CANARY-4711"):
        canary()


@pytest.mark.unredacted
@pytest.mark.parametrize("logger", ["dicomprinter.x", "dicomprinter"])
def test_a_leak_in_an_event_is_seen(canary: Look, logger: str) -> None:
    logging.getLogger(logger).debug("x", extra={"private": NAME, "details": {"name": NAME}})
    canary()
    logging.getLogger(logger).debug("of %s", NAME)
    with pytest.raises(LeakError, match="the events: Kan"):
        canary()


@pytest.mark.unredacted
def test_a_value_of_a_tests_own_job_is_seen(tmp_path: Path, canary: Look) -> None:
    now = datetime.now().astimezone()
    job = Job("1", Facts("spirometry", "", "", "", now, now), JobFolder.create(tmp_path / "1"))
    job.dataset.PatientID = "B-0815-X"
    job.folder.save(job)
    job.note("nothing", private="B-0815-X")
    canary()
    for value in ("spirometry", "B-0815-X"):
        job.note(f"of {value}")
        with pytest.raises(LeakError, match=value):
            canary()


def test_the_marker_is_known(request: pytest.FixtureRequest) -> None:
    assert any(line.startswith(f"{MARKER}:") for line in request.config.getini("markers"))
