"""A DICOM SCP on the loopback interface, for the demonstration and for tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from socketserver import BaseServer
from types import TracebackType
from typing import Any, Final, Self

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.events import Event
from pynetdicom.transport import ThreadedAssociationServer

LOOPBACK: Final = "127.0.0.1"
UNCOMPRESSED: Final[tuple[str, ...]] = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
VERIFICATION: Final = "1.2.840.10008.1.1"
_POLL: Final = 0.02

Handler = tuple[Any, Callable[[Event], Any]]


class Listener:
    """Listens as soon as it is made; `close()` or the end of the `with` block ends every association.

    Args:
        ae_title: ours; a caller may use any called AE title.
        port: 0 takes a free one; `.port` says which.
        contexts: SOP class UIDs and the transfer syntaxes to accept for them. C-ECHO is always answered.
        handlers: pairs of a pynetdicom event and what to call for it.

    Raises:
        OSError: the port is taken.
    """

    def __init__(
        self, ae_title: str, port: int, contexts: Iterable[tuple[str, Sequence[str]]], handlers: Iterable[Handler]
    ) -> None:
        self.ae_title = ae_title
        self._entity = AE(ae_title)
        self._entity.maximum_pdu_size = 0
        self._entity.add_supported_context(VERIFICATION, list(UNCOMPRESSED))
        for sop_class, syntaxes in contexts:
            self._entity.add_supported_context(sop_class, list(syntaxes))
        self._server = self._entity.make_server(
            (LOOPBACK, port),
            evt_handlers=[(evt.EVT_CONN_OPEN, _answer_at_once), *handlers],
            server_class=ThreadedAssociationServer,
        )
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,), name=ae_title, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and abort what is open; does nothing the second time."""
        if not self._thread.is_alive():
            return
        # AssociationServer's own shutdown() is for start_server(), which looks only twice a second whether to end.
        BaseServer.shutdown(self._server)
        self._server.server_close()
        self._thread.join()
        self._entity.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _answer_at_once(event: Event) -> None:
    """Without this each answer waits about 40 ms for the caller's acknowledgement."""
    connection = event.assoc.dul.socket
    if connection is not None and connection.socket is not None:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
