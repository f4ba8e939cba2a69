"""`dicomprinter echo`, against peers that are well and peers that are not."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import (
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    SecondaryCaptureImageStorage,
)

from dicomprinter.dicom.network.association import VERIFICATION
from dicomprinter.dicom.network.commands import NO_DATA_SET
from tests.cli.conftest import Call
from tests.peers import program
from tests.peers.servers import Orthanc, StoreServer, storescp
from tests.scp import (
    Connection,
    RawScp,
    StorageScp,
    accepting_nothing,
    closed_port,
    hanging_up,
    rejecting,
    silent,
    talking,
)
from tests.system.service import configuration, connection

Running = Callable[[Any], Any]
WORKLIST = "1.2.840.10008.5.1.4.31"
# For one that never answers; what is well may take longer on a machine with other things to do.
SHORT = "<AssociationTimeout>1</AssociationTimeout>"


def store(
    port: int, name: str = "Send", *, ae_title: str = "PACS", host: str = "127.0.0.1", inside: str = "", more: str = ""
) -> str:
    return f'<Store name="{name}">{connection(port, ae_title, host=host, more=more)}{inside}</Store>'


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A configuration of these actions, each performed."""

    def write(actions: str, workflow: str = '<Perform action="Send"/>') -> Path:
        file = tmp_path / "config.xml"
        file.write_text(configuration(actions, workflow), encoding="utf-8")
        return file

    return write


Write = Callable[..., Path]


def test_a_peer_that_is_well(call: Call, write: Write, storage_scp: StorageScp) -> None:
    file = write(store(storage_scp.port, inside='<Compression type="JPEG_Lossless"/>'))
    said = call("echo", file)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == f"PACS@127.0.0.1:{storage_scp.port} as DICOM_PRINTER (Send)"
    steps = [line.split()[0] for line in lines[1:] if line.startswith("  ")]
    assert steps[0] == "connection"
    assert steps[1] == "association"
    assert steps[-1] == "C-ECHO"
    assert lines[-1] == "1 of 1 peers are well"
    assert storage_scp.received == []


def test_for_a_program(call: Call, write: Write, storage_scp: StorageScp) -> None:
    (peer,) = call("echo", write(store(storage_scp.port)), "--json").json["peers"]
    assert peer["succeeded"]
    assert (peer["peer"], peer["actions"]) == (f"PACS@127.0.0.1:{storage_scp.port}", ["Send"])
    assert (peer["address"], peer["status"], peer["error"], peer["tls"]) == ("127.0.0.1", "0000", None, None)
    assert set(peer["milliseconds"]) == {"resolve", "connect", "associate", "echo"}
    assert all(0 < taken < 60_000 for taken in peer["milliseconds"].values())
    accepted = {(one["sop_class_uid"], one["transfer_syntax_uid"]) for one in peer["contexts"] if one["accepted"]}
    assert (VERIFICATION, ExplicitVRLittleEndian) in accepted
    assert (SecondaryCaptureImageStorage, ExplicitVRLittleEndian) in accepted
    assert (EncapsulatedPDFStorage, ImplicitVRLittleEndian) in accepted


def test_a_peer_of_several_actions_is_asked_once(call: Call, write: Write, storage_scp: StorageScp) -> None:
    port = storage_scp.port
    query = f'<Query name="Ask" type="Study">{connection(port, "PACS")}</Query>'
    file = write(store(port) + store(port, "Again") + store(port, "Other", ae_title="OTHER") + query)
    peers = call("echo", file, "--json").json["peers"]
    assert [peer["actions"] for peer in peers] == [["Send", "Again", "Ask"], ["Other"]]
    assert storage_scp.associations == 2
    assert storage_scp.releases == 2


def test_the_action_or_ae_title_that_is_named(call: Call, write: Write, storage_scp: StorageScp) -> None:
    tag = '<SetTag name="Tag"><DcmTag tag="Modality">OT</DcmTag></SetTag>'
    file = write(store(storage_scp.port, "Send") + store(closed_port(), "Away", ae_title="AWAY") + tag)
    assert call("echo", file, "Send").code == 0
    assert call("echo", file, "PACS").code == 0
    assert call("echo", file, "AWAY").code == 4
    assert call("echo", file).code == 4
    said = call("echo", file, "PASC")
    assert (said.code, said.err) == (
        2,
        'error: "PASC" is neither an action that connects nor an AE title; did you mean "PACS"?\n',
    )
    assert 'the action "Tag" connects to no peer' in call("echo", file, "Tag").err


def test_another_address(call: Call, write: Write, storage_scp: StorageScp) -> None:
    file = write(store(closed_port()))
    assert call("echo", file, "--endpoint", f"Send=127.0.0.1:{storage_scp.port}").code == 0
    assert call("echo", file, "--endpoint", f"Sned=127.0.0.1:{storage_scp.port}").code == 2


def test_the_peer_of_a_perform_is_asked_too(call: Call, write: Write, storage_scp: StorageScp) -> None:
    query = f'<Query name="Send" type="Worklist">{connection(closed_port(), "RIS")}</Query>'
    other = f"<Query>{connection(storage_scp.port, 'PACS')}</Query>"
    file = write(query, f'<Perform action="Send">{other}</Perform>')
    peers = call("echo", file, "--json").json["peers"]
    assert [peer["peer"].partition("@")[0] for peer in peers] == ["RIS", "PACS"]


def test_a_configuration_that_connects_nowhere(call: Call, write: Write) -> None:
    said = call("echo", write('<Query name="Send" type="Manual"/>'))
    assert (said.code, said.out) == (0, "no action of this configuration connects to a peer\n")


@pytest.mark.parametrize(
    ("scp", "code", "said"),
    [
        (lambda: rejecting(1, 1, 7), 3, "it does not answer to the called AE title"),
        (lambda: rejecting(2, 3, 2), 4, "its limit of associations is reached"),
        (
            lambda: talking(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            3,
            "another service listens there, or the port wants TLS",
        ),
        (silent, 4, "no sign of the answer to the association request"),
        (lambda: hanging_up("negotiation"), 4, "before the answer to the association request"),
        (accepting_nothing, 3, "does not take Verification"),
    ],
    ids=["unknown title", "full", "no DICOM", "silent", "hangs up", "takes nothing"],
)
def test_a_peer_that_is_not_well(  # noqa: PLR0917 - three are the case, three the fixtures
    scp: Callable[[], RawScp], code: int, said: str, call: Call, write: Write, running: Running
) -> None:
    peer = running(scp())
    file = write(store(peer.port, more=SHORT if scp is silent else ""))
    shown = call("echo", file)
    assert shown.code == code
    assert said in shown.out
    assert "0 of 1 peers are well" in shown.out
    assert shown.err == ""
    (answer,) = call("echo", file, "--json").json["peers"]
    assert not answer["succeeded"]
    assert all(answer["error"].values())


def test_nothing_listens(call: Call, write: Write) -> None:
    said = call("echo", write(store(closed_port())))
    assert said.code == 4
    assert "nothing listens on this port" in said.out
    assert "connection    to" not in said.out


def test_an_unknown_host(call: Call, write: Write) -> None:
    file = write(store(104, host="no-such-host.invalid"))
    said = call("echo", file)
    assert said.code == 4
    assert "cannot resolve the host of PACS@no-such-host.invalid:104" in said.out
    (peer,) = call("echo", file, "--json").json["peers"]
    assert (peer["address"], peer["milliseconds"], peer["contexts"]) == (None, {}, [])


def test_a_name_is_resolved(call: Call, write: Write, storage_scp: StorageScp) -> None:
    said = call("echo", write(store(storage_scp.port, host="localhost")))
    assert said.code == 0
    assert "  host name     localhost is 127.0.0.1" in said.out


def test_a_status_that_is_a_failure(call: Call, write: Write, running: Running) -> None:
    def refuse(connection: Connection) -> None:
        connection.accept()
        _, command = connection.read()
        connection.send(_echo_answer(0x0122, command[4]))
        connection.finish()

    said = call("echo", write(store(running(RawScp(refuse)).port)))
    assert said.code == 3
    assert "answered the C-ECHO with 0122" in said.out


def _echo_answer(status: int, context: int) -> bytes:
    """A P-DATA-TF with a C-ECHO-RSP (PS3.7 9.3.5.2)."""
    elements = [(0x0002, VERIFICATION.encode() + b"\0" * (len(VERIFICATION) % 2))]
    elements += [
        (tag, value.to_bytes(2, "little"))
        for tag, value in ((0x0100, 0x8030), (0x0120, 1), (0x0800, NO_DATA_SET), (0x0900, status))
    ]
    body = b"".join(
        b"\0\0" + tag.to_bytes(2, "little") + len(value).to_bytes(4, "little") + value for tag, value in elements
    )
    body = b"\0\0\0\0\x04\0\0\0" + len(body).to_bytes(4, "little") + body
    fragment = (len(body) + 2).to_bytes(4, "big") + bytes((context, 3)) + body
    return b"\x04\0" + len(fragment).to_bytes(4, "big") + fragment


def test_what_is_refused_is_told_with_its_reason(call: Call, write: Write, running: Running) -> None:
    scp = running(StorageScp(syntaxes=[ImplicitVRLittleEndian], sop_classes=[SecondaryCaptureImageStorage]))
    file = write(store(scp.port, inside='<Compression type="JPEG_Lossless"/>'))
    said = call("echo", file)
    assert said.code == 0
    assert "  accepted      Secondary Capture Image Storage as Implicit VR Little Endian\n" in said.out
    refused = {
        (one["sop_class_uid"], one["transfer_syntax_uid"]): one["reason"]
        for one in call("echo", file, "--json").json["peers"][0]["contexts"]
        if not one["accepted"]
    }
    assert refused[SecondaryCaptureImageStorage, JPEGLosslessSV1] == "transfer syntax not supported"
    assert refused[EncapsulatedPDFStorage, ExplicitVRLittleEndian] == "SOP class not supported"


def test_a_peer_that_takes_nothing_of_what_an_action_sends(call: Call, write: Write, storage_scp: StorageScp) -> None:
    """An archive that is asked for its worklist answers the C-ECHO, and the Query would fail all the same."""
    file = write(f'<Query name="Send" type="Worklist">{connection(storage_scp.port, "PACS")}</Query>')
    said = call("echo", file)
    assert said.code == 3
    assert "C-ECHO        0000 (success)" in said.out
    assert 'takes nothing of what "Send" would send; SOP class not supported' in said.out
    (peer,) = call("echo", file, "--json").json["peers"]
    assert {one["sop_class_uid"] for one in peer["contexts"] if not one["accepted"]} == {WORKLIST}


@pytest.mark.peer("openssl", "storescp")
def test_tls(call: Call, write: Write, running: Running, tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    command = [program("openssl"), *make.split(), "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    options = ("+tls", str(key), str(cert), "-ic")
    server: StoreServer = running(storescp(tmp_path / "tls", *options))
    tls = f'<Tls ca="{cert}"/>'
    file = write(f'<Store name="Send">{connection(server.port, "STORESCP", more=tls)}</Store>')
    said = call("echo", file)
    assert said.code == 0
    assert "  TLS           TLSv1." in said.out
    # Not trusted, and not spoken at all.
    file = write(f'<Store name="Send">{connection(server.port, "STORESCP", more="<Tls/>")}</Store>')
    assert call("echo", file).code == 3
    file = write(store(server.port, ae_title="STORESCP"))
    assert call("echo", file).code in (3, 4)


@pytest.mark.peer("storescp")
def test_storescp(call: Call, write: Write, storescp: StoreServer) -> None:
    file = write(store(storescp.port, ae_title="STORESCP", inside='<Compression type="JPEG_2000"/>'))
    (peer,) = call("echo", file, "--json").json["peers"]
    assert peer["succeeded"]
    assert peer["max_pdu"] == 16384
    assert all(one["accepted"] for one in peer["contexts"] if one["sop_class_uid"] == EncapsulatedPDFStorage)


@pytest.mark.peer("Orthanc")
def test_orthanc(call: Call, write: Write, orthanc: Orthanc) -> None:
    query = f'<Query name="Ask" type="Study">{connection(orthanc.port, "ORTHANC")}</Query>'
    file = write(store(orthanc.port, ae_title="ORTHANC") + query, '<Perform action="Send"/><Perform action="Ask"/>')
    (peer,) = call("echo", file, "--json").json["peers"]
    assert peer["succeeded"]
    assert peer["actions"] == ["Send", "Ask"]
    accepted = {(one["sop_class_uid"], one["transfer_syntax_uid"]) for one in peer["contexts"] if one["accepted"]}
    wanted = (VERIFICATION, SecondaryCaptureImageStorage, EncapsulatedPDFStorage, "1.2.840.10008.5.1.4.1.2.2.1")
    assert accepted >= {(one, syntax) for one in wanted for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)}
