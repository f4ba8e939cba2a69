"""Asking a peer step by step whether it is there and what it takes: name, connection, TLS, association, C-ECHO."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicomprinter.dicom.network import failures
from dicomprinter.dicom.network.association import VERIFICATION, Association
from dicomprinter.dicom.network.contexts import Context, number_contexts
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.network.tls import client_context
from dicomprinter.dicom.network.wire import Wire
from dicomprinter.dicom.status import Kind, Status
from dicomprinter.errors import DicomPrinterError, PermanentError, TransientError

T = TypeVar("T")

_VERIFICATION: Final = (VERIFICATION, (ExplicitVRLittleEndian, ImplicitVRLittleEndian))


@dataclass(frozen=True)
class Proposal:
    """A presentation context that was proposed; `reason` says why it was refused, empty when it was accepted."""

    sop_class: str
    transfer_syntax: str
    reason: str = ""


@dataclass
class Examination:
    """How far a peer was come with; what was not reached is None.

    Args:
        peer: whom it is about.
        address: the address that took the connection, else the first of the host's.
        seconds: how long each step took: `resolve`, `connect`, `tls`, `associate`, `echo`.
        tls: protocol and cipher.
        max_pdu: the longest PDU in bytes that the peer takes; 0 is unlimited.
        proposals: every context, in the order proposed; empty before the association was answered.
        status: of the C-ECHO.
        error: what failed.
    """

    peer: Peer
    address: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    tls: str | None = None
    max_pdu: int | None = None
    proposals: tuple[Proposal, ...] = ()
    status: Status | None = None
    error: DicomPrinterError | None = None

    def accepts(self, contexts: Sequence[tuple[str, Sequence[str]]]) -> bool:
        """Whether the peer took any of the contexts; true of none."""
        wanted = {(str(sop_class), str(syntax)) for sop_class, syntaxes in contexts for syntax in syntaxes}
        taken = {(one.sop_class, one.transfer_syntax) for one in self.proposals if not one.reason}
        return not wanted or bool(wanted & taken)


def examine(peer: Peer, contexts: Sequence[tuple[str, Sequence[str]]]) -> Examination:
    """Go as far as the peer lets; every step has the time limits of the peer.

    Args:
        peer: whom to ask.
        contexts: what to propose beside Verification: SOP class UIDs, each with transfer syntaxes.

    Raises:
        ValueError: more than 128 contexts.
    """
    found = Examination(peer)
    proposed = number_contexts([_VERIFICATION, *contexts])
    try:
        _associate(found, _connected(found), proposed)
    except DicomPrinterError as error:
        found.error = error
    return found


def _connected(found: Examination) -> Wire:
    peer = found.peer
    context = client_context(peer.tls) if peer.tls else None
    try:
        addresses = _timed(found, "resolve", lambda: socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM))
        found.address = str(addresses[0][4][0])
        target = (peer.host, peer.port)
        sock = _timed(found, "connect", lambda: socket.create_connection(target, timeout=peer.association_timeout))
    except OSError as error:
        raise failures.cannot_connect(peer, error) from error
    try:
        found.address = str(sock.getpeername()[0])
        if context is not None:
            safe = _timed(found, "tls", lambda: context.wrap_socket(sock, server_hostname=peer.host))
            found.tls = _protocol(safe)
            return Wire(safe, peer.max_pdu)
        return Wire(sock, peer.max_pdu)
    except OSError as error:
        sock.close()
        raise failures.cannot_connect(peer, error) from error


def _protocol(sock: ssl.SSLSocket) -> str:
    cipher = sock.cipher()
    return ", ".join(part for part in (sock.version(), cipher[0] if cipher else None) if part)


def _associate(found: Examination, wire: Wire, proposed: Sequence[Context]) -> None:
    association = _timed(found, "associate", lambda: Association.over(wire, found.peer, proposed))
    refused = association.refusals()
    found.max_pdu = association.max_pdu
    found.proposals = tuple(
        Proposal(context.sop_class, context.transfer_syntax, refused.get(context, "")) for context in proposed
    )
    with association:
        if association.accepted(VERIFICATION):
            found.status = _timed(found, "echo", association.echo)
    if found.status is None:
        raise PermanentError(
            f"{found.peer} does not take Verification, so it cannot be asked by C-ECHO",
            cause=next(reason for context, reason in refused.items() if context.sop_class == VERIFICATION),
            remedy="allow Verification on the peer; what else it accepted works all the same",
        )
    if found.status.kind not in (Kind.SUCCESS, Kind.WARNING):
        failure = TransientError if found.status.kind is Kind.TRANSIENT else PermanentError
        raise failure(
            f"{found.peer} answered the C-ECHO with {found.status}",
            cause=found.status.cause,
            remedy=found.status.remedy,
        )


def _timed(found: Examination, step: str, do: Callable[[], T]) -> T:
    start = time.perf_counter()
    result = do()
    found.seconds[step] = time.perf_counter() - start
    return result
