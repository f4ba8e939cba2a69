"""Hints of which way up pages are, dropped beside their file, late, or alone."""

from __future__ import annotations

import json

import pytest

from dicomprinter.intake import incoming as module
from tests.intake.test_incoming import SIDECAR, Drop


@pytest.fixture
def drop(tmp_path, decoder):
    opened = Drop(tmp_path, decoder)
    yield opened
    opened.spool.close()


HINTS = json.dumps({"version": 1, "pages": {}})


@pytest.mark.parametrize("name", ["x.png.orientation.json", "x.orientation.json"])
def test_hints_go_with_their_file(drop, name):
    drop.put(name, HINTS)
    drop.put("x.png.json", SIDECAR)
    assert drop.look() is False
    assert drop.jobs == []
    drop.put("x.png")
    drop.look()
    (job,) = drop.jobs
    assert job.folder.read_hints(1000) == HINTS.encode()
    assert [page.file for page in job.payload.pages] == ["payload/0001.png"]
    assert job.dataset.PatientID == "4711"
    assert drop.left() == []


def test_hints_that_are_being_written_are_waited_for(drop):
    drop.put("x.png.orientation.json", HINTS, closed=False)
    drop.put("x.png")
    assert drop.look() is True
    assert drop.jobs == []


def test_hints_that_come_late_are_for_no_other_file(drop):
    drop.put("x.png")
    drop.look()
    drop.put("x.png.orientation.json", HINTS)
    drop.look()
    assert drop.rejected()[0] == ["x.png.orientation.json"]
    assert "came after its file was taken" in drop.reason()
    # The next one of that name has its own.
    drop.put("x.png.orientation.json", HINTS)
    drop.put("x.png")
    drop.look()
    assert [job.folder.read_hints(1000) for job in drop.jobs] == [None, HINTS.encode()]


def test_hints_with_which_files_of_one_name_come_again_and_again(drop):
    for _ in range(3):
        drop.put("x.png.orientation.json", HINTS)
        drop.look()
        drop.put("x.png")
        drop.look()
    assert [job.folder.read_hints(1000) for job in drop.jobs] == [HINTS.encode()] * 3


def test_hints_that_lie_alone_are_put_away(drop, monkeypatch):
    monkeypatch.setattr(module, "_ALONE_SECONDS", 0.0)
    drop.put("x.orientation.json", HINTS)
    drop.look()
    assert drop.rejected()[0] == ["x.orientation.json"]
