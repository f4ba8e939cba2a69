from __future__ import annotations

import logging
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dicomprinter.config.sections import General
from dicomprinter.errors import SpoolError
from dicomprinter.job.folder import JobFolder
from dicomprinter.service.logs import SUCCESS, LineFormatter, Logs

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


def test_the_log_is_its_owners_alone_and_is_rotated(tmp_path: Path) -> None:
    folder = tmp_path / "base" / "log"
    with Logs.open(folder, screen=False) as logs:
        logs.adopt(General(log_size=1000, log_count=3))
        for number in range(100):
            LOG.info("event %d of several", number)
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["dicomprinter.log", "dicomprinter.log.1", "dicomprinter.log.2"]
    assert all((folder / name).stat().st_size <= 1000 for name in names)
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in names} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "event 99" in lines(folder)[-1]


def test_the_default_size_and_count_are_those_of_general(tmp_path: Path) -> None:
    with Logs.open(tmp_path, screen=False) as logs:
        assert logs.file is not None
        assert (logs.file.maxBytes, logs.file.backupCount) == (General().log_size, General().log_count - 1)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    with pytest.raises(SpoolError, match="choose another --log-dir") as caught:
        Logs.open(tmp_path / "log", screen=False)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("redact", [True, False])
def test_an_exception_tells_where_and_its_text_only_without_redaction(tmp_path: Path, redact: bool) -> None:
    with Logs.open(tmp_path, screen=False) as logs:
        logs.adopt(General(redact=redact))
        name = "Muster"
        try:
            raise ValueError(f"{name}^Erika")
        except ValueError:
            LOG.exception("a fault")
    text = "\n".join(lines(tmp_path))
    assert "test_an_exception_tells_where" in text
    assert "ValueError" in text
    assert ("Muster^Erika" in text) is not redact


def test_what_is_private_stays_in_the_jobs_history(tmp_path: Path) -> None:
    folder = JobFolder.create(tmp_path / "job")
    with Logs.open(tmp_path, screen=False):
        folder.note("1", "the archive answered A700", level="WARN", private="Muster^Erika", value="Muster")
    assert "Muster" in (tmp_path / "job" / "history.jsonl").read_text()
    assert "A700" in lines(tmp_path)[0]
    assert "Muster" not in lines(tmp_path)[0]


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
    logging.getLogger("pynetdicom").warning("heard")
"""


def test_pydicoms_warnings_are_heard_nowhere(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", _LOUD, tmp_path], capture_output=True, text=True, check=True)
    assert "Muster" not in "\n".join(lines(tmp_path)) + ended.stderr + ended.stdout
    (line,) = ended.stderr.splitlines()
    assert line.endswith("WARN    -  heard")


def test_a_library_without_a_job_has_a_line_like_all() -> None:
    record = logging.LogRecord("x", 35, "", 0, "m", None, None)
    assert LineFormatter().format(record).endswith("Level 35 -  m")
