"""A peer that says anything: the answer to the association request, then to C-STORE, C-FIND, C-ECHO and N-CREATE."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode

from dicomprinter.dicom.network.association import VERIFICATION, Association
from dicomprinter.dicom.network.contexts import number_contexts
from dicomprinter.dicom.network.normalized import Event, Operation, Request, has_failed
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.network.wire import Wire
from dicomprinter.errors import PermanentError, TransientError
from dicomprinter.job.job import dataset_text
from fuzz.drawing import CANARY, check_public
from fuzz.files import Scratch
from fuzz.target import Target
from fuzz.targets.dicom import saved, secondary_capture

_SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
_WORKLIST: Final = "1.2.840.10008.5.1.4.31"
_PRINT_META: Final = "1.2.840.10008.5.1.1.9"
_FILM_BOX: Final = "1.2.840.10008.5.1.1.2"
_PEER: Final = Peer("PEER", "127.0.0.1", 104, association_timeout=1.0, dimse_timeout=1.0)
_PROPOSED: Final = number_contexts(
    [
        (_SECONDARY_CAPTURE, [ExplicitVRLittleEndian]),
        (_WORKLIST, [ImplicitVRLittleEndian]),
        (VERIFICATION, [ImplicitVRLittleEndian]),
        (_PRINT_META, [ExplicitVRLittleEndian]),
    ]
)
_STORE, _FIND, _ECHO, _PRINT = 0, 1, 2, 3


def _item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body


def _accept(max_pdu: int = 16384, result: int = 0) -> bytes:
    """A-ASSOCIATE-AC (PS3.8 9.3.3), by hand."""
    contexts = b"".join(
        _item(0x21, struct.pack(">BxBx", one.number, result) + _item(0x40, one.transfer_syntax.encode()))
        for one in _PROPOSED
    )
    user = _item(0x50, _item(0x51, struct.pack(">L", max_pdu)) + _item(0x52, b"1.2.3"))
    body = struct.pack(">Hxx", 1) + b"PEER".ljust(16) + b"DICOM_PRINTER".ljust(16) + bytes(32)
    return _pdu(2, body + _item(0x10, b"1.2.840.10008.3.1.1.1") + contexts + user)


def _pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxL", kind, len(body)) + body


def _message(context: int, command: dict[str, Any], data: bytes | None = None) -> bytes:
    """A command set and its data set, a PDU each."""
    dataset = Dataset()
    dataset.CommandDataSetType = 0x0101 if data is None else 1
    for keyword, value in command.items():
        setattr(dataset, keyword, value)
    encoded = encode(dataset, True, True) or b""
    whole = _pdu(4, struct.pack(">LBB", len(encoded) + 2, context, 3) + encoded)
    return whole if data is None else whole + _pdu(4, struct.pack(">LBB", len(data) + 2, context, 2) + data)


class _Socket(socket.socket):
    """One end of a pair, which knows nothing of TCP's options."""

    def setsockopt(self, *_: Any) -> None:
        """Nothing to set."""


def _instance() -> Path:
    file = Scratch().folder / "x.dcm"
    file.write_bytes(saved(secondary_capture(), ExplicitVRLittleEndian))
    return file


_INSTANCE: Final = _instance()


def _run(data: bytes) -> None:
    """The first byte tells what is asked and whether the association is accepted before the rest is said."""
    how, said = (data[0], data[1:]) if data else (0, b"")
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            theirs.sendall((_accept() if how & 4 else b"") + said)
        theirs.shutdown(socket.SHUT_WR)
        try:
            association = Association.over(Wire(_Socket(fileno=ours.detach()), _PEER.max_pdu), _PEER, _PROPOSED)
        except (TransientError, PermanentError) as error:
            check_public(error)
            return
        try:
            _ask(association, how & 3)
            association.close()
        except (TransientError, PermanentError) as error:
            check_public(error)
        finally:
            association.abort()
        assert not association.is_open


def _ask(association: Association, what: int) -> None:
    if what == _FIND:
        keys = Dataset()
        keys.PatientID = "4711"
        for answer in association.find(_WORKLIST, keys, default_charset="ISO_IR 100"):
            Dataset.from_json(dataset_text(answer))
    elif what == _ECHO:
        str(association.echo())
    elif what == _PRINT:
        heard: list[Event] = []
        request = Request(Operation.CREATE, _PRINT_META, _FILM_BOX, "1.2.3.2", Dataset())
        response = association.normalized(request, heard.append)
        has_failed(response)
        for attributes in (response.attributes, *(event.attributes for event in heard)):
            dataset_text(attributes)
    else:
        for _ in range(2):
            association.store(
                _INSTANCE, sop_class=_SECONDARY_CAPTURE, sop_instance="1.2.3.1", transfer_syntax=ExplicitVRLittleEndian
            )


def _seeds() -> Iterator[bytes]:
    release = _pdu(6, bytes(4))
    stored = {"CommandField": 0x8001, "MessageIDBeingRespondedTo": 1, "Status": 0}
    failed = {
        **stored,
        "MessageIDBeingRespondedTo": 2,
        "Status": 0xA700,
        "ErrorComment": CANARY,
        "OffendingElement": [0x100010],
    }
    found = {"CommandField": 0x8020, "MessageIDBeingRespondedTo": 1, "Status": 0xFF00}
    patient = Dataset()
    patient.PatientName, patient.PatientID, patient.SpecificCharacterSet = CANARY, CANARY, "ISO_IR 100"
    echoed = {"CommandField": 0x8030, "MessageIDBeingRespondedTo": 1, "Status": 0}
    yield bytes([4 | _STORE]) + _message(1, stored) + _message(1, failed) + release
    yield (
        bytes([4 | _FIND])
        + _message(3, found, encode(patient, True, True))
        + _message(3, {**found, "Status": 0})
        + release
    )
    yield bytes([4 | _FIND]) + _message(3, {**found, "Status": 0xA900, "ErrorComment": CANARY})
    yield bytes([4 | _ECHO]) + _message(5, echoed) + release
    yield bytes([_ECHO]) + _accept(0) + _message(5, echoed) + _pdu(5, bytes(4))
    made = {"CommandField": 0x8140, "MessageIDBeingRespondedTo": 1, "Status": 0, "AffectedSOPInstanceUID": "1.2"}
    report = {"CommandField": 0x0100, "MessageID": 7, "AffectedSOPClassUID": "1.2", "EventTypeID": 2}
    film, said = Dataset(), Dataset()
    film.ReferencedImageBoxSequence = [Dataset()]
    said.PrinterStatus, said.PrinterStatusInfo = "FAILURE", "FILM JAM"
    yield bytes([4 | _PRINT]) + _message(7, made, encode(film, False, True)) + release
    yield bytes([4 | _PRINT]) + _message(7, report, encode(said, False, True)) + _message(7, made) + release
    yield bytes([_STORE]) + _accept(result=3)
    yield bytes([_STORE]) + _accept(4)
    yield bytes([_STORE]) + _pdu(3, b"\0\1\1\7")
    yield bytes([_STORE]) + _pdu(7, b"\0\0\2\6")
    yield bytes([4 | _STORE]) + _pdu(7, b"\0\0\2\6")


def _inputs() -> st.SearchStrategy[bytes]:
    numbers = st.sampled_from(
        [0, 1, 2, 3, 5, 0xFF, 0x0101, 0x8001, 0x8020, 0x8030, 0x0100, 0x8140, 0xFF00, 0xA700, 0xB000, 0xFFFF]
    )
    commands = st.fixed_dictionaries(
        {},
        optional={
            "CommandField": numbers,
            "MessageIDBeingRespondedTo": st.sampled_from([1, 1, 1, 2, 0]),
            "Status": numbers,
            "CommandDataSetType": numbers,
            "ErrorComment": st.just(CANARY),
            "MessageID": st.just(7),
            "AffectedSOPInstanceUID": st.sampled_from(["1.2", "1.2.3\u00e9", CANARY]),
            "OffendingElement": st.lists(st.integers(0, 2**32 - 1), max_size=3),
        },
    )
    data = st.none() | st.binary(max_size=40)
    messages = st.builds(_message, st.sampled_from([1, 3, 5, 7]), commands, data)
    others = st.builds(_pdu, st.integers(0, 9), st.binary(max_size=12))
    said = st.lists(messages | others, max_size=5).map(b"".join)
    return st.builds(lambda how, said: bytes([how]) + said, st.integers(0, 7), said)


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=30_000,
    structured=2_000,
    words=(
        b"\x04\0\0\0",
        b"\x02\0",
        b"\0\0\x02\0",
        b"\x01\x80",
        b"\x20\x80",
        b"\x30\x80",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x09",
    ),
)
