"""A job's files as a bad disk or a curious hand may leave them: the job is told to be damaged, whatever is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dicomprinter.engine.spool import Spool
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.glance import glance
from dicomprinter.job.parts import Position
from dicomprinter.job.record import DamagedJobError

from .help import new_job

DEEP = 100_000
Change = Callable[[dict[str, Any]], object]


def changed(spool: Spool, change: Change) -> JobFolder:
    job = new_job(spool, PatientID="4711")
    job.enter(Position("0", "Perform Mark"))
    job.folder.save(job, secure=True)
    file = job.folder.path / "job.json"
    data = json.loads(file.read_text("utf-8"))
    change(data)
    file.write_text(json.dumps(data), encoding="utf-8")
    return JobFolder(job.folder.path)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["entries"][0].update(dataset=7),
        lambda data: data.update(dataset=7),
        lambda data: data.update(dataset=10**400),
        lambda data: data.update(dataset="1" * 5000),
        lambda data: data["facts"].update(name=None),
        lambda data: data["facts"].update(options={"a": 1}),
        lambda data: data["facts"].update(created="2026-01-31T09:15:02"),
        lambda data: data.update(wake_at="2026-01-31T09:15:02"),
        lambda data: data["position"].update(path=1),
        lambda data: data["flags"].update(existing_study=None),
        lambda data: data["flags"].update(updates=[1]),
        lambda data: data.update(retries={"0": float("inf")}),
        lambda data: data.update(match=[]),
        lambda data: data.update(serial=None),
        *(
            lambda data, name=name: data["payloads"][0].update(objects=[name])
            for name in ("/etc/passwd", "../x", "payload/../../x", "payload\\..\\x", "C:x", "payload/x\0", "", 1)
        ),
    ],
)
def test_a_value_that_cannot_be(spool: Spool, change: Change) -> None:
    folder = changed(spool, change)
    with pytest.raises(DamagedJobError, match="history") as caught:
        folder.load()
    assert "passwd" not in str(caught.value)


@pytest.mark.parametrize("vr", ["NaN", '"XX"', "[]", "7"])
def test_a_representation_that_is_none(spool: Spool, vr: str) -> None:
    """NaN is not even the same as itself: the dataset could not be told from a changed one."""
    element = f'"00081032": {{"vr": {vr}, "Value": []}}'
    folder = changed(spool, lambda data: data.update(match={}))
    assert folder.load().match is not None
    for part in (element, f'"00081032": {{"vr": "SQ", "Value": [{{{element}}}]}}'):
        folder = changed(spool, lambda data, part=part: data.update(match=json.loads(f"{{{part}}}")))
        with pytest.raises(DamagedJobError):
            folder.load()
        folder = changed(spool, lambda _: None)
        (folder.path / "datasets" / "1.json").write_text(f"{{{part}}}", encoding="utf-8")
        with pytest.raises(DamagedJobError):
            folder.load()


def test_a_value_that_could_not_be_kept_again(spool: Spool) -> None:
    folder = changed(spool, lambda _: None)
    name = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "\\"}]}}
    (folder.path / "datasets" / "1.json").write_text(json.dumps(name), encoding="utf-8")
    with pytest.raises(DamagedJobError):
        folder.load()


@pytest.mark.parametrize("name", ["job.json", "datasets/1.json"])
def test_json_nested_without_end(spool: Spool, name: str) -> None:
    folder = changed(spool, lambda _: None)
    (folder.path / name).write_bytes(b"[" * DEEP)
    with pytest.raises(DamagedJobError):
        folder.load()
    if name == "job.json":
        with pytest.raises(DamagedJobError):
            glance(folder.path)


def test_other_files_nested_without_end_count_as_torn(spool: Spool) -> None:
    folder = changed(spool, lambda _: None)
    for name in ("steps.jsonl", "sent.jsonl", "history.jsonl", "command.json", "arrival.json"):
        (folder.path / name).write_bytes(b'{"a":' * DEEP)
    assert folder.load().dataset.PatientID == "4711"
    assert folder.read_sent() == folder.history() == []
    assert folder.read_command() == {}
    with pytest.raises(ValueError, match="deep"):
        folder.arrival()


def test_an_arrival_that_leads_elsewhere_moves_nothing(spool: Spool) -> None:
    folder = changed(spool, lambda _: None)
    arrival = {"payload": {"pages": [], "documents": ["../../x"], "texts": [], "objects": []}}
    (folder.path / "arrival.json").write_text(json.dumps(arrival), encoding="utf-8")
    with pytest.raises((LookupError, ValueError)):
        folder.read_arrival()
