"""What can go wrong between us and a peer, in words: what happened, the likely cause, what to do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Final

from pydicom.uid import UID

from dicomprinter.dicom.network.peer import Peer
from dicomprinter.errors import DicomPrinterError, PermanentError, TransientError

# PS3.8 table 9-21: (source, reason) -> (meaning, remedy).
_REJECTIONS: Final[dict[tuple[int, int], tuple[str, str]]] = {
    (1, 1): ("it gave no reason", "look into the peer's log; it may not know our AE title or address"),
    (1, 2): ("it does not support the DICOM application context", "check that the port is the DICOM port"),
    (1, 3): ("it does not know our AE title", "let the peer's administrator register it, or correct MyAETitle"),
    (1, 7): ("it does not answer to the called AE title", "correct PeerAETitle: peers compare it letter by letter"),
    (2, 1): ("its association service gave no reason", "look into the peer's log"),
    (2, 2): ("it does not support this protocol version", "check that the port is the DICOM port"),
    (3, 1): ("it is congested at the moment", "try again later"),
    (3, 2): ("its limit of associations is reached", "try again later; ask for a higher limit if it stays"),
}
_SOURCES: Final = {
    1: "the peer's application",
    2: "the peer's association service",
    3: "the peer's presentation service",
}
# PS3.8 table 9-26.
_ABORTS: Final = {
    0: "it gave no reason",
    1: "it did not recognise a PDU of ours",
    2: "it did not expect a PDU of ours",
    4: "it did not recognise a parameter of a PDU of ours",
    5: "it did not expect a parameter of a PDU of ours",
    6: "a parameter of a PDU of ours had a value that it refuses",
}
# PS3.8 table 9-18.
CONTEXT_RESULTS: Final = {
    1: "refused by the peer",
    2: "refused without a reason",
    3: "SOP class not supported",
    4: "transfer syntax not supported",
}


def cannot_connect(peer: Peer, error: OSError) -> DicomPrinterError:
    """No TCP connection, or no TLS on it."""
    if isinstance(error, socket.gaierror):
        return TransientError(
            f"cannot resolve the host of {peer}",
            cause="the name is wrong, or the name server is not reachable",
            remedy="check Host, and the name server of this computer",
        )
    if isinstance(error, ssl.SSLError):
        return _tls_broken_off(peer) if _is_end(error) else tls_failed(peer, error)
    if isinstance(error, TimeoutError):
        return TransientError(
            f"{peer} did not take the connection within {_seconds(peer.association_timeout)}",
            cause="the computer is off, a firewall drops the packets, or the address is wrong",
            remedy="check Host and Port, and the network between",
        )
    if isinstance(error, ConnectionRefusedError):
        return TransientError(
            f"{peer} refused the connection",
            cause="nothing listens on this port: the peer is not running, or the port is wrong",
            remedy="start the peer, or correct Port",
        )
    return TransientError(
        f"cannot connect to {peer}",
        cause=error.strerror or type(error).__name__,
        remedy="check Host and Port, and the network between",
    )


def tls_failed(peer: Peer, error: ssl.SSLError) -> PermanentError:
    """The two sides agree on no TLS, or one does not trust the other."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return PermanentError(
            f"the certificate of {peer} cannot be trusted",
            cause=error.verify_message,
            remedy="name the authority that signed it in the ca of Tls; Host must be a name in the certificate",
        )
    return PermanentError(
        f"no TLS connection with {peer}",
        cause=error.reason.replace("_", " ").lower() if error.reason else "the handshake failed",
        remedy="check that the port speaks TLS, and that the peer accepts our certificate",
    )


def _is_end(error: ssl.SSLError) -> bool:
    """Whether the connection under TLS has ended: a peer that is stopped, not one that disagrees."""
    return isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or error.reason == "UNEXPECTED_EOF_WHILE_READING"


def _tls_broken_off(peer: Peer) -> TransientError:
    return TransientError(
        f"{peer} closed the connection before TLS stood",
        cause="the peer was stopped or crashed, or the port does not speak TLS",
        remedy="try again later; take away <Tls/> where the peer does not expect it",
    )


def rejected(peer: Peer, result: int, source: int, reason: int) -> DicomPrinterError:
    """A-ASSOCIATE-RJ (PS3.8 9.3.4): transient when the peer says so, else permanent."""
    meaning, remedy = _REJECTIONS.get(
        (source, reason), (f"reason {reason} is not in the standard", "look into the peer's log")
    )
    kind, word = (TransientError, "for now") if result == 2 else (PermanentError, "for good")
    return kind(
        f"{peer} rejected the association {word}",
        cause=f"{meaning} (said by {_SOURCES.get(source, f'source {source}')})",
        remedy=remedy,
    )


def aborted(peer: Peer, source: int, reason: int, *, awaited: str) -> TransientError:
    """A-ABORT (PS3.8 9.3.8) when something else was awaited."""
    if source == 2:
        said = f"its network layer: {_ABORTS.get(reason, f'reason {reason} is not in the standard')}"
    else:
        said = "its application ended the association and gave no reason, as the standard has it"
    return TransientError(
        f"{peer} aborted the association before {awaited}",
        cause=said,
        remedy="try again later; look into the peer's log if it stays",
    )


def released(peer: Peer, *, awaited: str) -> TransientError:
    """A-RELEASE-RQ from the peer in the middle of our work."""
    return TransientError(
        f"{peer} released the association before {awaited}",
        cause="the peer is shutting down, or ends idle associations",
        remedy="try again later",
    )


def silent(peer: Peer, seconds: float | None, *, awaited: str) -> TransientError:
    """Nothing came within the time-out."""
    return TransientError(
        f"no sign of {awaited} from {peer} within {_seconds(seconds)}",
        cause="the peer is overloaded or hangs, or what listens there does not speak DICOM",
        remedy="try again later; a slow peer needs a higher time-out",
    )


def stalled(peer: Peer, seconds: float | None, *, sending: str) -> TransientError:
    """The peer took no more bytes within the time-out."""
    return TransientError(
        f"{peer} took no more of {sending} for {_seconds(seconds)}",
        cause="the peer is overloaded or hangs, or the network is broken",
        remedy="try again later; a slow peer needs a higher time-out",
    )


def no_handshake(peer: Peer, error: OSError, *, awaited: str) -> DicomPrinterError:
    """The connection broke before the association stood; a refused TLS certificate shows itself only here."""
    if isinstance(error, ssl.SSLError) and not _is_end(error):
        return tls_failed(peer, error)
    if peer.tls is None:
        return TransientError(
            f"{peer} closed the connection before {awaited}",
            cause="the peer was stopped, a firewall cut the connection, or the port wants TLS",
            remedy="try again later; where the peer expects TLS, add <Tls/> to ConnectionParameters",
        )
    return closed(peer, awaited=awaited)


def closed(peer: Peer, *, awaited: str) -> TransientError:
    """The TCP connection ended without a word."""
    return TransientError(
        f"{peer} closed the connection before {awaited}",
        cause="the peer was stopped or crashed, or a firewall cut the connection",
        remedy="try again later; look into the peer's log if it stays",
    )


def not_dicom(peer: Peer, *, detail: str) -> PermanentError:
    """What came as the first answer is no DICOM PDU."""
    return PermanentError(
        f"{peer} does not answer in DICOM",
        cause=f"{detail}: another service listens there, or the port wants TLS",
        remedy="check Port, and whether the peer expects Tls",
    )


def garbled(peer: Peer, *, detail: str) -> TransientError:
    """A peer that spoke DICOM sends what cannot be read."""
    return TransientError(
        f"{peer} sent an answer that cannot be read",
        cause=detail,
        remedy="try again; look into the peer's log if it stays",
    )


def too_many_matches(peer: Peer, number: int) -> PermanentError:
    """More answers to a C-FIND than can be meant."""
    return PermanentError(
        f"{peer} finds too much: the query was broken off after {number} matches",
        cause="its keys leave too much open, or the peer does not look at them",
        remedy="ask by a key that has a value, such as PatientID",
    )


def endless_matches(peer: Peer, seconds: float) -> TransientError:
    """Answers to a C-FIND that come, each in time, and do not end."""
    return TransientError(
        f"{peer} did not come to the end of its matches within {_seconds(seconds)}",
        cause="the peer is overloaded, or the query's keys leave too much open",
        remedy="try again later, or ask by a key that has a value; a slow peer needs a higher time-out",
    )


def no_context(
    peer: Peer, wanted: str, *, proposed: Iterable[tuple[str, str]], accepted: Iterable[tuple[str, str]], why: str = ""
) -> PermanentError:
    """The peer takes nothing of what is to be sent: says what was proposed and what accepted.

    Args:
        peer: who refused.
        wanted: what is to be sent, in words.
        proposed: pairs of SOP class and transfer syntax UIDs.
        accepted: the ones of these that the peer took.
        why: what the peer gave as reasons.
    """
    taken = _contexts(accepted)
    return PermanentError(
        f"{peer} accepts no presentation context for {wanted}",
        cause=f"proposed: {_contexts(proposed)}; accepted: {taken or 'nothing'}" + (f" ({why})" if why else ""),
        remedy="allow the SOP class and one of these transfer syntaxes on the peer, or choose another Compression",
    )


def uid_text(uid: str) -> str:
    """`Secondary Capture Image Storage`, or the number where the dictionary has no name."""
    return UID(uid).name


def _contexts(pairs: Iterable[tuple[str, str]]) -> str:
    by_class: dict[str, list[str]] = {}
    for sop_class, syntax in pairs:
        by_class.setdefault(uid_text(sop_class), []).append(uid_text(syntax))
    return "; ".join(f"{name} as {_join(syntaxes)}" for name, syntaxes in by_class.items())


def _join(words: Sequence[str]) -> str:
    return ", ".join(words)


def _seconds(value: float | None) -> str:
    return "any time" if value is None else f"{value:g} s"
