"""A job's folder as a crash, a bad disk or a curious hand may leave it: one file of it is the input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st
from pydicom import Dataset

from dicomprinter.config.placeholders import Template
from dicomprinter.errors import PermanentError, SpoolError
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.glance import glance
from dicomprinter.job.job import Job, dataset_text
from dicomprinter.job.parts import Asked, Entry, Facts, Flags, Instance, PageRef, Payload, Position, Sent, State
from dicomprinter.job.record import DAMAGE, DamagedJobError
from fuzz.drawing import as_json, changed
from fuzz.files import Scratch
from fuzz.target import Target

_ID: Final = "20260131T091502123456-a1b2c3"
_FILES: Final = (
    "job.json",
    "steps.jsonl",
    "datasets/1.json",
    "arrival.json",
    "sent.jsonl",
    "history.jsonl",
    "command.json",
)
_NOW: Final = datetime(2026, 1, 31, 9, 15, 2, 123456, tzinfo=UTC)


def _made(folder: Path) -> Job:
    """A job with something in every part."""
    facts = Facts("x.pdf", "mmuster", "ws1", "incoming", _NOW, _NOW, 1, {"media": "A4"})
    place = JobFolder.create(folder)
    dataset = Dataset()
    dataset.PatientName, dataset.PatientID, dataset.PatientWeight, dataset.Rows = "Muster^Mia", "4711", "70.5", 5
    item = Dataset()
    item.CodeValue = "1"
    dataset.ProcedureCodeSequence = [item]
    match = Dataset()
    match.PatientID = "4712"
    payload = Payload((PageRef("payload/0001.png"),), ("payload/0002.pdf",), ("payload/0003.txt",), ())
    flags = Flags(True, False, {"Send": True}, "Send", ("0",), ("00100020",), "1.2.3")
    job = Job(
        _ID,
        facts,
        place,
        State.SUSPENDED,
        "it waits",
        Position("2/then/0", "Perform Send"),
        _NOW,
        flags=flags,
        payload=payload,
    )
    job.dataset, job.match, job.asks = dataset, match, Asked("Find", "", ("Find",))
    job.retries = {"3": 1}
    job.instances = {"k": Instance("k", "1.2.840.10008.5.1.4.1.1.7", "2.25.1", "2.25.2", 1, 1)}
    job.entries = [Entry(Position("1", "Perform Find"), 1, flags, payload)]
    place.write_arrival(facts, [{"from": "/in/x.pdf", "to": "payload/0002.pdf"}], {"PatientID": "4711"})
    place.complete_arrival(payload)
    place.save(job, secure=True)
    place.save(job)
    place.add_sent(Sent("Send", "AET@host:104", "1.2", "1.3", "1.4", 0, stored=True))
    place.note(_ID, "accepted", level="INFO", private="Muster^Mia")
    place.write_command({"command": "match", "token": "1", "values": match.to_json_dict()})
    return job


class _Folder:
    def __init__(self) -> None:
        self.path = Scratch().folder / _ID
        _made(self.path)
        self.contents = [(self.path / name).read_bytes() for name in _FILES]

    def put(self, number: int, data: bytes) -> JobFolder:
        """The folder with one file replaced; the others are as they were."""
        for name, content in zip(_FILES, self.contents, strict=True):
            # The steps would hide what job.json says.
            is_hidden = number == 0 and name == "steps.jsonl"
            (self.path / name).write_bytes(b"" if is_hidden else content)
        (self.path / _FILES[number]).write_bytes(data)
        for extra in (self.path / "datasets").iterdir():
            if extra.name != "1.json":
                extra.unlink()
        return JobFolder(self.path)


_FOLDER: Final = _Folder()
_TEMPLATE: Final = Template.parse("#{Date,5,5} #{Job.Name} #{Job.User} #{PatientID} #{0040,A168} #{Time}")


def _run(data: bytes) -> None:
    """The first byte tells which file is replaced by the rest."""
    folder = _FOLDER.put(data[0] % len(_FILES) if data else 0, data[1:])
    for sent in (*folder.read_sent(), *folder.read_attempts()):
        json.dumps(sent.__dict__)
    for line in folder.history():
        json.dumps(line)
    command = folder.read_command()
    assert command is None or isinstance(command, dict)
    with suppress(*DAMAGE):
        folder.read_arrival()
    folder.first_dataset()
    with suppress(DamagedJobError, SpoolError):
        glance(folder.path)
    try:
        job = folder.load()
    except (DamagedJobError, SpoolError) as error:
        assert error.remedy
        return
    _use(job)


def _use(job: Job) -> None:
    """What has been loaded can be used, saved, and loaded again."""
    assert isinstance(job.state, State)
    with suppress(PermanentError):
        job.expand(_TEMPLATE, "here")
    assert job.study_instance_uid
    assert job.log_context()
    job.folder.save(job, secure=True)
    again = JobFolder(job.folder.path).load()
    assert again.to_json() == job.to_json()
    # As it is kept: NaN is not even the same as itself.
    assert dataset_text(again.dataset) == dataset_text(job.dataset)


def _seeds() -> Iterator[bytes]:
    for number, content in enumerate(_FOLDER.contents):
        yield bytes([number]) + content


def _inputs() -> st.SearchStrategy[bytes]:
    examples: list[tuple[int, Any]] = [
        (number, json.loads(content.splitlines()[0] if _FILES[number].endswith("l") else content))
        for number, content in enumerate(_FOLDER.contents)
    ]

    def drawn(example: tuple[int, Any]) -> st.SearchStrategy[bytes]:
        return changed([example[1]]).map(lambda value: bytes([example[0]]) + as_json(value))

    return st.sampled_from([*examples, examples[0], examples[0]]).flatmap(drawn)


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=15_000,
    structured=2_000,
    words=(b'"vr"', b'"Value"', b'"dataset"', b'"payload"', b'"position"', b'"state"', b"null", b"1e999", b"[]", b"{}"),
)
