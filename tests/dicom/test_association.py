from __future__ import annotations

import socket
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from dicomprinter.dicom.network.association import VERIFICATION, Association, StoreResult
from dicomprinter.dicom.status import Kind
from dicomprinter.errors import PermanentError
from tests import scp
from tests.dicom.helpers import PDF, SC, Run, failure, instance, peer, send, with_time_out
from tests.scp import Answer, Connection, RawScp, StorageScp

# The control byte of the fragment that ends a data set (PS3.8 E.2).
LAST_OF_DATA = 0x02

pytestmark = pytest.mark.usefixtures("no_socket_is_left_open")


def test_store_sends_the_file_as_it_is(storage_scp: StorageScp, tmp_path: Path) -> None:
    sent = [instance(tmp_path), instance(tmp_path, size=200_000)]
    with Association.open(peer(storage_scp.port), [(SC, [ExplicitVRLittleEndian])]) as association:
        for path, uid in sent:
            result = association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)
            assert result == StoreResult(result.status, "", ())
            assert result.status.kind is Kind.SUCCESS
    received = storage_scp.wait_for(2)
    assert [item.sop_instance for item in received] == [uid for _, uid in sent]
    assert [item.dataset for item in received] == [dcmread(path) for path, _ in sent]
    assert received[0].calling_ae_title == "DICOM_PRINTER"
    storage_scp.wait_until(lambda: storage_scp.releases == 1)
    assert storage_scp.associations == 1


def test_each_syntax_goes_on_its_own_context(storage_scp: StorageScp, tmp_path: Path) -> None:
    syntaxes = [RLELossless, ImplicitVRLittleEndian, ExplicitVRLittleEndian]
    with Association.open(peer(storage_scp.port), [(SC, syntaxes), (PDF, syntaxes[1:])]) as association:
        assert association.accepted(SC) == tuple(syntaxes)
        assert association.accepted(PDF) == tuple(syntaxes[1:])
        for syntax in syntaxes:
            assert send(association, tmp_path, syntax=syntax).status.stored
    assert [item.transfer_syntax for item in storage_scp.wait_for(3)] == syntaxes


def test_the_answer_is_told_with_comment_and_tags(running: Run, tmp_path: Path) -> None:
    answers = [0xA700, Answer(0xB000, "coerced Doe", (0x00100010, 0x00100020)), Answer(0xC123, "no", (0x00080060,))]
    pacs = running(StorageScp(answers=answers))
    with Association.open(peer(pacs.port), [(SC, [ExplicitVRLittleEndian])]) as association:
        results = [send(association, tmp_path) for _ in range(4)]
    assert [result.status.code for result in results] == [0xA700, 0xB000, 0xC123, 0x0000]
    assert results[1].error_comment == "coerced Doe"
    assert results[1].offending == (0x00100010, 0x00100020)
    assert results[2].offending == (0x00080060,)


def test_a_peers_small_pdus_are_kept_to(running: Run, tmp_path: Path) -> None:
    lengths: list[int] = []

    def script(connection: Connection) -> None:
        connection.accept(max_pdu=129)
        connection.read_message()
        lengths.extend(connection.lengths)
        connection.answer_store()
        connection.wait()

    pacs = running(RawScp(script))
    association = Association.open(peer(pacs.port), [(SC, [ExplicitVRLittleEndian])])
    assert send(association, tmp_path, size=6000).status.stored
    association.abort()
    # The first is the association request; a fragment is even, so 128 of 129 bytes are used.
    assert max(lengths[1:]) == 128


def test_a_peer_with_no_room_in_its_pdus(running: Run, tmp_path: Path) -> None:
    error = failure(running(scp.stalling(max_pdu=7)).port, tmp_path)
    assert isinstance(error, PermanentError)
    assert "PDUs of 7 bytes" in error.what


def test_an_unlimited_peer_gets_everything(running: Run, tmp_path: Path) -> None:
    sizes: list[int] = []

    def script(connection: Connection) -> None:
        connection.accept(max_pdu=0)
        sizes.append(len(connection.read_message()[1]))
        connection.answer_store()
        connection.wait()

    pacs = running(RawScp(script))
    association = Association.open(peer(pacs.port), [(SC, [ExplicitVRLittleEndian])])
    assert send(association, tmp_path, size=3_000_000).status.stored
    association.abort()
    assert sizes[0] > 3_000_000


def test_memory_stays_flat(running: Run, tmp_path: Path) -> None:
    read: list[int] = []

    def script(connection: Connection) -> None:
        connection.accept()
        control = 0
        while control != LAST_OF_DATA:
            _, body = connection.read()
            read.append(len(body))
            control = body[5]
        connection.answer_store()
        connection.wait()

    pacs = running(RawScp(script))
    path, uid = instance(tmp_path, size=60_000_000)
    association = Association.open(peer(pacs.port), [(SC, [ExplicitVRLittleEndian])])
    tracemalloc.start()
    try:
        result = association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        association.abort()
    assert result.status.stored
    assert sum(read) > 60_000_000
    # The peer lives in the same process and reads one PDU at a time.
    assert most < 5_000_000


def test_a_file_in_another_syntax_is_refused_before_anything_is_sent(storage_scp: StorageScp, tmp_path: Path) -> None:
    path, uid = instance(tmp_path, syntax=ImplicitVRLittleEndian)
    (tmp_path / "text").write_text("no DICOM")
    with Association.open(peer(storage_scp.port), [(SC, [ExplicitVRLittleEndian])]) as association:
        for wrong in (path, tmp_path / "text", tmp_path / "missing"):
            with pytest.raises(PermanentError) as caught:
                association.store(wrong, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)
            assert str(tmp_path) not in str(caught.value)
        assert send(association, tmp_path).status.stored
    assert len(storage_scp.wait_for(1)) == 1


def test_no_context_says_what_was_proposed_and_accepted(running: Run, tmp_path: Path) -> None:
    pacs = running(StorageScp(syntaxes=[ImplicitVRLittleEndian]))
    contexts = [(SC, [RLELossless, ImplicitVRLittleEndian])]
    with Association.open(peer(pacs.port), contexts) as association:
        assert association.accepted(SC) == (ImplicitVRLittleEndian,)
        with pytest.raises(PermanentError) as caught:
            send(association, tmp_path, syntax=RLELossless)
        assert "for Secondary Capture Image Storage as RLE Lossless" in caught.value.what
        assert "proposed: Secondary Capture Image Storage as RLE Lossless, Implicit VR Little" in caught.value.cause
        assert "accepted: Secondary Capture Image Storage as Implicit VR Little Endian" in caught.value.cause
        assert "transfer syntax not supported" in caught.value.cause
        assert send(association, tmp_path, syntax=ImplicitVRLittleEndian).status.stored


def test_a_peer_that_accepts_nothing(running: Run, tmp_path: Path) -> None:
    error = failure(running(scp.accepting_nothing()).port, tmp_path)
    assert isinstance(error, PermanentError)
    assert "accepted: nothing" in error.cause
    assert "SOP class not supported" in error.cause


def test_a_syntax_that_nobody_proposed_is_no_acceptance(running: Run, tmp_path: Path) -> None:
    def script(connection: Connection) -> None:
        connection.accept(syntax=JPEGBaseline8Bit)
        connection.finish()

    error = failure(running(RawScp(script)).port, tmp_path)
    assert "accepted: nothing" in error.cause


def test_the_number_of_contexts_is_limited() -> None:
    with pytest.raises(ValueError, match="129"):
        Association.open(peer(1), [(f"1.2.{number}", [ExplicitVRLittleEndian]) for number in range(129)])
    with pytest.raises(ValueError, match="0"):
        Association.open(peer(1), [])


def test_128_contexts_are_proposed(storage_scp: StorageScp) -> None:
    contexts = [(uid, [ExplicitVRLittleEndian]) for uid in scp.STORAGE_CLASSES[:128]]
    with Association.open(peer(storage_scp.port), contexts) as association:
        assert all(association.accepted(uid) for uid, _ in contexts)


def test_an_exception_aborts(storage_scp: StorageScp) -> None:
    with pytest.raises(KeyError), Association.open(peer(storage_scp.port), [(SC, [ExplicitVRLittleEndian])]):
        raise KeyError
    storage_scp.wait_until(lambda: storage_scp.aborts == 1)
    assert storage_scp.releases == 0


def test_closing_twice_and_a_peer_that_does_not_answer_the_release(running: Run, caplog: Any) -> None:
    association = Association.open(peer(running(scp.stalling()).port), [(SC, [ExplicitVRLittleEndian])])
    with_time_out(association, 0.2)
    association.close()
    association.close()
    association.abort()
    assert "did not answer the release" in caplog.text


def test_small_packets_are_not_held_back(storage_scp: StorageScp, no_socket_is_left_open: list[socket.socket]) -> None:
    # Measured against storescp in test_association_peers; there only its side of the two delays shows.
    with Association.open(peer(storage_scp.port), [(SC, [ExplicitVRLittleEndian])]):
        (ours,) = no_socket_is_left_open
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_echo(storage_scp: StorageScp) -> None:
    with Association.open(peer(storage_scp.port), [(VERIFICATION, [ImplicitVRLittleEndian])]) as association:
        assert association.echo().kind is Kind.SUCCESS
    association = Association.open(peer(storage_scp.port), [(SC, [ImplicitVRLittleEndian])])
    with pytest.raises(PermanentError, match="Verification"):
        association.echo()
    association.close()


def test_what_sends_and_asks_does_without_pynetdicom() -> None:
    """It takes a fifteenth of a second to load, in every process that sends anything."""
    modules = "dicomprinter.engine.tools, dicomprinter.actions.store.sending, dicomprinter.actions.query"
    code = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "dicomprinter.dicom.network.association" in loaded
    assert [name for name in loaded if name.startswith("pynetdicom")] == []
