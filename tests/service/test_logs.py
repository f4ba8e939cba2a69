from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest

from dicomprinter.config.sections import General
from dicomprinter.errors import MASK, DicomPrinterError, Private, SpoolError
from dicomprinter.job.folder import JobFolder
from dicomprinter.service.log_event import SUCCESS
from dicomprinter.service.log_faults import faults_to_log
from dicomprinter.service.logs import Logs

pytestmark = pytest.mark.usefixtures("libraries_as_before")

LOG = logging.getLogger("dicomprinter.test")


def lines(folder: Path) -> list[str]:
    return (folder / "dicomprinter.log").read_text("utf-8").splitlines()


def test_one_line_an_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Logs.open(tmp_path / "log", screen=True):
        LOG.info("a\nforged %s", "line", extra={"job": "20260131T1-a"})
        LOG.log(SUCCESS, "stored")
        LOG.debug("not told")
        for level in (logging.WARNING, logging.ERROR, logging.CRITICAL):
            LOG.log(level, "x")
    first, *others = lines(tmp_path / "log")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO    20260131T1-a  a \| forged line", first)
    assert [line[24:] for line in others] == ["SUCCESS -  stored", "WARN    -  x", "ERROR   -  x", "FATAL   -  x"]
    assert capsys.readouterr().err.splitlines() == lines(tmp_path / "log")


def test_verbose_tells_debug(tmp_path: Path) -> None:
    with Logs.open(tmp_path, screen=False, verbose=True):
        LOG.debug("told")
    assert lines(tmp_path)[0].endswith("DEBUG   -  told")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    with pytest.raises(SpoolError, match="choose another --log-dir") as caught:
        Logs.open(tmp_path / "log", screen=False)
    assert caught.value.exit_code == 2


def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    logs = Logs.open(tmp_path, screen=False)
    assert logs.file is not None
    logs.close()
    logs.file.emit(logging.LogRecord("dicomprinter", 20, "", 0, "late", None, None))
    assert lines(tmp_path) == []


# How deep


def told_at(folder: Path, verbosity: int) -> list[str]:
    with Logs.open(folder, screen=False) as logs:
        logs.adopt(General(verbosity=verbosity))
        for depth in (1, 2, 3, 35):
            LOG.info("work", extra={"depth": depth})
            LOG.warning("warning", extra={"depth": depth})
        LOG.error("error", extra={"depth": 35})
    return [line[24:].split("-  ", 1)[1] for line in lines(folder)]


def test_nested_work_is_indented(tmp_path: Path) -> None:
    told = told_at(tmp_path, 35)
    assert [len(line) - len(line.lstrip()) for line in told] == [0, 0, 2, 2, 4, 4, 68, 68, 68]


@pytest.mark.parametrize(("verbosity", "told"), [(1, 2), (2, 4), (3, 6), (34, 6), (35, 8)])
def test_what_is_deeper_than_verbosity_is_left_out_but_for_errors(tmp_path: Path, verbosity: int, told: int) -> None:
    found = told_at(tmp_path, verbosity)
    assert len(found) == told + 1
    assert found[-1].strip() == "error"


def test_verbosity_counts_on_the_screen_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told_at(tmp_path, 1)
    with Logs.open(None, screen=True) as logs:
        logs.adopt(General(verbosity=2))
        LOG.info("shown", extra={"depth": 2})
        LOG.info("deep", extra={"depth": 3})
    assert [line[-5:] for line in capsys.readouterr().err.splitlines()] == ["shown"]


def test_a_depth_that_is_none_is_the_first(tmp_path: Path) -> None:
    with Logs.open(tmp_path, screen=False) as logs:
        logs.adopt(General(verbosity=1))
        for depth in (None, "x", -3, 0):
            LOG.info("told", extra={"depth": depth})
    assert [line[24:] for line in lines(tmp_path)] == ["INFO    -  told"] * 4


# What is private


def noted(folder: Path, private: str, *, redact: bool) -> str:
    job = JobFolder.create(folder / "job")
    with Logs.open(folder, screen=False) as logs:
        logs.adopt(General(redact=redact))
        job.note("1", "the archive answered A700", level="WARN", private=private, value="Vogel")
    assert private in (folder / "job" / "history.jsonl").read_text("utf-8")
    (line,) = lines(folder)
    return line.partition("1  ")[2]


@pytest.mark.parametrize(
    ("private", "shown"),
    [
        ("", ""),
        ("Vogel", f" ({MASK})"),
        (Private("PatientID=Vogel", "PatientID=****"), " (PatientID=****)"),
        (Private.fill("compared with {}", "Vogel"), " (compared with ****)"),
        (Private.joined("; ", ["Vogel", Private.fill("ID {}", "Vogel")]), " (****; ID ****)"),
        # What is only a text after all is a value from end to end.
        ("by " + Private.fill("{}", "Vogel"), f" ({MASK})"),
    ],
)
def test_a_mask_stands_where_a_value_was(tmp_path: Path, private: str, shown: str) -> None:
    assert noted(tmp_path, private, redact=True) == f"the archive answered A700{shown}"


@pytest.mark.unredacted
@pytest.mark.parametrize("private", ["Vogel", Private.fill("compared with {}", "Vogel")])
def test_without_redaction_the_log_shows_the_value(tmp_path: Path, private: str) -> None:
    assert noted(tmp_path, private, redact=False) == f"the archive answered A700 ({private})"


@pytest.mark.unredacted
def test_a_changed_configuration_counts_from_the_next_event_on(tmp_path: Path) -> None:
    with Logs.open(tmp_path, screen=False) as logs:
        for redact in (True, False, True):
            logs.adopt(General(redact=redact))
            LOG.info("x", extra={"private": "Vogel"})
    assert [line.partition("x ")[2] for line in lines(tmp_path)] == ["(****)", "(Vogel)", "(****)"]


def fail() -> None:
    name = "Vogel"
    try:
        raise KeyError(name)
    except KeyError as error:
        raise ValueError(f"{name}^Erika\n2026-01-31 a forged event") from error


@pytest.mark.unredacted
@pytest.mark.parametrize("redact", [True, False])
def test_an_exception_tells_where_and_its_text_only_without_redaction(tmp_path: Path, redact: bool) -> None:
    with Logs.open(tmp_path, screen=False) as logs:
        logs.adopt(General(redact=redact))
        try:
            fail()
        except ValueError:
            LOG.exception("a fault")
    text = "\n".join(lines(tmp_path))
    assert "in fail" in text
    assert "KeyError" in text
    assert "ValueError" in text
    assert ("Vogel^Erika" in text) is not redact
    # Neither does a line of source text tell it.
    assert ("Vogel" in text) is not redact
    assert all(line.startswith("    ") for line in lines(tmp_path)[1:])


def test_an_exception_without_a_text_has_nothing_to_hide(tmp_path: Path) -> None:
    with Logs.open(tmp_path, screen=False):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            LOG.exception("a fault")
    assert lines(tmp_path)[-1] == "    KeyboardInterrupt"


def test_a_message_that_cannot_be_made_is_told_without_its_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Logs.open(tmp_path, screen=True) as logs:
        for handler in (logs.file, logs.screen):
            assert handler is not None
            handler.handle(logging.LogRecord("dicomprinter.x", 20, "x.py", 1, "%d pages of %s", ("Vogel",), None))
    assert "whose text cannot be made" in lines(tmp_path)[0]
    assert "Vogel" not in lines(tmp_path)[0] + capsys.readouterr().err


def test_a_screen_that_is_gone_is_not_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    with Logs.open(None, screen=True) as logs:
        assert isinstance(logs.screen, logging.StreamHandler)
        stream, closed = logs.screen.stream, open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115, PTH123 - it is closed at once
        closed.close()
        logs.screen.stream = closed
        LOG.info("%s", "Vogel")
        logs.screen.stream = stream
    assert capsys.readouterr().err == ""


def test_a_thread_that_ends_by_a_fault_tells_where_in_the_log_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Logs.open(tmp_path, screen=False), faults_to_log():
        thread = threading.Thread(target=fail, name="helper")
        thread.start()
        thread.join()
    assert lines(tmp_path)[0].endswith("FATAL   -  the thread helper ended by a fault of the program")
    assert "in fail" in "\n".join(lines(tmp_path))
    assert "Vogel" not in "\n".join(lines(tmp_path)) + capsys.readouterr().err


def test_a_fault_of_the_service_itself_is_told_in_the_log_alone(tmp_path: Path) -> None:
    with (
        Logs.open(tmp_path, screen=False),
        pytest.raises(DicomPrinterError, match=r"a fault of the program \(ValueError\); report it") as caught,
        faults_to_log(),
    ):
        fail()
    assert lines(tmp_path)[0].endswith("FATAL   -  the service ends by a fault of the program")
    assert "Vogel" not in "\n".join([*lines(tmp_path), *traceback.format_exception(caught.value)])


@pytest.mark.parametrize("error", [SpoolError("in use"), PermissionError(13, "no right")])
def test_an_error_that_says_what_to_do_is_left_as_it_is(tmp_path: Path, error: Exception) -> None:
    with Logs.open(tmp_path, screen=False), pytest.raises(type(error)) as caught, faults_to_log():
        raise error
    assert caught.value is error
    assert lines(tmp_path) == []


_LOUD = """
import logging, pathlib, sys
from dicomprinter.service.logs import Logs
with Logs.open(pathlib.Path(sys.argv[1]), screen=True):
    from pydicom import Dataset
    dataset = Dataset()
    dataset.PatientID = "Muster" * 20
    dataset.StudyDate = "Muster"
    logging.getLogger("pydicom").error("Muster")
    logging.getLogger("pynetdicom").info("Muster")
    logging.getLogger("pynetdicom.acse").warning("Muster")
    logging.getLogger("watchdog").error("Muster")
"""


def test_of_a_librarys_warning_only_the_place_is_told(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", _LOUD, tmp_path], capture_output=True, text=True, check=True)
    assert "Muster" not in "\n".join(lines(tmp_path)) + ended.stderr + ended.stdout
    (line,) = ended.stderr.splitlines()
    assert line.endswith("WARN    -  pynetdicom.acse at <string>:11: ****")


@pytest.mark.unredacted
def test_without_redaction_a_librarys_warning_is_told(tmp_path: Path) -> None:
    with Logs.open(tmp_path, screen=False) as logs:
        logs.adopt(General(redact=False))
        logging.getLogger("somebody").warning("Muster %s", "Erika")
    assert lines(tmp_path)[0].endswith("WARN    -  Muster Erika")
