"""Faults while messages are exchanged, and at the release (PS3.8 7.2 to 7.4, PS3.7 6.3 and 9.1)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.raw_scp import fragment, response
from torture.faults.fault import FINE, Expected, Fault, Phase, Play, transient
from torture.films import N_SET
from torture.peers import C_ECHO, C_FIND, C_STORE, RELEASE_ANSWER, Dialogue, Request

_BROKEN = transient("(closed the connection|aborted the association) before")
_CLOSED = transient("closed the connection before")
_ABORTED = transient("aborted the association before")
_SILENT = transient("no sign of the answers? to [CN]-|took no more of")
_GARBLED = transient("sent an answer that cannot be read")
_RELEASED = transient("released the association before")
_NOBODY: Mapping[str, Expected] = MappingProxyType({})

End = Callable[[Dialogue], object]


def _close(_: Dialogue) -> None:
    """Returns: the connection is closed."""


def _at_once(end: End) -> Play:
    def play(dialogue: Dialogue) -> None:
        end(dialogue)

    return play


def _after_command(end: End) -> Play:
    """Between the command and its data set."""

    def play(dialogue: Dialogue) -> None:
        dialogue.command()
        end(dialogue)

    return play


def _in_a_pdu(end: End) -> Play:
    """The command is read, and of the data set half a PDU."""

    def play(dialogue: Dialogue) -> None:
        dialogue.command()
        head = dialogue.socket.recv(6, socket.MSG_WAITALL)
        if len(head) < 6:
            # A C-ECHO has no data set, so the other side has gone in its place.
            raise ConnectionResetError
        (length,) = struct.unpack(">2xL", head)
        dialogue.socket.recv(length // 2, socket.MSG_WAITALL)
        end(dialogue)

    return play


def _instead(end: End) -> Play:
    """The request came whole; this comes in place of the answer."""

    def play(dialogue: Dialogue) -> None:
        dialogue.request()
        end(dialogue)

    return play


def _half_answer(end: End) -> Play:
    def play(dialogue: Dialogue) -> None:
        answer = dialogue.answer(asked(dialogue))
        dialogue.send(answer[: len(answer) - 20])
        end(dialogue)

    return play


def _saying(make: Callable[[Dialogue, Request], bytes], *, silent: bool = False) -> Play:
    """The request came whole; these bytes come in place of the answer."""

    def play(dialogue: Dialogue) -> None:
        request = asked(dialogue)
        dialogue.send(make(dialogue, request))
        if silent:
            dialogue.wait()
        else:
            # Whatever the other side thinks of it, it must not be a closed connection that it stumbles over.
            dialogue.request()

    return play


def asked(dialogue: Dialogue) -> Request:
    """The next request; the other side is not expected to go."""
    request = dialogue.request()
    if request is None:
        raise ConnectionResetError
    return request


def _slow_answer(dialogue: Dialogue) -> None:
    request = asked(dialogue)
    dialogue.slowly(dialogue.answer(request))
    dialogue.confirm(request)
    dialogue.behave()


def _late_answer(dialogue: Dialogue) -> None:
    request = asked(dialogue)
    dialogue.over.wait(2.5)
    dialogue.send(dialogue.answer(request))


def _dripping(dialogue: Dialogue) -> None:
    """Each byte in time, the whole never."""
    for byte in dialogue.answer(asked(dialogue)):
        dialogue.send(bytes((byte,)))
        dialogue.over.wait(0.3)


def _fragmented(dialogue: Dialogue) -> None:
    """The answer in PDVs of two bytes."""
    request = asked(dialogue)
    answer = dialogue.answer(request)
    pieces = b""
    start = 0
    while start < len(answer):
        length = int.from_bytes(answer[start + 2 : start + 6], "big")
        control, body = answer[start + 11], answer[start + 12 : start + 6 + length]
        for at in range(0, len(body), 2):
            last = control if at + 2 >= len(body) else control & 1
            pieces += fragment(body[at : at + 2], last, request.context)
        start += 6 + length
    dialogue.send(pieces)
    dialogue.confirm(request)
    dialogue.behave()


def _in_one_pdu(dialogue: Dialogue) -> None:
    """Every PDV of the answer in one PDU."""
    request = asked(dialogue)
    answer = dialogue.answer(request)
    items = b""
    start = 0
    while start < len(answer):
        length = int.from_bytes(answer[start + 2 : start + 6], "big")
        items += answer[start + 6 : start + 6 + length]
        start += 6 + length
    dialogue.send(struct.pack(">BxL", 0x04, len(items)) + items)
    dialogue.confirm(request)
    dialogue.behave()


def _slow_reader(dialogue: Dialogue) -> None:
    """1 KB/s from a buffer as small as the system allows."""
    dialogue.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    dialogue.bytes_per_second = 1024
    request = asked(dialogue)
    dialogue.bytes_per_second = 0
    dialogue.respond(request)
    dialogue.behave()


def _half_closed(dialogue: Dialogue) -> None:
    dialogue.socket.shutdown(socket.SHUT_WR)
    dialogue.request()
    dialogue.wait()


def _deaf(dialogue: Dialogue) -> None:
    dialogue.socket.shutdown(socket.SHUT_RD)
    dialogue.wait()


def _release_first(dialogue: Dialogue) -> None:
    """Asks for the release in place of the answer, and waits for ours."""
    dialogue.release()
    dialogue.read()


def _early_failure(dialogue: Dialogue) -> None:
    """Refuses before the data set is there, and hangs up."""
    request = dialogue.command()
    if request is not None:
        # Each says so in its own way.
        dialogue.send(dialogue.final(request, 0xC605 if request.field == N_SET else 0xA700))


def _fault(
    name: str,
    play: Play,
    expected: Expected,
    *,
    but: Mapping[str, Expected] = _NOBODY,
    only: str = "",
    passes: Phase | None = None,
) -> Fault:
    return Fault(name, Phase.EXCHANGE, play, expected, but, only, passes)


def _ends(where: str, through: Callable[[End], Play], reset: Expected = _CLOSED) -> list[Fault]:
    """Each way to break off, at one place."""
    return [
        _fault(f"aborts {where}", through(Dialogue.abort), _BROKEN),
        _fault(f"aborts as a service provider {where}", through(lambda one: one.abort(2, 1)), _BROKEN),
        _fault(f"closes {where}", through(_close), _BROKEN),
        _fault(f"resets {where}", through(Dialogue.reset), reset),
        _fault(f"falls silent {where}", through(Dialogue.wait), _SILENT, passes=Phase.EXCHANGE),
        _fault(f"asks for the release {where}", through(_release_first), transient("(released|closed|aborted) the")),
    ]


def _other(field: int) -> Callable[[Dialogue, Request], bytes]:
    """An answer to another command."""
    return lambda _, request: response(field, 0, message_id=request.message_id, context=request.context)


def _wrong_id(dialogue: Dialogue, request: Request) -> bytes:
    request.message_id += 7
    return dialogue.answer(request)


def _other_context(dialogue: Dialogue) -> None:
    """Its message id says whose answer it is all the same."""
    request = asked(dialogue)
    answer = bytearray(dialogue.final(request))
    answer[10] = 253
    found = dialogue.match(request) if request.field == C_FIND else b""
    dialogue.send(found + bytes(answer))
    dialogue.confirm(request)
    dialogue.behave()


def _request_instead(_: Dialogue, request: Request) -> bytes:
    """A request of its own in place of an answer."""
    elements = struct.pack("<HHLH", 0, 0x0100, 2, request.field) + struct.pack("<HHLH", 0, 0x0110, 2, 1)
    elements += struct.pack("<HHLH", 0, 0x0800, 2, 0x0101)
    return fragment(struct.pack("<HHLL", 0, 0, 4, len(elements)) + elements, 0x03, request.context)


def _without_status(_: Dialogue, request: Request) -> bytes:
    elements = struct.pack("<HHLH", 0, 0x0100, 2, request.field | 0x8000)
    elements += struct.pack("<HHLH", 0, 0x0120, 2, request.message_id) + struct.pack("<HHLH", 0, 0x0800, 2, 0x0101)
    return fragment(struct.pack("<HHLL", 0, 0, 4, len(elements)) + elements, 0x03, request.context)


def _changed(change: Callable[[bytearray], object]) -> Callable[[Dialogue, Request], bytes]:
    """An answer that something has happened to."""

    def make(dialogue: Dialogue, request: Request) -> bytes:
        answer = bytearray(dialogue.final(request))
        change(answer)
        return bytes(answer)

    return make


def _set(start: int, value: bytes) -> Callable[[bytearray], object]:
    return lambda answer: answer.__setitem__(slice(start, start + len(value)), value)


def _data_unasked(_: Dialogue, request: Request) -> bytes:
    """A data set where none was announced."""
    return fragment(b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100", 0x02, request.context)


def _with_data(_: Dialogue, request: Request) -> bytes:
    """A data set that its final answer does announce, and may not have."""
    return response(
        request.field | 0x8000,
        0,
        message_id=request.message_id,
        context=request.context,
        data=b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100",
    )


def _unasked_then_answer(dialogue: Dialogue) -> None:
    request = asked(dialogue)
    dialogue.send(_data_unasked(dialogue, request))
    dialogue.respond(request)
    dialogue.behave()


def _data_and_behave(dialogue: Dialogue) -> None:
    request = asked(dialogue)
    found = dialogue.match(request) if request.field == C_FIND else b""
    dialogue.send(found + _with_data(dialogue, request))
    dialogue.confirm(request)
    dialogue.behave()


def _empty_pdus(dialogue: Dialogue) -> None:
    request = asked(dialogue)
    dialogue.send(b"\x04\x00\x00\x00\x00\x00" * 3)
    dialogue.respond(request)
    dialogue.behave()


EXCHANGE: tuple[Fault, ...] = (
    *_ends("as soon as the association stands", _at_once),
    *_ends("between command and data set", _after_command),
    *_ends("in the middle of a PDU of ours", _in_a_pdu),
    *_ends("instead of the answer", _instead),
    *_ends("in the middle of its answer", _half_answer)[:5],
    _fault("answers byte by byte", _slow_answer, FINE),
    _fault("answers in PDUs of two bytes", _fragmented, FINE),
    _fault("answers in one PDU", _in_one_pdu, FINE),
    _fault("answers after empty PDUs", _empty_pdus, FINE),
    _fault("answers after the time-out", _late_answer, _SILENT, passes=Phase.EXCHANGE),
    _fault("answers so slowly that it takes for ever", _dripping, _SILENT, passes=Phase.EXCHANGE),
    _fault("reads 1 KB/s", _slow_reader, FINE),
    _fault("closes its half of the connection", _half_closed, _CLOSED),
    _fault("shuts its ears", _deaf, _SILENT, passes=Phase.EXCHANGE),
    _fault("refuses before it has the data set", _early_failure, transient("A700|C605|closed the connection")),
    _fault("answers another message", _saying(_wrong_id), _GARBLED),
    _fault("answers in another context", _other_context, FINE),
    _fault("answers another command", _saying(_other(C_ECHO | 0x8000)), _GARBLED),
    _fault("answers a query with a store", _saying(_other(C_STORE | 0x8000)), _GARBLED, only="Query"),
    _fault("answers a store with a query", _saying(_other(C_FIND | 0x8000)), _GARBLED, only="Store"),
    _fault("asks instead of answering", _saying(_request_instead), _GARBLED),
    _fault("answers without a status", _saying(_without_status), _GARBLED),
    _fault("answers with garbage", _saying(lambda *_: b"GARBAGE" * 10), _GARBLED),
    _fault("answers with zeros", _saying(lambda *_: bytes(100)), _GARBLED),
    _fault("answers with a PDU of an unknown type", _saying(lambda *_: b"\x0a\x00\x00\x00\x00\x02\x00\x00"), _GARBLED),
    _fault("answers with a PDU of 4 GB", _saying(lambda *_: b"\x04\x00\xff\xff\xff\xff" + bytes(100)), _GARBLED),
    _fault("accepts a second time", _saying(lambda *_: b"\x02\x00\x00\x00\x00\x04\x00\x00\x00\x00"), _GARBLED),
    _fault("answers a release that nobody asked for", _saying(lambda *_: RELEASE_ANSWER), _GARBLED),
    _fault(
        "says that its PDU is longer",
        _saying(_changed(_set(2, struct.pack(">L", 5000))), silent=True),
        _SILENT,
        passes=Phase.EXCHANGE,
    ),
    _fault("says that its PDU is shorter", _saying(_changed(_set(2, struct.pack(">L", 20)))), _GARBLED),
    _fault("says that its fragment is longer", _saying(_changed(_set(6, struct.pack(">L", 5000)))), _GARBLED),
    _fault("says that its fragment is shorter", _saying(_changed(_set(6, struct.pack(">L", 1)))), _GARBLED),
    _fault("breaks its command set", _saying(_changed(_set(26, b"\xff" * 20))), _GARBLED),
    _fault("answers with an empty command set", _saying(lambda _, one: fragment(b"", 0x03, one.context)), _GARBLED),
    _fault("sends data before its answer", _unasked_then_answer, FINE),
    _fault("sends data with its last answer", _data_and_behave, FINE),
    _fault("aborts with a PDU without a body", _saying(lambda *_: b"\x07\x00\x00\x00\x00\x00"), _ABORTED),
)


def _instead_of_release(data: bytes) -> Play:
    return lambda dialogue: dialogue.send(data)


def _collision(dialogue: Dialogue) -> None:
    """Both sides have asked for the release (PS3.8 7.2.2.1)."""
    dialogue.release()
    if dialogue.read()[0] == 0x06:
        dialogue.send(RELEASE_ANSWER)


def _slow_release(dialogue: Dialogue) -> None:
    dialogue.slowly(RELEASE_ANSWER, 0.02)


RELEASE: tuple[Fault, ...] = tuple(
    Fault(name, Phase.RELEASE, play, FINE, passes=passes)
    for name, play, passes in (
        ("answers the release byte by byte", _slow_release, None),
        ("aborts instead of answering the release", Dialogue.abort, None),
        ("closes instead of answering the release", _close, None),
        ("resets instead of answering the release", Dialogue.reset, None),
        ("does not answer the release", Dialogue.wait, Phase.NEGOTIATION),
        ("asks for the release itself, as we did", _collision, None),
        ("answers the release with garbage", _instead_of_release(b"GARBAGE" * 10), None),
        ("answers the release with data", _instead_of_release(response(0x8001, 0) + RELEASE_ANSWER), None),
        ("answers the release with half a PDU", _instead_of_release(RELEASE_ANSWER[:5]), None),
    )
)
