"""Answers to a query: decoded whatever they are, sorted, and copied into a job's dataset that can be kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode

from dicomprinter.dicom.identifiers import decode_identifier, encode_identifier
from dicomprinter.dicom.query.answer import copied, copied_from_worklist, in_order
from dicomprinter.dicom.query.filter import criterion
from dicomprinter.errors import PermanentError
from dicomprinter.job.job import dataset_text
from fuzz.target import Target

_SYNTAXES: Final = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_CHARSETS: Final = ("", "ISO_IR 100", "\\ISO 2022 IR 87", "GB18030")
_ASKED: Final = frozenset(map(int, map(Tag, ("PatientName", "Modality", "SeriesDescription"))))
_SORTED: Final = tuple((int(Tag(name)), name == "PatientID") for name in ("PatientWeight", "StudyDate", "PatientID"))
_CRITERIA: Final = tuple(
    criterion(text, vr) for text, vr in (("*Mus?er*", "PN"), ("20260101-", "DA"), ("1-5", "IS"), ("a*b*c", "LO"))
)


def _run(data: bytes) -> None:
    """The first byte tells the transfer syntax and the character set of answers that name none."""
    how = data[0] if data else 0
    syntax, charset = _SYNTAXES[how % len(_SYNTAXES)], _CHARSETS[how // 16 % len(_CHARSETS)]
    try:
        answer = decode_identifier(data[1:], syntax, charset)
    except ValueError:
        return
    assert in_order([answer, Dataset(), answer], _SORTED)
    for element in answer:
        for one in _CRITERIA:
            one.matches(str(element.value))
    for make in (copied, copied_from_worklist):
        result = make(Dataset(), answer, asked=_ASKED)
        # A job keeps it so.
        kept = dataset_text(result)
        assert dataset_text(Dataset.from_json(kept)) == kept
    try:
        encode_identifier(result, syntax)
    except (ValueError, PermanentError):
        return


def _answer() -> Dataset:
    answer = Dataset()
    answer.SpecificCharacterSet = "ISO_IR 100"
    answer.PatientName, answer.PatientID, answer.PatientBirthDate = "Müster^Mia", "4711", "19640812"
    answer.PatientWeight, answer.StudyInstanceUID, answer.AccessionNumber = "70.5", "1.2.3", "A1"
    answer.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "x")
    step, code = Dataset(), Dataset()
    step.Modality, step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepID = "OT", "20260131", "S1"
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99X", "Thorax"
    answer.RequestedProcedureCodeSequence, answer.ScheduledProcedureStepSequence = [code], [step]
    return answer


def _seeds() -> Iterator[bytes]:
    for number, syntax in enumerate(_SYNTAXES):
        yield bytes([number]) + (encode(_answer(), syntax.is_implicit_VR, syntax.is_little_endian) or b"")
    plain = Dataset()
    plain.PatientID = "1"
    for number in range(len(_CHARSETS)):
        yield bytes([number * 16]) + (encode(plain, True, True) or b"")


TARGET = Target(
    run=_run,
    seeds=_seeds,
    executions=25_000,
    structured=2_000,
    words=(
        b"\x08\0\x05\0",
        b"\x10\0\x10\0",
        b"\xfe\xff\x00\xe0",
        b"\xff\xff\xff\xff",
        b"ISO_IR 192",
        b"ISO 2022 IR 149",
        b"\x1b$B",
    ),
    longest=2048,
)
