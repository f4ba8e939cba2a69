"""SCPs that follow a script byte by byte, for what pynetdicom would never do."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import A_ASSOCIATE

from dicomprinter.demo.listener import LOOPBACK
from tests.waiting import PATIENCE


class Connection:
    """One accepted TCP connection of a RawScp, with the moves that a script is made of.

    `lengths` holds the length field of each PDU read, `contexts` the presentation contexts that were asked for: number
    → class, syntax.
    """

    def __init__(self, sock: socket.socket, over: threading.Event) -> None:
        self.socket = sock
        self.over = over
        self.lengths: list[int] = []
        self.contexts: dict[int, tuple[str, str]] = {}

    def read(self) -> tuple[int, bytes]:
        """The next PDU as (type, body)."""
        kind, length = struct.unpack(">BxL", self._exactly(6))
        self.lengths.append(length)
        return kind, self._exactly(length)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def accept(self, *, refuse: bool = False, max_pdu: int = 16384, syntax: str | None = None) -> None:
        """Answer the association request: accept every context, or none; `syntax` is claimed for all of them."""
        self.send(self.acceptance(refuse=refuse, max_pdu=max_pdu, syntax=syntax))

    def acceptance(
        self,
        *,
        refuse: bool = False,
        max_pdu: int = 16384,
        syntax: str | None = None,
        choose: Callable[[list[Any]], list[Any]] = list,
    ) -> bytes:
        """Read the association request; what `accept` would send, `choose` having the last word on its contexts."""
        kind, body = self.read()
        request = A_ASSOCIATE_RQ()
        request.decode(struct.pack(">BxL", kind, len(body)) + body)
        wanted = request.to_primitive()
        answer = A_ASSOCIATE()
        answer.application_context_name = wanted.application_context_name
        answer.calling_ae_title = wanted.calling_ae_title
        answer.called_ae_title = wanted.called_ae_title
        answer.result = 0
        answer.result_source = 1
        results = list(wanted.presentation_context_definition_list)
        for context in results:
            self.contexts[context.context_id] = (str(context.abstract_syntax), str(context.transfer_syntax[0]))
            context.result = 3 if refuse else 0
            if syntax:
                context.transfer_syntax = [syntax]
        answer.presentation_context_definition_results_list = choose(results)
        user: Any = wanted.user_information
        user[0].maximum_length_received = max_pdu
        answer.user_information = user
        return bytes(A_ASSOCIATE_AC(answer).encode())

    def reject(self, result: int, source: int, reason: int) -> None:
        self.read()
        self.send(bytes((0x03, 0, 0, 0, 0, 4, 0, result, source, reason)))

    def abort(self, source: int = 0, reason: int = 0) -> None:
        self.send(bytes((0x07, 0, 0, 0, 0, 4, 0, 0, source, reason)))

    def release(self) -> None:
        """Ask for the release, as a peer that wants to go."""
        self.send(bytes((0x05, 0, 0, 0, 0, 4, 0, 0, 0, 0)))

    def reset(self) -> None:
        """Break the connection off as a crash does: no FIN but an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def read_message(self) -> tuple[bytes, bytes]:
        """The next message as (command set, data set), both encoded."""
        parts = {0: b"", 1: b""}
        complete = 0
        while complete < 2:
            _, body = self.read()
            start = 0
            while start < len(body):
                length = int.from_bytes(body[start : start + 4], "big")
                control = body[start + 5]
                parts[control & 1] += body[start + 6 : start + 4 + length]
                complete += control >> 1 & 1
                start += 4 + length
        return parts[1], parts[0]

    def answer_store(self, status: int = 0x0000, *, message_id: int = 1, context: int = 1) -> None:
        self.send(store_answer(status, message_id=message_id, context=context))

    def finish(self) -> None:
        """Answer the release that is to come."""
        while self.read()[0] != 0x05:
            pass
        self.send(bytes((0x06, 0, 0, 0, 0, 4, 0, 0, 0, 0)))

    def wait(self) -> None:
        """Say nothing until the test is over."""
        self.over.wait(PATIENCE)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionResetError
            data += part
        return data


Script = Callable[[Connection], None]


class RawScp:
    """Takes TCP connections and plays a script on each; closes the connection at the end of the script."""

    def __init__(self, script: Script, server: socket.socket | None = None) -> None:
        """`server` is a socket of the caller's own, which it calls `start` for; without one it listens at once."""
        self._script = script
        self._over = threading.Event()
        self._server = server or socket.create_server((LOOPBACK, 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port: int = self._server.getsockname()[1]
        self.connections = 0
        if server is None:
            self.start()

    def start(self) -> None:
        """Take connections from now on."""
        self._server.listen(128)
        self._listen(self._serve)

    def close(self) -> None:
        self._over.set()
        for sock in (self._server, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def play(self, sock: socket.socket) -> None:
        """What becomes of one connection."""
        self._script(Connection(sock, self._over))

    def _listen(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True, name="raw-scp")
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._server.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self._open.append(sock)
                self._listen(self._play, sock)

    def _play(self, sock: socket.socket) -> None:
        # The other side may hang up at any point of a script.
        with contextlib.suppress(OSError), sock:
            self.play(sock)


def silent() -> RawScp:
    """Takes the connection and says nothing."""
    return RawScp(Connection.wait)


def rejecting(result: int, source: int, reason: int) -> RawScp:
    """Answers with A-ASSOCIATE-RJ: result 1 permanent, 2 transient; PS3.8 table 9-21."""
    return RawScp(lambda connection: connection.reject(result, source, reason))


def accepting_nothing() -> RawScp:
    """Accepts the association and none of its contexts."""

    def script(connection: Connection) -> None:
        connection.accept(refuse=True)
        connection.finish()

    return RawScp(script)


def aborting(when: str, *, source: int = 0, reason: int = 0) -> RawScp:
    """Aborts: `negotiation` instead of accepting, `during` the first data, `before` or `after` the first answer."""

    def script(connection: Connection) -> None:
        if when == "negotiation":
            connection.read()
        else:
            connection.accept()
            if when == "during":
                connection.read()
                connection.read()
            else:
                connection.read_message()
                if when == "after":
                    connection.answer_store()
        connection.abort(source, reason)

    return RawScp(script)


def hanging_up(when: str) -> RawScp:
    """Closes TCP: `negotiation` instead of accepting, `during` the first data, `before` the first answer."""

    def script(connection: Connection) -> None:
        if when == "negotiation":
            connection.read()
            return
        connection.accept()
        if when == "during":
            connection.read()
            connection.read()
        else:
            connection.read_message()

    return RawScp(script)


def answering_late(seconds: float) -> RawScp:
    """Answers the first C-STORE after so many seconds."""

    def script(connection: Connection) -> None:
        connection.accept()
        connection.read_message()
        connection.over.wait(seconds)
        connection.answer_store()
        connection.wait()

    return RawScp(script)


def stalling(max_pdu: int = 16384) -> RawScp:
    """Accepts the association and reads nothing more."""

    def script(connection: Connection) -> None:
        connection.accept(max_pdu=max_pdu)
        connection.wait()

    return RawScp(script)


def talking(data: bytes) -> RawScp:
    """Answers the first PDU with these bytes, DICOM or not."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.send(data)
        connection.wait()

    return RawScp(script)


def store_answer(status: int, *, message_id: int = 1, context: int = 1) -> bytes:
    """A P-DATA-TF PDU with a C-STORE response."""
    return response(0x8001, status, message_id=message_id, context=context)


def response(field: int, status: int, *, message_id: int = 1, context: int = 1, data: bytes = b"") -> bytes:
    """A P-DATA-TF PDU with a DIMSE response; one more with its data set, if it has any."""
    announced = 0x0001 if data else 0x0101
    elements = b"".join(
        struct.pack("<HHLH", 0x0000, element, 2, value)
        for element, value in ((0x0100, field), (0x0120, message_id), (0x0800, announced), (0x0900, status))
    )
    command = struct.pack("<HHLL", 0x0000, 0x0000, 4, len(elements)) + elements
    return fragment(command, 0x03, context) + (fragment(data, 0x02, context) if data else b"")


def fragment(data: bytes, control: int, context: int = 1) -> bytes:
    """A P-DATA-TF PDU with one PDV; control: 1 of a command, 2 the last (PS3.8 E.2)."""
    return struct.pack(">BxLLBB", 0x04, len(data) + 6, len(data) + 2, context, control) + data
