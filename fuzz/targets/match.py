"""What an operator answers: lines, the DICOM JSON model, and a command; the first byte tells which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hypothesis import strategies as st
from pydicom import Dataset

from dicomprinter.dicom.query.match import matched
from dicomprinter.job.job import dataset_text, read_dataset
from dicomprinter.job.match import read_match
from fuzz.drawing import CANARY, as_json, changed
from fuzz.files import Scratch
from fuzz.target import Target

_FOLDER: Final = Scratch().folder
_LINES: Final = (
    f"(0010,0010)={CANARY}^Mia\n0010,0020={CANARY}\n(0010,0030)=19640812\n\n(0009,1001)={CANARY}\n(0028,0010)=5\n",
    f"\ufeffPatientID={CANARY}\r\nStudyDate={CANARY}\r\nPatientWeight=1e999\r\n{CANARY}\r\n(0040,0100)=x",
)
_MODELS: Final = (
    {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": f"{CANARY}^Mia", "Ideographic": "山田"}]},
        "00100020": {"vr": "LO", "Value": [CANARY]},
        "00100030": {"vr": "DA", "Value": ["19640812"]},
        "00101030": {"vr": "DS", "Value": [70.5]},
        "00090010": {"vr": "LO", "Value": ["ACME"]},
        "00091001": {"vr": "UN", "InlineBinary": "AAAA"},
        "00321064": {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["1"]}}]},
        "00720026": {"vr": "AT", "Value": ["00100010"]},
    },
)


def _run(data: bytes) -> None:
    file = _FOLDER / ("match.json" if data[:1] > b"\x7f" else "match")
    file.write_bytes(data[1:])
    try:
        match = read_match(file)
    except ValueError as error:
        assert CANARY not in str(error)
        return
    for remark in match.remarks:
        assert CANARY not in remark.message
    dataset = matched(Dataset(), match.values)
    # A job keeps it so.
    kept = dataset_text(dataset)
    assert dataset_text(read_dataset(kept)) == kept


def _seeds() -> Iterator[bytes]:
    for lines in _LINES:
        yield b"\0" + lines.encode()
    for model in _MODELS:
        yield b"\xff" + as_json(model)


def _inputs() -> st.SearchStrategy[bytes]:
    models = changed(_MODELS).map(lambda value: b"\xff" + as_json(value))
    tag = st.sampled_from(
        ["PatientName", "(0010,0040)", "0008,0020", "StudyTime", "0009,1001", "PatientAge", "Rows", ""]
    )
    value = st.sampled_from([CANARY, "1", "é", "\\", "a\\b", "20260131", "-1", "1e400", "=", "\ud800"]) | st.text(
        max_size=9
    )
    line = st.builds("{}={}".format, tag, value)
    lines = st.lists(line, max_size=5).map(lambda found: b"\0" + "\n".join(found).encode("utf-8", "replace"))
    return models | lines


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=6_000,
    structured=5_000,
    words=(
        b'"vr"',
        b'"Value"',
        b'"InlineBinary"',
        b'"BulkDataURI"',
        b'"Alphabetic"',
        b"00100010",
        b"(0010,0010)=",
        b"1e999",
    ),
)
