from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.uid import (
    ExplicitVRLittleEndian,
)

from dicomprinter.dicom.network.association import Association
from dicomprinter.dicom.network.peer import Peer, Tls
from dicomprinter.errors import DicomPrinterError, PermanentError, TransientError
from tests import scp
from tests.dicom.helpers import SC, Run, failure, instance, peer, send
from tests.scp import Connection, RawScp
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("no_socket_is_left_open")


def test_a_closed_port(tmp_path: Path) -> None:
    port = scp.closed_port()
    error = failure(port, tmp_path)
    assert isinstance(error, TransientError)
    assert str(error).startswith(f"PACS@127.0.0.1:{port} refused the connection")


def test_an_unknown_host(tmp_path: Path) -> None:
    nowhere = Peer("PACS", "no-such-host.invalid", 104)
    with pytest.raises(TransientError, match=r"cannot resolve the host of PACS@no-such-host\.invalid:104"):
        Association.open(nowhere, [(SC, [ExplicitVRLittleEndian])])


def test_a_connection_that_nobody_takes() -> None:
    # A full backlog drops further connections: as a firewall does, without leaving this computer.
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        errors: list[DicomPrinterError] = []

        def call() -> None:
            try:
                Association.open(peer(port, association_timeout=0.3), [(SC, [ExplicitVRLittleEndian])])
            except DicomPrinterError as error:
                errors.append(error)

        # Without a time-out of ours the system tries for two minutes.
        caller = threading.Thread(target=call, daemon=True)
        try:
            for sock in waiting:
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", port))
            caller.start()
            caller.join(PATIENCE)
            assert not caller.is_alive()
        finally:
            for sock in waiting:
                sock.close()
    (error,) = errors
    assert isinstance(error, TransientError)
    assert "did not take the connection within 0.3 s" in error.what


def test_a_peer_that_says_nothing(running: Run, tmp_path: Path) -> None:
    error = failure(running(scp.silent()).port, tmp_path, association_timeout=0.3)
    assert isinstance(error, TransientError)
    assert "no sign of the answer to the association request" in error.what
    assert "within 0.3 s" in error.what


@pytest.mark.parametrize("end", [lambda _: None, Connection.reset], ids=["closes", "resets"])
@pytest.mark.parametrize("hears", [True, False], ids=["hello", "nothing"])
def test_a_peer_that_breaks_off_before_tls_stands(
    running: Run, tmp_path: Path, end: Callable[[Connection], object], *, hears: bool
) -> None:
    """It is being restarted, perhaps: worth another try, as it is without TLS."""

    def script(connection: Connection) -> None:
        if hears:
            connection.socket.recv(8192)
        end(connection)

    error = failure(running(RawScp(script)).port, tmp_path, tls=Tls(None, None, None, verify=False))
    assert isinstance(error, TransientError)


def test_a_peer_that_speaks_no_tls(running: Run, tmp_path: Path) -> None:
    def script(connection: Connection) -> None:
        connection.socket.recv(8192)
        connection.send(b"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x01")
        connection.wait()

    error = failure(running(RawScp(script)).port, tmp_path, tls=Tls(None, None, None, verify=False))
    assert isinstance(error, PermanentError)
    assert "no TLS connection" in error.what


REJECTIONS = {
    (1, 1): "no reason",
    (1, 2): "application context",
    (1, 3): "does not know our AE title",
    (1, 7): "does not answer to the called AE title",
    (2, 1): "association service gave no reason",
    (2, 2): "protocol version",
    (3, 1): "congested",
    (3, 2): "limit of associations",
    (1, 9): "reason 9",
}


@pytest.mark.parametrize("said", REJECTIONS)
@pytest.mark.parametrize(("result", "kind"), [(1, PermanentError), (2, TransientError)])
def test_rejections_in_words(running: Run, tmp_path: Path, result: int, kind: type, said: tuple[int, int]) -> None:
    error = failure(running(scp.rejecting(result, *said)).port, tmp_path)
    assert type(error) is kind
    assert REJECTIONS[said] in error.cause
    assert "said by the peer's" in error.cause


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("negotiation", "before the answer to the association request"),
        ("during", "before (an instance was sent|the answer to C-STORE)"),
        ("before", "before the answer to C-STORE"),
    ],
)
def test_aborts(running: Run, tmp_path: Path, when: str, words: str) -> None:
    error = failure(running(scp.aborting(when)).port, tmp_path)
    assert isinstance(error, TransientError)
    assert re.search(f"aborted the association {words}", error.what)


def test_an_abort_says_who_and_why(running: Run, tmp_path: Path) -> None:
    error = failure(running(scp.aborting("before", source=2, reason=6)).port, tmp_path)
    assert "a parameter of a PDU of ours had a value that it refuses" in error.cause


def test_an_abort_in_the_middle_of_a_long_instance(running: Run, tmp_path: Path) -> None:
    pacs = running(scp.aborting("during"))
    path, uid = instance(tmp_path, size=20_000_000)
    association = Association.open(peer(pacs.port), [(SC, [ExplicitVRLittleEndian])])
    with pytest.raises(TransientError, match=r"aborted|closed"):
        association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)
    assert not association.is_open


def test_an_abort_after_the_answer_keeps_the_answer(running: Run, tmp_path: Path) -> None:
    pacs = running(scp.aborting("after"))
    with Association.open(peer(pacs.port), [(SC, [ExplicitVRLittleEndian])]) as association:
        assert send(association, tmp_path).status.stored
        with pytest.raises(TransientError, match=r"aborted|closed"):
            send(association, tmp_path)
        with pytest.raises(TransientError, match="closed"):
            send(association, tmp_path)


@pytest.mark.parametrize("when", ["negotiation", "during", "before"])
def test_a_connection_that_ends_without_a_word(running: Run, tmp_path: Path, when: str) -> None:
    error = failure(running(scp.hanging_up(when)).port, tmp_path)
    assert isinstance(error, TransientError)
    assert "closed the connection before" in error.what
    # Before the association stands, TLS that is wanted is a likely cause; after that it is none.
    assert ("wants TLS" in error.cause) == (when == "negotiation")


def test_an_answer_after_the_time_out(running: Run, tmp_path: Path) -> None:
    # Without the time-out the answer would count, late as it is.
    error = failure(running(scp.answering_late(30)).port, tmp_path, dimse_timeout=0.3)
    assert isinstance(error, TransientError)
    assert "no sign of the answer to C-STORE" in error.what
    assert "within 0.3 s" in error.what


def test_a_peer_that_stops_reading(running: Run, tmp_path: Path) -> None:
    # Without the time-out its end would come first, as the closed connection that it is.
    pacs = running(scp.stalling())
    path, uid = instance(tmp_path, size=30_000_000)
    association = Association.open(peer(pacs.port, dimse_timeout=0.5), [(SC, [ExplicitVRLittleEndian])])
    with pytest.raises(TransientError, match=r"took no more of an instance for 0\.5 s"):
        association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)


def test_an_early_answer_counts_although_the_peer_hangs_up(running: Run, tmp_path: Path) -> None:
    def script(connection: Connection) -> None:
        connection.accept()
        connection.read()
        connection.answer_store(0xA700)

    path, uid = instance(tmp_path, size=20_000_000)
    association = Association.open(peer(running(RawScp(script)).port), [(SC, [ExplicitVRLittleEndian])])
    result = association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)
    assert result.status.code == 0xA700


def test_a_peer_that_releases_in_the_middle(running: Run, tmp_path: Path) -> None:
    def script(connection: Connection) -> None:
        connection.accept()
        connection.read_message()
        connection.release()
        connection.wait()

    error = failure(running(RawScp(script)).port, tmp_path)
    assert isinstance(error, TransientError)
    assert "released the association before the answer to C-STORE" in error.what


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b"\x02" * 2],
    ids=["HTTP", "TLS", "two bytes"],
)
def test_a_service_that_is_no_dicom(running: Run, tmp_path: Path, data: bytes) -> None:
    is_short = len(data) < 6
    settings = {"association_timeout": 0.3} if is_short else {}
    error = failure(running(scp.talking(data)).port, tmp_path, **settings)
    if is_short:
        assert isinstance(error, TransientError)
    else:
        assert isinstance(error, PermanentError)
        assert "does not answer in DICOM" in error.what


@pytest.mark.parametrize(
    "answer",
    [
        scp.store_answer(0x0000, message_id=7),
        scp.store_answer(0x0000)[:-20] + b"\xff" * 20,
        b"\x04\x00\x00\x00\x00\x06\x00\x00\x00\xff\x01\x03",
        b"\x02\x00\x00\x00\x00\x04\x00\x00\x00\x00",
        b"GARBAGE" * 10,
    ],
    ids=["other message", "broken command", "broken fragment", "other PDU", "no PDU"],
)
def test_an_answer_that_cannot_be_read(running: Run, tmp_path: Path, answer: bytes) -> None:
    def script(connection: Connection) -> None:
        connection.accept()
        connection.read_message()
        connection.send(answer)
        connection.wait()

    error = failure(running(RawScp(script)).port, tmp_path)
    assert isinstance(error, TransientError)
    assert "cannot be read" in error.what
