"""Peers on the loopback interface that keep books of what comes, and misbehave until they are healed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom.dsutils import decode, encode

from dicomprinter.demo.listener import LOOPBACK
from tests.raw_scp import Connection, RawScp, response
from tests.waiting import PATIENCE
from torture.films import N_ACTION, N_CREATE, N_SET, WITH_DATA, Film, Printer, answer_of

P_DATA, RELEASE_REQUEST, ABORT = 0x04, 0x05, 0x07
C_STORE, C_FIND, C_ECHO = 0x0001, 0x0020, 0x0030
RELEASE_ANSWER = bytes((0x06, 0, 0, 0, 0, 4, 0, 0, 0, 0))
STUDY = "1.2.276.0.99.4711.1899.7.13"
"""The study that a sound archive finds for whatever it is asked."""


class GoneError(ConnectionResetError):
    """The other side has aborted the association."""


@dataclass
class Request:
    """A DIMSE request that came whole."""

    context: int
    field: int
    message_id: int
    sop_class: str
    sop_instance: str
    data: bytes


@dataclass
class Delivery:
    """One object that came whole.

    Args:
        uid: its SOP Instance UID, as the command says it.
        patient: its Patient ID.
        study: its Study Instance UID.
        number: its instance number.
        pixels: the SHA-1 of its pixel data.
        confirmed: whether the peer has said that it is stored.
    """

    uid: str
    patient: str
    study: str
    number: int
    pixels: str
    confirmed: bool = False


class Dialogue(Connection):
    """A connection of a Peer: what a script has at hand, over the moves of a Connection.

    It reads as fast as it can, unless `bytes_per_second` says otherwise.
    """

    def __init__(self, sock: socket.socket, over: threading.Event, peer: Peer) -> None:
        super().__init__(sock, over)
        self.peer = peer
        self.bytes_per_second = 0
        self._parts = {0: bytearray(), 1: bytearray()}
        self._printer = Printer()

    def wait(self) -> None:
        """Say nothing until the peer is healed; then the connection ends, as of one that is started anew."""
        self.peer.healed.wait(PATIENCE)

    def acceptance(self, **options: Any) -> bytes:
        """As a Connection; what was asked for is entered in the books."""
        answer = super().acceptance(**options)
        self.peer.asked.append(frozenset(sop_class for sop_class, _ in self.contexts.values()))
        return answer

    def request(self) -> Request | None:
        """The next request, entered in the books; None when the other side asks for the release.

        Raises:
            GoneError: it has aborted.
        """
        found = self._request(whole=True)
        if found is not None and found.field == C_STORE:
            self.peer.enter(_delivery(found, self.contexts[found.context][1]))
        elif found is not None and found.field in (N_CREATE, N_SET):
            self._printer.take(found.field, found.sop_class, *_image(found, self.contexts[found.context][1]))
        elif found is not None and found.field == N_ACTION:
            self.peer.enter_film(self._printer.film(found.sop_instance))
        return found

    def command(self) -> Request | None:
        """The next request as soon as its command set is there: its data set is still to come."""
        return self._request(whole=False)

    def respond(self, request: Request, status: int = 0x0000) -> None:
        """Answer as a sound peer does; from now on an object counts as confirmed."""
        self.send(self.answer(request, status))
        self.confirm(request)

    def confirm(self, request: Request) -> None:
        """Note that the other side has been told that its object is stored."""
        for delivery in self.peer.deliveries:
            if delivery.uid == request.sop_instance:
                delivery.confirmed = True
        if request.field == N_ACTION:
            self._printer.films[-1].confirmed = True

    def answer(self, request: Request, status: int = 0x0000) -> bytes:
        """What a sound peer answers: to a query one match first."""
        found = self.match(request) if request.field == C_FIND and status == 0x0000 else b""
        return found + self.final(request, status)

    def final(self, request: Request, status: int = 0x0000, *, data: bytes = b"") -> bytes:
        """The last response to a request; a printer's brings what was asked for."""
        if request.field in WITH_DATA and not data:
            found = answer_of(request.field, request.sop_class, request.sop_instance)
            data = encode(found, *self._syntax(request)) or b""
        field = request.field | 0x8000
        return response(field, status & 0xFFFF, message_id=request.message_id, context=request.context, data=data)

    def match(self, request: Request, status: int = 0xFF00) -> bytes:
        """One pending response to a C-FIND."""
        data = encode(_found(), *self._syntax(request)) or b""
        return response(C_FIND | 0x8000, status, message_id=request.message_id, context=request.context, data=data)

    def serve(self, most: int | None = None) -> bool:
        """Answer requests, so many at most; True when the release was asked for, which is still to be answered."""
        while most is None or most > 0:
            request = self.request()
            if request is None:
                return True
            self.respond(request, self.peer.status_of(request))
            # A call of a circuit breaker is none of the job's.
            most = most if most is None or request.field == C_ECHO else most - 1
        return False

    def behave(self) -> None:
        """What a sound peer does from here to the end of the association."""
        if self.serve():
            self.send(RELEASE_ANSWER)

    def slowly(self, data: bytes, seconds: float = 0.002) -> None:
        """Send byte by byte."""
        for byte in data:
            self.send(bytes((byte,)))
            time.sleep(seconds)

    def _exactly(self, count: int) -> bytes:
        if not self.bytes_per_second:
            return super()._exactly(count)
        data = b""
        while len(data) < count:
            time.sleep(0.1)
            data += super()._exactly(min(count - len(data), self.bytes_per_second // 10))
        return data

    def _syntax(self, request: Request) -> tuple[bool, bool]:
        syntax = UID(self.contexts[request.context][1])
        return syntax.is_implicit_VR, syntax.is_little_endian

    def _request(self, *, whole: bool) -> Request | None:
        """Read PDUs until a command set, or a whole message, is there."""
        command: Dataset | None = None
        while True:
            kind, body = self.read()
            if kind == RELEASE_REQUEST:
                return None
            if kind != P_DATA:
                raise GoneError
            start, data = 0, self._parts
            while start < len(body):
                (length,) = struct.unpack_from(">L", body, start)
                number, control = body[start + 4], body[start + 5]
                data[control & 1] += body[start + 6 : start + 4 + length]
                start += 4 + length
                if control == 0x03:
                    command = decode(io.BytesIO(bytes(data[1])), True, True)
                if command is None:
                    continue
                is_whole = command.CommandDataSetType == 0x0101 or control == 0x02
                if is_whole or not whole:
                    found = Request(
                        number,
                        command.CommandField,
                        command.get("MessageID", 0),
                        str(command.get("AffectedSOPClassUID", "")),
                        str(command.get("AffectedSOPInstanceUID") or command.get("RequestedSOPInstanceUID", "")),
                        bytes(data[0]),
                    )
                    self._parts = {0: bytearray(), 1: bytearray()}
                    return found


def sound(dialogue: Dialogue) -> None:
    """The script of a peer that is well."""
    dialogue.accept()
    dialogue.behave()


class Peer(RawScp):
    """Plays `script` on each connection until it is healed; keeps books of what came all the while.

    `deliveries` are the objects, `again` those of them that came although they had been confirmed, `films` and
    `films_again` the same of films, `asked` the SOP classes of each association that was asked for.

    Args:
        script: what it does while it is ill.
        listening: False: connections are refused until it is healed.
        backlog_is_full: nobody takes connections until it is healed.
        tls: it speaks TLS when it is well.
    """

    def __init__(
        self,
        script: Callable[[Dialogue], None] = sound,
        *,
        listening: bool = True,
        backlog_is_full: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((LOOPBACK, 0))
        super().__init__(lambda _: None, server)
        self.ill = script
        self.is_well = script is sound
        self.healed = threading.Event()
        self.tls = tls
        self.deliveries: list[Delivery] = []
        self.again: list[Delivery] = []
        self.films: list[Film] = []
        self.films_again: list[Film] = []
        self.asked: list[frozenset[str]] = []
        self._fillers: list[socket.socket] = []
        if backlog_is_full:
            self._fill(server)
        elif listening:
            self.start()

    def heal(self) -> None:
        """From the next connection on it behaves; those on which it says nothing end."""
        self.is_well = True
        self.healed.set()
        for filler in self._fillers:
            filler.close()
        if not self._threads:
            self.start()

    def enter(self, delivery: Delivery) -> None:
        """Enter what came in the books; `again` has what came although it was confirmed."""
        if any(one.confirmed and one.uid == delivery.uid for one in self.deliveries):
            self.again.append(delivery)
        self.deliveries.append(delivery)

    def enter_film(self, film: Film) -> None:
        """As `enter`: a page of it may be on a film that was confirmed."""
        for one in self.films:
            if one.confirmed and one.patient == film.patient and set(one.pages) & set(film.pages):
                self.films_again.append(film)
        self.films.append(film)

    def status_of(self, request: Request) -> int:
        """Success, or for an object that it holds already 0111: every other peer says so."""
        times = sum(delivery.uid == request.sop_instance for delivery in self.deliveries)
        return 0x0111 if self.port % 2 and times > 1 else 0x0000

    def play(self, sock: socket.socket) -> None:
        """As RawScp; over TLS when that was asked for."""
        script = sound if self.is_well else self.ill
        if self.tls is not None and script is sound:
            with contextlib.suppress(ssl.SSLError), self.tls.wrap_socket(sock, server_side=True) as secured:
                script(Dialogue(secured, self._over, self))
            return
        script(Dialogue(sock, self._over, self))

    def _fill(self, server: socket.socket) -> None:
        """A full backlog drops further connections, as a firewall does."""
        server.listen(0)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((LOOPBACK, self.port))
            self._fillers.append(filler)

    def close(self) -> None:
        """As RawScp."""
        self.healed.set()
        for filler in self._fillers:
            filler.close()
        super().close()


@contextlib.contextmanager
def closing(peers: list[Peer]) -> Iterator[list[Peer]]:
    """Close them all at the end."""
    try:
        yield peers
    finally:
        for peer in peers:
            peer.close()


def _delivery(request: Request, syntax: str) -> Delivery:
    uid = UID(syntax)
    dataset = decode(io.BytesIO(request.data), uid.is_implicit_VR, uid.is_little_endian)
    return Delivery(
        request.sop_instance,
        str(dataset.get("PatientID", "")),
        str(dataset.get("StudyInstanceUID", "")),
        int(dataset.get("InstanceNumber") or 0),
        # One null byte may pad it.
        digest(dataset.PixelData[: dataset.Rows * dataset.Columns]),
    )


def _image(request: Request, syntax: str) -> tuple[Dataset, str]:
    """What came of a film, and what tells its image from others."""
    uid = UID(syntax)
    dataset = decode(io.BytesIO(request.data), uid.is_implicit_VR, uid.is_little_endian)
    images = dataset.get("BasicGrayscaleImageSequence") or ()
    return dataset, "".join(digest(image.PixelData[: image.Rows * image.Columns]) for image in images)


def digest(pixels: bytes) -> str:
    """What tells one page from another."""
    return hashlib.sha1(pixels, usedforsecurity=False).hexdigest()


def _found() -> Dataset:
    found = Dataset()
    found.PatientName = "Kanarienvogel^K"
    found.StudyInstanceUID = STUDY
    found.AccessionNumber = "ACC-KANARI-9"
    return found
