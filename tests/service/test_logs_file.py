from __future__ import annotations

import errno
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dicomprinter.config.sections import General
from dicomprinter.service.log_file import LogFile
from dicomprinter.service.logs import Logs
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("libraries_as_before")

LOG = logging.getLogger("dicomprinter.test")


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))


def content(folder: Path) -> str:
    """Of all files, the oldest first."""
    files = sorted(folder.glob("dicomprinter.log*"), key=lambda file: -int(file.suffix[1:].replace("log", "0")))
    return "".join(file.read_text("utf-8") for file in files)


def test_the_log_is_its_owners_alone_and_is_rotated(tmp_path: Path) -> None:
    folder = tmp_path / "base" / "log"
    with Logs.open(folder, screen=False) as logs:
        logs.adopt(General(log_size=1000, log_count=3))
        for number in range(100):
            LOG.info("event %d of several", number)
    assert names(folder) == ["dicomprinter.log", "dicomprinter.log.1", "dicomprinter.log.2"]
    assert all((folder / name).stat().st_size <= 1000 for name in names(folder))
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # The newest files, without a gap and in order.
    numbers = [int(line.split("event ")[1].split()[0]) for line in content(folder).splitlines()]
    assert numbers == list(range(numbers[0], 100))
    assert len(numbers) > 30


def test_the_default_size_and_count_are_those_of_general(tmp_path: Path) -> None:
    with Logs.open(tmp_path, screen=False) as logs:
        assert logs.file is not None
        assert logs.file.limits == (General().log_size, General().log_count) == (50 << 20, 10)


def test_a_smaller_count_takes_the_files_beyond_it_away_at_once(tmp_path: Path) -> None:
    with Logs.open(tmp_path, screen=False) as logs:
        logs.adopt(General(log_size=100, log_count=6))
        for number in range(20):
            LOG.info("event %d", number)
        (tmp_path / "dicomprinter.log.old").write_text("somebody's own")
        assert len(names(tmp_path)) == 7
        logs.adopt(General(log_size=10_000, log_count=2))
        kept = ["dicomprinter.log", "dicomprinter.log.1", "dicomprinter.log.old"]
        assert names(tmp_path) == kept
        for number in range(20):
            LOG.info("event %d", number)
        assert names(tmp_path) == kept
        assert (tmp_path / "dicomprinter.log").stat().st_size > 800


def test_a_line_longer_than_the_file_is_written_all_the_same(tmp_path: Path) -> None:
    with Logs.open(tmp_path, screen=False) as logs:
        logs.adopt(General(log_size=100, log_count=3))
        for _ in range(3):
            LOG.info("x" * 500)
    assert content(tmp_path).count("x" * 500) == 3


def test_a_file_that_logrotate_has_renamed_is_let_go(tmp_path: Path) -> None:
    with Logs.open(tmp_path, screen=False):
        LOG.info("one")
        (tmp_path / "dicomprinter.log").rename(tmp_path / "taken")
        LOG.info("two")
        (tmp_path / "dicomprinter.log").unlink()
        LOG.info("three")
    assert (tmp_path / "taken").read_text("utf-8").endswith("one\n")
    assert (tmp_path / "dicomprinter.log").read_text("utf-8").endswith("three\n")
    assert "two" not in (tmp_path / "dicomprinter.log").read_text("utf-8")


_WRITER = """
import logging, pathlib, sys
from dicomprinter.config.sections import General
from dicomprinter.service.logs import Logs
folder, name, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Logs.open(folder, screen=False) as logs:
    logs.adopt(General(log_size=3000, log_count=500))
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(count):
        logging.getLogger("dicomprinter.x").info("%s %d", name, number)
"""


def test_several_processes_share_it_and_lose_nothing(tmp_path: Path) -> None:
    count = 300
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, tmp_path, name, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "abc"
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        with writer:
            assert writer.wait(PATIENCE) == 0
    lines = content(tmp_path).splitlines()
    assert sorted(line.split("  ")[-1] for line in lines) == sorted(f"{n} {i}" for n in "abc" for i in range(count))
    # A file that another process had open meanwhile may be a line or two longer.
    assert len(names(tmp_path)) > 10
    assert all((tmp_path / name).stat().st_size <= 3500 for name in names(tmp_path))


def test_a_full_disk_stops_nobody_and_what_it_cost_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def cut(descriptor: int, data: bytes) -> int:
        return real(descriptor, data[:10])

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Logs.open(tmp_path, screen=False):
        LOG.info("before")
        monkeypatch.setattr(os, "write", cut)
        LOG.info("half")
        monkeypatch.setattr(os, "write", full)
        LOG.info("nothing")
        monkeypatch.setattr(os, "write", real)
        LOG.info("after")
    before, half, lost, after = (tmp_path / "dicomprinter.log").read_text("utf-8").splitlines()
    assert before.endswith("before")
    assert len(half) == 10
    assert "ERROR   -  2 events could not be written to this file" in lost
    assert after.endswith("after")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_a_full_device_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "dicomprinter.log").symlink_to("/dev/full")
    with Logs.open(tmp_path, screen=False) as logs:
        LOG.info("nowhere")
        assert isinstance(logs.file, LogFile)
        assert logs.file._lost == 1


def test_a_file_that_cannot_be_renamed_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    with Logs.open(tmp_path, screen=False) as logs:
        logs.adopt(General(log_size=100, log_count=3))
        monkeypatch.setattr(Path, "replace", refuse)
        for number in range(10):
            LOG.info("event %d", number)
    assert names(tmp_path) == ["dicomprinter.log"]
    assert len(content(tmp_path).splitlines()) == 10


def test_the_folder_may_go_and_come_again(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    with Logs.open(folder, screen=False):
        folder.rename(tmp_path / "gone")
        LOG.info("lost")
        folder.mkdir()
        LOG.info("told")
    lost, told = (folder / "dicomprinter.log").read_text("utf-8").splitlines()
    assert "1 events could not be written" in lost
    assert told.endswith("told")
