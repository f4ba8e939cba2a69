"""The connection under an association: TCP or TLS, carrying PDUs (PS3.8 9.3).

Blocking calls with a deadline each and no thread of its own: what fails, fails at the call, and nothing is left behind.
A peer that stops reading or answering costs one time-out.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Final

from dicomprinter.dicom.peer import Peer
from dicomprinter.dicom.tls import client_context

_HEADER: Final = struct.Struct(">BxL")
_PDU_TYPES: Final = range(0x01, 0x08)
# Far above what any peer may send us; guards against reading noise as a length.
_LONGEST_PDU: Final = 64 * 1024 * 1024
_QUICK_ACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)


class NotAPduError(ValueError):
    """What came is no PDU; the message says what it looks like."""


class Wire:
    """One open connection. Failures come as OSError (TimeoutError for a deadline) and NotAPduError."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
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
        return cls(sock)

    def send(self, data: bytes | bytearray | memoryview, timeout: float | None) -> None:
        """Send all of it; `timeout` in seconds."""
        self._socket.settimeout(timeout)
        self._socket.sendall(data)
        self._acknowledge_at_once()

    def receive(self, timeout: float | None) -> tuple[int, bytearray]:
        """The next PDU as (type, everything after its length); `timeout` in seconds for the whole of it."""
        deadline = None if timeout is None else time.monotonic() + timeout
        header = self._read(_HEADER.size, deadline)
        # A peer that sends header and body apart waits for our acknowledgement between them.
        self._acknowledge_at_once()
        kind, length = _HEADER.unpack(header)
        if kind not in _PDU_TYPES or length > _LONGEST_PDU:
            raise NotAPduError(f"it begins with the bytes {header.hex(' ')}")
        return kind, self._read(length, deadline)

    def close(self) -> None:
        """Close both directions; never fails."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()

    def _read(self, count: int, deadline: float | None) -> bytearray:
        data = bytearray(count)
        view = memoryview(data)
        while view:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            got = self._socket.recv_into(view)
            if got == 0:
                raise ConnectionResetError
            view = view[got:]
        return data

    def _acknowledge_at_once(self) -> None:
        # Linux forgets the setting after a while, so it is set again each time.
        if _QUICK_ACK is not None:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
