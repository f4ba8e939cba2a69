from __future__ import annotations

import os
from pathlib import Path

import pytest

from dicomprinter.service.config_watch import ConfigWatch


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config" / "config.xml"
    file.parent.mkdir()
    file.write_text("one")
    return file


@pytest.fixture
def watch(config: Path, tmp_path: Path) -> ConfigWatch:
    return ConfigWatch(config, tmp_path)


def rename_in(file: Path) -> None:
    """Another file of the same size and time, as an editor leaves it."""
    new, old = file.with_name("new"), file.stat()
    new.write_text("two")
    os.utime(new, ns=(old.st_atime_ns, old.st_mtime_ns))
    new.replace(file)


def write(file: Path) -> None:
    file.write_text("longer")


def touch(file: Path) -> None:
    os.utime(file, ns=(1, 1))


def remove(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("change", [rename_in, write, touch, remove])
def test_a_change_is_seen_once_when_it_stands_still(config: Path, watch: ConfigWatch, change: object) -> None:
    assert not watch.has_changed()
    change(config)  # type: ignore[operator]
    assert not watch.has_changed()
    assert watch.is_changing
    assert watch.has_changed()
    assert not watch.is_changing
    assert not watch.has_changed()


def test_a_file_that_is_being_written_does_not_count_yet(config: Path, watch: ConfigWatch) -> None:
    for size in range(1, 5):
        config.write_text("x" * 10 * size)
        assert not watch.has_changed()
    assert watch.has_changed()


@pytest.mark.parametrize("name", [".env", ".env.local", "config/.env", "config/.env.local"])
def test_the_files_of_variables_count(config: Path, watch: ConfigWatch, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("A=1")
    assert [watch.has_changed() for _ in range(3)] == [False, True, False]


def test_what_is_taken_is_known(config: Path, watch: ConfigWatch) -> None:
    config.write_text("longer")
    watch.take()
    assert [watch.has_changed() for _ in range(2)] == [False, False]
