"""`x.pdf.json`: what comes with a file, and its tags in the job's dataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from hypothesis import strategies as st
from pydicom import Dataset

from dicomprinter.errors import InputError
from dicomprinter.intake.submission import read_sidecar, set_tags
from dicomprinter.job.job import dataset_text
from fuzz.drawing import as_json, changed
from fuzz.files import Scratch
from fuzz.target import Target

_SCRATCH: Final = Scratch()
_EXAMPLES: Final[tuple[dict[str, Any], ...]] = (
    {
        "title": "Report",
        "user": "mmuster",
        "host": "ws1",
        "source": "lp",
        "copies": 2,
        "submitted": "2026-01-31T10:00:00+01:00",
        "media type": "application/pdf",
        "options": {"media": "A4"},
        "tags": {"PatientID": "4711", "0010,0010": "Muster^Mia", "StudyDate": "20260131", "Rows": "5"},
    },
    {
        "tags": {
            "PatientWeight": "70.5",
            "0009,1001": "x",
            "SpecificCharacterSet": "ISO_IR 100",
            "EventElapsedTimes": "1",
        }
    },
    {},
)


def _run(data: bytes) -> None:
    try:
        submission = read_sidecar(_SCRATCH.file(data, ".pdf.json"), "x.pdf", "incoming")
        dataset = Dataset()
        set_tags(dataset, submission.tags)
    except InputError as error:
        str(error).encode()
        return
    # A job keeps it so.
    kept = dataset_text(dataset)
    assert dataset_text(Dataset.from_json(kept)) == kept
    assert 1 <= submission.copies <= 9999
    assert submission.submitted is None or submission.submitted.tzinfo is not None


def _seeds() -> Iterator[bytes]:
    yield from map(as_json, _EXAMPLES)
    yield b'{"copies": 1e999}'
    yield '{"title": "\\ud800", "user": "\u00e9"}'.encode("utf-16")


def _inputs() -> st.SearchStrategy[bytes]:
    return changed(_EXAMPLES).map(as_json)


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=25_000,
    structured=2_000,
    words=(*(f'"{name}"'.encode() for name in _EXAMPLES[0]), b"\\ud800", b"1e999", b"null", b"PatientName"),
)
