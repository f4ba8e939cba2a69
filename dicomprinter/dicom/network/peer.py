"""Where a DICOM application entity listens and how to speak to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tls:
    """What a TLS connection needs; all files are PEM.

    Args:
        ca: who may have signed the peer's certificate; None asks the system's own list.
        cert: our certificate, for peers that want one.
        key: its private key; None when it lies in the certificate's file.
        verify: whether the peer's certificate and host name are checked.
    """

    ca: Path | None
    cert: Path | None
    key: Path | None
    verify: bool = True


@dataclass(frozen=True)
class Peer:
    """A remote application entity; time-outs in seconds, None waits for ever.

    Args:
        max_pdu: the longest PDU in bytes that we accept (PS3.8 D.1); 0 is unlimited.
        association_timeout: for connecting, for TLS, for the answer to A-ASSOCIATE-RQ and to A-RELEASE-RQ, each.
        dimse_timeout: for each answer, and for each step forward while we send.
    """

    ae_title: str
    host: str
    port: int
    calling_ae_title: str = "DICOM_PRINTER"
    max_pdu: int = 16384
    association_timeout: float | None = 30
    dimse_timeout: float | None = 60
    tls: Tls | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.ae_title}@{host}:{self.port}"
