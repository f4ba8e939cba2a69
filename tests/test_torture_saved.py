"""The books of what is saved tell what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dicom.forwarding import made
from tests.system.help import House, grey, tiff
from torture.archive import of_pixels
from torture.saved import saved_faults, unreadable
from torture.scene import Drop

SAVE = '<Save name="Keep"><Directory>archive</Directory></Save>'


def drop(count: int) -> Drop:
    shown = frozenset(of_pixels(grey(number)) for number in range(1, count + 1))
    return Drop("saved", "saved-0001", {}, {}, "done", shown)


@pytest.fixture
def folder(tmp_path: Path, decoder: object) -> Path:
    """A base directory into whose archive three pages were saved."""
    with House(tmp_path / "base", decoder) as house:  # type: ignore[arg-type] # the fixture's own type
        house.run(house.program(SAVE, '<Perform action="Keep"/>'), house.job(tiff(3)))
    assert list(saved_faults(tmp_path / "base", [drop(3)])) == []
    assert unreadable(tmp_path / "base") == []
    return tmp_path / "base"


def test_a_page_that_is_missing_or_there_twice(folder: Path) -> None:
    assert list(saved_faults(folder, [drop(4)])) == ["an object was not saved, 1 times"]
    assert list(saved_faults(folder, [drop(2)])) == ["an object was saved 1 times"]


def test_a_gap_and_a_file_left_half_written(folder: Path) -> None:
    (folder / "archive/DP_00002").rename(folder / "archive/DP_00004")
    assert "a gap in its numbers" in next(saved_faults(folder, [drop(3)]))
    (folder / "archive/DP_00004").rename(folder / "archive/.DP_00002.part")
    assert "other names" in next(saved_faults(folder, [drop(3)]))


def test_what_the_directory_does_not_list(folder: Path) -> None:
    made(folder / "archive/DP_00004", grey(4)[None])
    assert next(saved_faults(folder, [drop(4)])).startswith("the DICOMDIR lists")
    (folder / "archive/DICOMDIR").unlink()
    assert list(saved_faults(folder, [drop(4)])) == ["there is no DICOMDIR"]


def test_what_a_kill_has_torn(folder: Path) -> None:
    file = folder / "archive/DICOMDIR"
    file.write_bytes(file.read_bytes()[:-60])
    assert [text[:36] for text in unreadable(folder)] == ["after a kill DICOMDIR cannot be read"]
