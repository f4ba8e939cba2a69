"""A relay on the loopback interface that keeps every byte between a sender and a peer, and reads what went by."""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ

from dicomprinter.demo.listener import LOOPBACK


@dataclass(frozen=True)
class Wire:
    """What went over one connection: bytes to the peer and bytes from it."""

    sent: bytes
    received: bytes

    def proposed(self) -> dict[int, tuple[str, list[str]]]:
        """The presentation contexts asked for: number → class, syntaxes."""
        request: Any = A_ASSOCIATE_RQ()
        request.decode(_first(self.sent))
        return {
            item.context_id: (str(item.abstract_syntax), [str(syntax) for syntax in item.transfer_syntax])
            for item in request.presentation_context
        }

    def accepted(self) -> dict[int, str]:
        """The contexts that the peer took: number → syntax."""
        answer: Any = A_ASSOCIATE_AC()
        answer.decode(_first(self.received))
        return {item.context_id: str(item.transfer_syntax) for item in answer.presentation_context if item.result == 0}

    def stores(self) -> list[tuple[str, Dataset]]:
        """Each C-STORE request: the syntax of the context that it used, and its command set."""
        taken = self.accepted()
        return [(taken[number], command) for number, command in _commands(self.sent) if command.CommandField == 0x0001]

    def statuses(self) -> list[int]:
        """The status of each C-STORE response."""
        return [command.Status for _, command in _commands(self.received) if command.CommandField == 0x8001]

    def kinds(self) -> list[int]:
        """The types of the PDUs that we sent."""
        return [pdu[0] for pdu in _pdus(self.sent)]


class Relay:
    """Listens on `.port` and passes everything on to a port; `.wires` holds each connection."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listener.getsockname()[1])
        self._kept: list[tuple[bytearray, bytearray]] = []
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    @property
    def wires(self) -> list[Wire]:
        """Whole once the `with` block is left, or the connection has ended."""
        return [Wire(bytes(sent), bytes(received)) for sent, received in self._kept]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                theirs = socket.create_connection((LOOPBACK, self._target))
                kept = (bytearray(), bytearray())
                self._kept.append(kept)
                for source, target, keep in ((ours, theirs, kept[0]), (theirs, ours, kept[1])):
                    thread = threading.Thread(target=_pass_on, args=(source, target, keep), daemon=True)
                    self._threads.append(thread)
                    thread.start()


def _pass_on(source: socket.socket, target: socket.socket, keep: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            keep += data
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _pdus(data: bytes) -> Iterator[bytes]:
    start = 0
    while start + 6 <= len(data):
        length = 6 + struct.unpack_from(">L", data, start + 2)[0]
        yield data[start : start + length]
        start += length


def _first(data: bytes) -> bytes:
    return next(_pdus(data))


def _commands(data: bytes) -> Iterator[tuple[int, Dataset]]:
    """The command sets of the messages, each with its context's number (PS3.8 9.3.5 and E.2)."""
    command = b""
    for pdu in _pdus(data):
        start = 6
        while pdu[0] == 0x04 and start < len(pdu):
            length, number, control = struct.unpack_from(">LBB", pdu, start)
            if control & 1:
                command += pdu[start + 6 : start + 4 + length]
            if control & 3 == 3:
                yield number, decode(io.BytesIO(command), True, True)
                command = b""
            start += 4 + length
