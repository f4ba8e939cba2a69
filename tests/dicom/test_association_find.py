from __future__ import annotations

import struct
from copy import deepcopy
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode

from dicomprinter.dicom.identifiers import decode_identifier
from dicomprinter.dicom.network import find_limits
from dicomprinter.dicom.network.association import Association
from dicomprinter.errors import DicomPrinterError, PermanentError, TransientError
from tests.dicom.helpers import STUDY, WORKLIST, Run, peer
from tests.raw_scp import response
from tests.scp import Connection, FindScp, RawScp

pytestmark = pytest.mark.usefixtures("no_socket_is_left_open")


def ask(port: int, keys: Dataset, *, default_charset: str = "", model: str = WORKLIST) -> list[Dataset]:
    with Association.open(peer(port), [(model, [ExplicitVRLittleEndian])]) as association:
        return list(association.find(model, keys, default_charset=default_charset))


def patient(name: str, charset: str | list[str] | None = None, **more: Any) -> Dataset:
    dataset = Dataset()
    if charset:
        dataset.SpecificCharacterSet = charset
    dataset.PatientName = name
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    return dataset


def test_answers_of_both_pending_kinds_in_order(running: Run) -> None:
    finder = running(FindScp([patient("A"), (0xFF01, patient("B")), patient("C")]))
    assert [str(found.PatientName) for found in ask(finder.port, patient(""))] == ["A", "B", "C"]
    assert ask(running(FindScp()).port, patient("")) == []


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Jürgen"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小东=吴"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_answers_are_unicode_whatever_their_set(running: Run, charset: str | list[str], name: str) -> None:
    step = Dataset()
    step.ScheduledPerformingPhysicianName = name
    finder = running(FindScp([patient(name, charset, ScheduledProcedureStepSequence=[step])]))
    (found,) = ask(finder.port, patient(""))
    assert str(found.PatientName) == name
    assert str(found.ScheduledProcedureStepSequence[0].ScheduledPerformingPhysicianName) == name
    assert found.SpecificCharacterSet == "ISO_IR 192"


def test_a_peer_that_forgets_its_character_set(running: Run) -> None:
    referrer = Dataset()
    referrer.ReferringPhysicianName = "Пушкин"
    data = encode(patient("Люкceмбypг", "ISO_IR 144", ReferencedPatientSequence=[referrer]), False, True) or b""
    head, _, tail = data.partition(b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 144")

    def script(connection: Connection) -> None:
        connection.accept()
        connection.read_message()
        connection.send(find_answer(0xFF00, head + tail))
        connection.send(find_answer(0x0000))
        connection.finish()

    assert len(head + tail) == len(data) - 18
    (found,) = ask(running(RawScp(script)).port, patient(""), default_charset="ISO_IR 144")
    assert str(found.PatientName) == "Люкceмбypг"
    assert str(found.ReferencedPatientSequence[0].ReferringPhysicianName) == "Пушкин"


@pytest.mark.parametrize(
    ("name", "charset"),
    [("Doe^John", None), ("Müller^Jürgen", "ISO_IR 100"), ("山田^太郎", "ISO_IR 192"), ("Łukasz", "ISO_IR 192")],
)
def test_a_query_carries_the_set_that_its_keys_need(running: Run, name: str, charset: str | None) -> None:
    finder = running(FindScp())
    step = patient(name)
    ask(finder.port, patient("", ScheduledProcedureStepSequence=[step]))
    ask(finder.port, patient(name, "ISO_IR 6"))
    nested, flat = finder.queries
    nested.decode()
    assert nested.get("SpecificCharacterSet") == charset
    assert str(nested.ScheduledProcedureStepSequence[0].PatientName) == name
    assert flat.get("SpecificCharacterSet") == charset
    assert str(flat.PatientName) == name


def test_a_long_query_goes_in_fragments(running: Run) -> None:
    queries: list[bytes] = []

    def script(connection: Connection) -> None:
        connection.accept(max_pdu=64)
        queries.append(connection.read_message()[1])
        connection.send(find_answer(0x0000))
        connection.finish()

    keys = patient("Doe", PatientComments="x" * 1000)
    ask(running(RawScp(script)).port, keys)
    assert queries == [encode(keys, False, True)]


def test_the_callers_keys_stay_as_they_are(running: Run) -> None:
    keys = patient("Müller", "ISO_IR 6")
    ask(running(FindScp()).port, keys)
    assert keys == patient("Müller", "ISO_IR 6")


def test_an_element_that_cannot_be_read_is_left_out(running: Run, caplog: Any) -> None:
    def script(connection: Connection) -> None:
        connection.accept()
        connection.read_message()
        status = b"\x10\x00\xc0\x21US\x03\x00odd"
        connection.send(find_answer(0xFF00, b"\x10\x00\x10\x00PN\x04\x00Doe " + status))
        connection.send(find_answer(0x0000))
        connection.finish()

    (found,) = ask(running(RawScp(script)).port, patient(""))
    assert str(found.PatientName) == "Doe"
    assert "PregnancyStatus" not in found
    assert "PregnancyStatus (0010,21C0)" in caplog.text
    assert "odd" not in caplog.text


def test_a_number_that_is_none_is_left_out_of_an_item() -> None:
    item = b"\x10\x00\x20\x00LO\x02\x00P1" + b"\x10\x00\x30\x10DS\x04\x0080,5"
    sequence = struct.pack("<HH2sHLHHL", 0x0040, 0x0100, b"SQ", 0, len(item) + 8, 0xFFFE, 0xE000, len(item)) + item
    found = decode_identifier(sequence, ExplicitVRLittleEndian)
    (step,) = found.ScheduledProcedureStepSequence
    assert [element.keyword for element in step] == ["PatientID"]


@pytest.mark.parametrize(
    ("final", "kind", "words"),
    [
        (0xA700, TransientError, "A700 (out of resources)"),
        (0xA900, PermanentError, "A900 (identifier does not match the SOP class)"),
        (0xC001, PermanentError, "C001 (unable to process)"),
        (0xFE00, TransientError, "FE00 (cancelled)"),
        (0x0122, PermanentError, "0122 (SOP class not supported)"),
        (0xB000, PermanentError, "0xB000"),
    ],
)
def test_any_final_status_but_0000_fails(running: Run, final: int, kind: type[Exception], words: str) -> None:
    finder = running(FindScp([patient("A")], final=final, comment="Doe is secret"))
    with pytest.raises(kind) as caught:
        ask(finder.port, patient(""))
    assert words in str(caught.value)
    assert "Doe" not in str(caught.value)
    assert isinstance(caught.value, DicomPrinterError)
    assert caught.value.private == "Doe is secret"


def test_an_abort_in_the_middle_of_the_answers(running: Run) -> None:
    finder = running(FindScp([patient("A"), patient("B"), patient("C")], abort_after=2))
    with pytest.raises(TransientError, match="aborted the association before the answers to C-FIND"):
        ask(finder.port, patient(""))


def test_a_caller_that_stops_reading_answers_aborts(running: Run) -> None:
    finder = running(FindScp([patient("A"), patient("B")]))
    with Association.open(peer(finder.port), [(WORKLIST, [ExplicitVRLittleEndian])]) as association:
        answers = association.find(WORKLIST, patient(""))
        next(answers)
        answers.close()  # type: ignore[attr-defined]
        assert not association.is_open


def test_a_query_without_context(running: Run) -> None:
    finder = running(FindScp(models=[WORKLIST]))
    contexts = [(WORKLIST, [ExplicitVRLittleEndian]), (STUDY, [ExplicitVRLittleEndian])]
    association = Association.open(peer(finder.port), contexts)
    with pytest.raises(PermanentError, match="Study Root"):
        list(association.find(STUDY, patient("")))
    association.close()


def find_answer(status: int, data: bytes = b"") -> bytes:
    elements = b"".join(
        struct.pack("<HHLH", 0x0000, element, 2, value)
        for element, value in ((0x0100, 0x8020), (0x0120, 1), (0x0800, 1 if data else 0x0101), (0x0900, status))
    )
    command = struct.pack("<HHLL", 0x0000, 0x0000, 4, len(elements)) + elements
    pdvs = struct.pack(">LBB", len(command) + 2, 1, 3) + command
    if data:
        # Command and data set in one PDU, as some peers do.
        pdvs += struct.pack(">LBB", len(data) + 2, 1, 2) + data
    return struct.pack(">BxL", 0x04, len(pdvs)) + pdvs


def finding(*, pause: float, data: bytes = b"\x10\x00\x20\x00LO\x02\x00P7") -> RawScp:
    """Sends one match after the other."""

    def script(connection: Connection) -> None:
        connection.accept()
        connection.read_message()
        match = response(0x8020, 0xFF00, data=data)
        while not connection.over.wait(pause):
            connection.send(match * (1 if pause else 100))

    return RawScp(script)


def test_matches_without_end_are_broken_off(running: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_limits, "MOST_MATCHES", 200)
    with pytest.raises(PermanentError, match=r"broken off after 201 matches"):
        ask(running(finding(pause=0)).port, patient(""))


def test_matches_that_fill_the_memory_are_broken_off(running: Run) -> None:
    """They are few; each is large."""
    large = b"\x10\x00\x20\x00UT\x00\x00" + struct.pack("<L", 1 << 20) + bytes(1 << 20)
    with pytest.raises(PermanentError, match=r"finds too much"):
        ask(running(finding(pause=0, data=large)).port, patient(""))


def test_matches_that_come_in_time_and_never_end(running: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_limits, "LONGEST", 0.02)
    slow = running(finding(pause=0.02))
    with (
        Association.open(peer(slow.port, dimse_timeout=10), [(WORKLIST, [ExplicitVRLittleEndian])]) as association,
        pytest.raises(TransientError, match=r"did not come to the end of its matches within 0\.2 s"),
    ):
        list(association.find(WORKLIST, patient("")))


def test_a_match_without_a_data_set_is_none(running: Run) -> None:
    def script(connection: Connection) -> None:
        connection.accept()
        connection.read_message()
        connection.send(response(0x8020, 0xFF00) + response(0x8020, 0x0000))
        connection.wait()

    with pytest.raises(TransientError, match="a match without a data set"):
        ask(running(RawScp(script)).port, patient(""))


@pytest.mark.parametrize("missing", range(1, 9))
def test_an_answer_that_breaks_off_is_none(missing: int) -> None:
    """pydicom takes what is there of the last value, and half an identifier is another patient's."""
    whole = encode(patient("A", PatientID="P1234567"), False, True) or b""
    assert decode_identifier(whole, ExplicitVRLittleEndian).PatientID == "P1234567"
    with pytest.raises(ValueError, match=r"breaks off in PatientID"):
        decode_identifier(whole[:-missing], ExplicitVRLittleEndian)


@pytest.mark.parametrize(("keyword", "vr"), [("RequestedProcedureCodeSequence", "SS"), ("PatientComments", "SQ")])
def test_a_sequence_that_is_none_is_left_out(keyword: str, vr: str) -> None:
    answer = Dataset()
    answer.PatientID = "4711"
    answer.add_new(keyword, vr, 5 if vr == "SS" else [])
    found = decode_identifier(encode(answer, False, True) or b"", ExplicitVRLittleEndian)
    assert keyword not in found
    assert found.PatientID == "4711"


def test_an_item_that_stands_alone_is_left_out() -> None:
    whole = encode(patient("A", PatientID="4711"), True, True) or b""
    found = decode_identifier(whole + b"\xfe\xff\x00\xe0" + bytes(4), ImplicitVRLittleEndian)
    assert found.PatientID == "4711"


def test_sequences_without_end_in_each_other_are_left_out() -> None:
    """A job's dataset is copied with all that is in it: deeper ones could not be."""
    answer = Dataset()
    answer.PatientID = "4711"
    inner = answer
    for _ in range(60):
        item = Dataset()
        inner.ReferencedStudySequence = [item]
        inner = item
    found = decode_identifier(encode(answer, False, True) or b"", ExplicitVRLittleEndian)
    depth, inner = 0, found
    while "ReferencedStudySequence" in inner:
        depth, inner = depth + 1, inner.ReferencedStudySequence[0]
    assert depth == 30
    assert deepcopy(found).PatientID == "4711"
