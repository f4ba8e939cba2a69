"""The association against programs that nobody here wrote."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from dicomprinter.demo.worklist import WORKLIST_FIND, worklist_entry
from dicomprinter.dicom.network.association import VERIFICATION, Association
from dicomprinter.dicom.network.peer import Peer, Tls
from dicomprinter.dicom.status import Kind
from dicomprinter.errors import PermanentError, TransientError
from tests.dicom.helpers import SC, instance, send
from tests.peers import program, servers
from tests.waiting import PATIENCE

Run = Callable[[Any], Any]
STUDY = "1.2.840.10008.5.1.4.1.2.2.1"


def peer(server: Any, ae_title: str = "PACS", **settings: Any) -> Peer:
    return Peer(
        getattr(server, "ae_title", ae_title),
        "127.0.0.1",
        server.port,
        **{"association_timeout": PATIENCE, "dimse_timeout": PATIENCE, **settings},
    )


@pytest.mark.peer("storescp")
def test_storescp_keeps_every_byte(storescp: servers.StoreServer, tmp_path: Path) -> None:
    sent = [instance(tmp_path, syntax=syntax) for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)]
    with Association.open(peer(storescp), [(SC, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])]) as association:
        for path, uid in sent:
            syntax = dcmread(path).file_meta.TransferSyntaxUID
            assert association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=syntax).status.code == 0
    assert [found.file_meta.TransferSyntaxUID for found in storescp.read()] == [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
    ]
    assert storescp.read() == [dcmread(path) for path, _ in sent]


@pytest.mark.peer("storescp")
def test_an_instance_does_not_wait_for_a_delayed_acknowledgement(storescp: servers.StoreServer, tmp_path: Path) -> None:
    path, uid = instance(tmp_path, size=262_144)
    taken = []
    with Association.open(peer(storescp), [(SC, [ExplicitVRLittleEndian])]) as association:
        for _ in range(40):
            started = time.monotonic()
            association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)
            taken.append(time.monotonic() - started)
    # Its Nagle against our delayed acknowledgement costs every instance 44 ms; a busy machine delays most of them.
    assert sorted(taken)[3] < 0.03, [round(seconds, 3) for seconds in sorted(taken)]


@pytest.mark.peer("storescp")
@pytest.mark.parametrize(
    ("option", "kind", "words"),
    [
        ("--refuse", PermanentError, "rejected the association for good"),
        ("--abort-during", TransientError, "before"),
        ("--abort-after", TransientError, "aborted the association before the answer to C-STORE"),
    ],
)
def test_storescp_misbehaves(running: Run, tmp_path: Path, option: str, kind: type[Exception], words: str) -> None:
    server = running(servers.storescp(tmp_path / "scp", option))
    with (
        pytest.raises(kind, match=words),
        Association.open(peer(server), [(SC, [ExplicitVRLittleEndian])]) as association,
    ):
        send(association, tmp_path, size=1_000_000)


@pytest.mark.peer("storescp")
def test_storescp_answers_too_late(running: Run, tmp_path: Path) -> None:
    server = running(servers.storescp(tmp_path / "scp", "--sleep-during", "30"))
    with (
        pytest.raises(TransientError, match="no sign of the answer to C-STORE"),
        Association.open(peer(server, dimse_timeout=0.3), [(SC, [ExplicitVRLittleEndian])]) as association,
    ):
        send(association, tmp_path)


@pytest.mark.peer("dcmqrscp")
def test_dcmqrscp_takes_uncompressed_only_and_finds_it(dcmqrscp: servers.ArchiveServer, tmp_path: Path) -> None:
    contexts = [
        (SC, [RLELossless, ExplicitVRLittleEndian, ImplicitVRLittleEndian]),
        (VERIFICATION, [ExplicitVRLittleEndian]),
    ]
    path, uid = instance(tmp_path)
    stored = dcmread(path)
    stored.SpecificCharacterSet = "ISO_IR 100"
    stored.PatientName = "Müller^Jürgen"
    stored.PatientID = "M1"
    stored.StudyInstanceUID = "1.2.3"
    stored.SeriesInstanceUID = "1.2.3.4"
    stored.save_as(path)
    with Association.open(peer(dcmqrscp), contexts) as association:
        assert association.accepted(SC) == (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
        assert association.echo().kind is Kind.SUCCESS
        result = association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)
        assert result.status.stored
    keys = Dataset()
    keys.QueryRetrieveLevel = "STUDY"
    keys.StudyInstanceUID = ""
    keys.PatientName = "Müller*"
    with Association.open(peer(dcmqrscp), [(STUDY, [ExplicitVRLittleEndian])]) as association:
        (found,) = association.find(STUDY, keys)
        assert str(found.PatientName) == "Müller^Jürgen"
        keys.PatientName = "Maier*"
        assert list(association.find(STUDY, keys)) == []


@pytest.mark.peer("Orthanc")
def test_orthanc_stores_and_answers_in_unicode(orthanc: servers.Orthanc, tmp_path: Path) -> None:
    path, uid = instance(tmp_path)
    stored = dcmread(path)
    stored.SpecificCharacterSet = "ISO_IR 192"
    stored.PatientName = "Yamada^Tarou=山田^太郎"
    stored.PatientID = "Y1"
    stored.StudyInstanceUID = "1.2.3"
    stored.SeriesInstanceUID = "1.2.3.4"
    stored.save_as(path)
    with Association.open(
        peer(orthanc), [(SC, [ExplicitVRLittleEndian]), (STUDY, [ExplicitVRLittleEndian])]
    ) as association:
        result = association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)
        assert result.status.kind is Kind.SUCCESS
        (name,) = orthanc.instances()
        assert dcmread(BytesIO(orthanc.file(name))) == stored
        assert orthanc.tags(name)["PatientName"] == "Yamada^Tarou=山田^太郎"
        keys = Dataset()
        keys.QueryRetrieveLevel = "STUDY"
        keys.PatientID = "Y1"
        keys.PatientName = ""
        (found,) = association.find(STUDY, keys)
    assert str(found.PatientName) == "Yamada^Tarou=山田^太郎"


@pytest.mark.peer("Orthanc")
def test_orthanc_refuses_a_wrong_called_title(running: Run, tmp_path: Path) -> None:
    server = running(servers.orthanc(tmp_path / "orthanc", settings={"DicomCheckCalledAet": True}))
    wrong = Peer("WRONG", "127.0.0.1", server.port)
    with pytest.raises(PermanentError, match="does not answer to the called AE title"):
        Association.open(wrong, [(SC, [ExplicitVRLittleEndian])])


ENTRIES = [
    worklist_entry(
        patient_name="Müller^Jürgen",
        patient_id="M1",
        accession_number="A1",
        description="Spirometrie",
        start=datetime(2026, 1, 31, 10, 30),
    ),
    worklist_entry(
        patient_name="Doe^John",
        patient_id="D1",
        accession_number="A2",
        description="ECG",
        start=datetime(2026, 2, 1, 8, 0),
    ),
]


def worklist_keys(name: str, dates: str = "") -> Dataset:
    step = Dataset()
    step.ScheduledProcedureStepStartDate = dates
    step.ScheduledProcedureStepDescription = ""
    keys = Dataset()
    keys.PatientName = name
    keys.PatientID = ""
    keys.AccessionNumber = ""
    keys.ScheduledProcedureStepSequence = [step]
    return keys


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(
            lambda folder: servers.wlmscpfs(folder, ENTRIES), marks=pytest.mark.peer("wlmscpfs"), id="wlmscpfs"
        ),
        pytest.param(
            lambda folder: servers.orthanc(folder, worklist=ENTRIES), marks=pytest.mark.peer("Orthanc"), id="Orthanc"
        ),
    ],
)
def test_worklists(running: Run, tmp_path: Path, start: Callable[[Path], Any]) -> None:
    server = running(start(tmp_path / "worklist"))
    with Association.open(peer(server), [(WORKLIST_FIND, [ExplicitVRLittleEndian])]) as association:
        both = list(association.find(WORKLIST_FIND, worklist_keys("")))
        (one,) = association.find(WORKLIST_FIND, worklist_keys("M*", "20260131-20260131"))
        none = list(association.find(WORKLIST_FIND, worklist_keys("", "20270101-")))
    assert sorted(found.AccessionNumber for found in both) == ["A1", "A2"]
    assert str(one.PatientName) == "Müller^Jürgen"
    assert one.ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription == "Spirometrie"
    assert none == []


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`key.pem` and `cert.pem` for localhost, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = str(folder / "key.pem"), str(folder / "cert.pem")
    command = f"{program('openssl')} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split()
    subprocess.run(
        [*command, "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.mark.peer("storescp", "openssl")
def test_tls(running: Run, tmp_path: Path, certificates: Path) -> None:
    key, cert = certificates / "key.pem", certificates / "cert.pem"
    server = running(servers.storescp(tmp_path / "scp", "+tls", str(key), str(cert), "+cf", str(cert)))

    def called(host: str, tls: Tls | None) -> Association:
        target = Peer("PACS", host, server.port, tls=tls, association_timeout=PATIENCE)
        return Association.open(target, [(SC, [ExplicitVRLittleEndian])])

    ours = Tls(ca=cert, cert=cert, key=key)
    with called("localhost", ours) as association:
        assert send(association, tmp_path, size=1_000_000).status.stored
    with called("127.0.0.1", Tls(ca=None, cert=cert, key=key, verify=False)) as association:
        assert send(association, tmp_path).status.stored
    with pytest.raises(PermanentError, match=r"cannot be trusted; .*127"):
        called("127.0.0.1", ours)
    with pytest.raises(PermanentError, match=r"cannot be trusted; .*self.signed"):
        called("localhost", Tls(ca=None, cert=cert, key=key))
    # Without our certificate the peer refuses, in TLS 1.3 only after the handshake.
    with pytest.raises(PermanentError, match="no TLS connection"):
        called("localhost", Tls(ca=cert, cert=None, key=None))
    with pytest.raises((PermanentError, TransientError)) as caught:
        called("localhost", None)
    assert "DICOM" in str(caught.value) or "closed the connection" in str(caught.value)


def test_tls_files_that_are_missing_or_wrong(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no PEM")
    for tls in (Tls(tmp_path / "missing", None, None), Tls(None, tmp_path / "text", None)):
        with pytest.raises(PermanentError, match="cannot load the TLS files"):
            Association.open(Peer("PACS", "127.0.0.1", 1, tls=tls), [(SC, [ExplicitVRLittleEndian])])
