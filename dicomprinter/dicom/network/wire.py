"""The connection under an association: TCP or TLS, carrying PDUs (PS3.8 9.3).

Blocking calls with a deadline each and no thread of its own: what fails, fails at the call, and nothing is left behind.
A peer that stops reading or answering costs one time-out.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import Final

from dicomprinter.dicom.network.pdus import PduReader
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.network.tls import client_context

_AT_ONCE: Final = 64 * 1024
_QUICK_ACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)


class Wire:
    """One open connection. Failures come as OSError (TimeoutError for a deadline) and NotAPduError.

    Args:
        sock: connected.
        max_pdu: the longest PDU in bytes that we accept, as the peer is told; 0 is unlimited.
    """

    def __init__(self, sock: socket.socket, max_pdu: int = 0) -> None:
        self._socket = sock
        self._arrived = PduReader(max_pdu)
        # TLS makes records of its own, and Windows has no such call.
        self._gathers = hasattr(sock, "sendmsg") and not isinstance(sock, ssl.SSLSocket)
        # Nagle's algorithm against the other side's delayed acknowledgement costs about 45 ms an instance.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def connect(cls, peer: Peer) -> Wire:
        """Open the connection, TLS included.

        Raises:
            OSError: no name, no connection, no TLS, each within `peer.association_timeout`.
            PermanentError: the TLS files cannot be loaded.
        """
        context = client_context(peer.tls) if peer.tls else None
        sock = socket.create_connection((peer.host, peer.port), timeout=peer.association_timeout)
        if context is not None:
            try:
                sock = context.wrap_socket(sock, server_hostname=peer.host)
            except BaseException:
                sock.close()
                raise
        return cls(sock, peer.max_pdu)

    def send(self, *parts: bytes | memoryview, timeout: float | None) -> None:
        """Send all of them, in one call where the system can; `timeout` in seconds for each step forward."""
        self._wait_at_most(timeout)
        sent = self._socket.sendmsg(parts) if self._gathers else 0
        if sent == sum(map(len, parts)):
            return
        left = memoryview(b"".join(parts))[sent:]
        while left:
            left = left[self._socket.send(left) :]

    def receive(self, timeout: float | None) -> tuple[int, bytes]:
        """The next PDU as (type, everything after its length); `timeout` in seconds for the whole of it."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (pdu := self._arrived.take()) is None:
            # A peer that sends a PDU in pieces waits for our acknowledgement between them.
            self._acknowledge_at_once()
            if timeout is not None and timeout <= 0:
                raise TimeoutError
            self._wait_at_most(timeout)
            data = self._socket.recv(_AT_ONCE)
            if not data:
                raise ConnectionResetError
            self._arrived.feed(data)
            timeout = None if deadline is None else deadline - time.monotonic()
        return pdu

    def close(self) -> None:
        """Close both directions; never fails."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()

    def _wait_at_most(self, timeout: float | None) -> None:
        if timeout != self._socket.gettimeout():
            self._socket.settimeout(timeout)

    def _acknowledge_at_once(self) -> None:
        # Linux forgets the setting after a while, so it is set again each time.
        if _QUICK_ACK is not None:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
