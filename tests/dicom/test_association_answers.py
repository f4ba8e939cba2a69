"""Answers that are right and come in unusual ways, and what goes out at the edges."""

from __future__ import annotations

import select
import socket
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from dicomprinter.dicom.network.association import Association
from dicomprinter.dicom.network.contexts import number_contexts
from dicomprinter.dicom.network.messages import Messages
from dicomprinter.dicom.network.pdus import COMMAND, LAST, P_DATA, REJECT, fragments, pdu
from dicomprinter.dicom.network.wire import Wire
from dicomprinter.dicom.status import StoreResult
from dicomprinter.errors import PermanentError, TransientError
from tests.dicom.helpers import SC, Run, failure, instance, peer, with_time_out
from tests.scp import Connection, RawScp, store_answer
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("no_socket_is_left_open")

ANSWER = store_answer(0xB007)
COMMAND_SET = ANSWER[12:]


def opened(port: int) -> Association:
    return Association.open(peer(port), [(SC, [ExplicitVRLittleEndian])])


def stored(association: Association, file: tuple[Path, str]) -> StoreResult:
    path, uid = file
    return association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)


def alone(fragment: bytes, control: int) -> bytes:
    return pdu(P_DATA, fragment_of(fragment, control))


def fragment_of(data: bytes, control: int) -> bytes:
    return struct.pack(">LBB", len(data) + 2, 1, control) + data


def rest_of_data(connection: Connection) -> int:
    """Read to the end of the data set; bytes of the PDUs."""
    length = 0
    while True:
        _, body = connection.read()
        length += len(body)
        if body[5] == LAST:
            return length


CUT = [COMMAND_SET[:11], COMMAND_SET[11:12], b"", COMMAND_SET[12:]]
CONTROLS = [COMMAND] * 3 + [COMMAND | LAST]


@pytest.mark.parametrize(
    "answer",
    [
        [bytes((byte,)) for byte in ANSWER],
        [ANSWER[:6], ANSWER[6:]],
        [alone(part, control) for part, control in zip(CUT, CONTROLS, strict=True)],
        [pdu(P_DATA, b"".join(fragment_of(part, control) for part, control in zip(CUT, CONTROLS, strict=True)))],
        [fragments(COMMAND_SET, 1, COMMAND, 2)],
        [pdu(P_DATA, b""), ANSWER],
        [alone(COMMAND_SET + b"\0\0\x02\x09\x04\0\0\0Oops", COMMAND | LAST)],
    ],
    ids=["each byte", "header apart", "a PDU each", "one PDU", "two bytes each", "an empty PDU", "a comment after all"],
)
def test_answers_in_pieces(running: Run, tmp_path: Path, answer: list[bytes]) -> None:
    def script(connection: Connection) -> None:
        connection.accept()
        for _ in range(2):
            connection.read_message()
            for part in answer:
                connection.send(part)
        connection.wait()

    association = opened(running(RawScp(script)).port)
    result = stored(association, instance(tmp_path))
    assert result.status.code == 0xB007
    assert result.error_comment in ("", "Oops")
    # Nothing of the answer is left over: the second one would be read instead of its own.
    with pytest.raises(TransientError, match="cannot be read"):
        stored(association, instance(tmp_path))


@pytest.mark.parametrize("max_pdu", [8, 4096, 16384, 262_144, 0])
@pytest.mark.parametrize("size", [1, 999, 300_000])
def test_every_byte_arrives_in_pdus_of_any_size(running: Run, tmp_path: Path, max_pdu: int, size: int) -> None:
    got: list[tuple[bytes, bytes]] = []
    lengths: list[int] = []

    def script(connection: Connection) -> None:
        connection.accept(max_pdu=max_pdu)
        for number in (1, 2):
            got.append(connection.read_message())
            connection.answer_store(message_id=number)
        lengths.extend(connection.lengths[1:])
        connection.finish()

    files = [instance(tmp_path, size=size if max_pdu > 8 else min(size, 2000)) for _ in range(2)]
    with opened(running(RawScp(script)).port) as association:
        for file in files:
            assert stored(association, file).status.stored
    for (path, uid), (command, data) in zip(files, got, strict=True):
        assert path.read_bytes().endswith(data)
        assert uid.encode() in command
    assert max(lengths) <= (max_pdu or 262_144)


def test_a_request_that_is_longer_than_any(running: Run, tmp_path: Path) -> None:
    got: list[bytes] = []

    def script(connection: Connection) -> None:
        connection.accept(max_pdu=128)
        got.extend(connection.read_message())
        connection.answer_store()
        connection.finish()

    path, _ = instance(tmp_path)
    uid = "1." + "2" * 6000
    with opened(running(RawScp(script)).port) as association:
        assert stored(association, (path, uid)).status.stored
    assert uid.encode() in got[0]
    assert path.read_bytes().endswith(got[1])


def test_a_failure_that_is_told_before_all_was_sent(running: Run, tmp_path: Path) -> None:
    def script(connection: Connection) -> None:
        connection.accept()
        connection.read()
        connection.answer_store(0xA700)
        rest_of_data(connection)
        connection.read_message()
        connection.answer_store(0x0000, message_id=2)
        connection.finish()

    with opened(running(RawScp(script)).port) as association:
        assert stored(association, instance(tmp_path, size=2_000_000)).status.code == 0xA700
        assert stored(association, instance(tmp_path)).status.code == 0x0000


def test_a_file_that_becomes_shorter_while_it_is_sent(running: Run, tmp_path: Path) -> None:
    """Mapped memory would kill the process here."""
    path, uid = instance(tmp_path, size=40_000_000)
    kinds: list[int] = []

    def script(connection: Connection) -> None:
        connection.accept()
        connection.read()
        with path.open("r+b") as file:
            file.truncate(20_000_000)
        while True:
            kinds.append(connection.read()[0])

    association = opened(running(RawScp(script)).port)
    with pytest.raises(PermanentError, match="became shorter"):
        stored(association, (path, uid))
    assert not association.is_open


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be removed there")
def test_a_file_that_vanishes_while_it_is_sent(running: Run, tmp_path: Path) -> None:
    path, uid = instance(tmp_path, size=20_000_000)
    got: list[int] = []

    def script(connection: Connection) -> None:
        connection.accept()
        connection.read()
        path.unlink()
        got.append(rest_of_data(connection))
        connection.answer_store()
        connection.finish()

    with opened(running(RawScp(script)).port) as association:
        assert stored(association, (path, uid)).status.stored
    assert got[0] > 20_000_000


def babbling(connection: Connection) -> None:
    """Talk on and on, and say nothing."""
    while not connection.over.is_set():
        connection.send(pdu(P_DATA, b"") * 100)


def test_a_peer_that_talks_for_ever_and_does_not_answer(running: Run, tmp_path: Path) -> None:
    def script(connection: Connection) -> None:
        connection.accept()
        connection.read_message()
        babbling(connection)

    error = failure(running(RawScp(script)).port, tmp_path, dimse_timeout=0.3)
    assert "no sign of the answer to C-STORE" in error.what


def test_a_peer_that_talks_for_ever_and_does_not_release(running: Run, caplog: pytest.LogCaptureFixture) -> None:
    def script(connection: Connection) -> None:
        connection.accept()
        babbling(connection)

    association = opened(running(RawScp(script)).port)
    with_time_out(association, 0.2)
    association.close()
    assert "did not answer the release" in caplog.text


@pytest.mark.skipif(not hasattr(select, "poll"), reason="waits for the reset by poll")
def test_a_rejection_of_a_peer_that_has_gone_already_is_heard() -> None:
    """So is the alert of one that refuses our certificate."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    theirs.sendall(pdu(REJECT, bytes((0, 1, 1, 7))))
    # Closed like this, the connection is reset.
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    poll = select.poll()
    poll.register(ours, 0)
    assert poll.poll(PATIENCE * 1000)
    with pytest.raises(PermanentError, match="does not answer to the called AE title"):
        Association.over(Wire(ours), peer(1), number_contexts([(SC, [ExplicitVRLittleEndian])]))


def test_a_time_out_is_for_each_step_forward() -> None:
    # A machine that stands still for so long meanwhile gets another try at a slower pace.
    assert any(_takes_longer_as_a_whole(seconds) for seconds in (0.25, 2, 20))


def _takes_longer_as_a_whole(timeout: float) -> bool:
    """Whether what the other side takes in small pieces gets there, although all of it takes twice the time-out."""
    ours, theirs = _pair()
    read = bytearray()

    def drain() -> None:
        pause = threading.Event()
        with suppress(OSError):
            while len(read) < 200_000:
                pause.wait(timeout / 25)
                read.extend(theirs.recv(4096) or bytes(200_000))

    reader = threading.Thread(target=drain, daemon=True)
    reader.start()
    wire = Wire(ours)
    try:
        wire.send(bytes(50_000), b"", memoryview(bytes(150_000)), timeout=timeout)
    except TimeoutError:
        return False
    else:
        reader.join(PATIENCE)
        return len(read) == 200_000
    finally:
        wire.close()
        theirs.close()


class _Flooded(Wire):
    """A connection that is broken one way, and never runs dry the other way."""

    heard = 0

    def send(self, *_: bytes | memoryview, timeout: float | None) -> None:
        raise ConnectionResetError

    def receive(self, timeout: float | None) -> tuple[int, bytes]:
        body = fragment_of(bytes(1 << 18), 0)
        self.heard += len(body)
        return P_DATA, body


def test_what_a_peer_says_when_it_has_hung_up_does_not_fill_the_memory() -> None:
    ours, theirs = _pair()
    wire = _Flooded(ours)
    try:
        Messages(peer(1), wire, 0).send(1, b"command")
    finally:
        wire.close()
        theirs.close()
    assert 0 < wire.heard < 2 << 20


def _pair() -> tuple[socket.socket, socket.socket]:
    """A connection that holds little."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ours = socket.socket()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        ours.connect(server.getsockname())
        theirs, _ = server.accept()
    return ours, theirs
