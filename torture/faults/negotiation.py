"""Faults before an association stands (PS3.8 7.1, 9.3.2 to 9.3.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydicom.uid import JPEGBaseline8Bit
from pynetdicom.presentation import PresentationContext

from torture.faults.fault import FINE, Door, Expected, Fault, Phase, Play, permanent, transient
from torture.peers import RELEASE_ANSWER, Dialogue

_ANSWER = "the answer to the association request"
_NOT_DICOM = permanent("does not answer in DICOM")
_NO_CONTEXT = permanent("accepts no presentation context")
_CLOSED = transient(f"closed the connection before {_ANSWER}")
_SILENT = transient(f"no sign of {_ANSWER}")
# PS3.8 table 9-21: (source, reason) -> what the message has to say; the last two are not in the table.
_REASONS = {
    (1, 1): "gave no reason",
    (1, 2): "application context",
    (1, 3): "does not know our AE title",
    (1, 7): "does not answer to the called AE title",
    (2, 1): "gave no reason",
    (2, 2): "protocol version",
    (3, 0): "reason 0",
    (3, 1): "congested",
    (3, 2): "limit of associations",
    (1, 9): "reason 9",
    (7, 1): "source 7",
}
# PS3.8 table 9-26.
_ABORTS = ((0, 0), (2, 0), (2, 1), (2, 2), (2, 4), (2, 5), (2, 6), (9, 9))


def _accepting(choose: Callable[[list[Any]], list[Any]], *, max_pdu: int = 16384) -> Play:
    def play(dialogue: Dialogue) -> None:
        dialogue.send(dialogue.acceptance(choose=choose, max_pdu=max_pdu))
        dialogue.behave()

    return play


def _refusing(result: int) -> Play:
    def choose(contexts: list[Any]) -> list[Any]:
        for context in contexts:
            context.result = result
        return contexts

    return _accepting(choose)


def _only(number: int) -> Callable[[list[Any]], list[Any]]:
    """Accepts the context of this place and refuses the others."""

    def choose(contexts: list[Any]) -> list[Any]:
        for place, context in enumerate(contexts):
            context.result = 0 if place == number else 4
        return contexts

    return choose


def _unasked(contexts: list[Any], *, beside: bool) -> list[Any]:
    """Accepts contexts that nobody has proposed."""
    more = []
    for number in (201, 255):
        context = PresentationContext()
        context.context_id = number
        context.abstract_syntax = contexts[0].abstract_syntax
        context.transfer_syntax = contexts[0].transfer_syntax
        context.result = 0
        more.append(context)
    return [*contexts, *more] if beside else more


def _other_syntax(contexts: list[Any]) -> list[Any]:
    for context in contexts:
        context.transfer_syntax = [JPEGBaseline8Bit]
    return contexts


def _saying(data: bytes, *, silent: bool = False) -> Play:
    """Reads the request and says this instead of an answer."""

    def play(dialogue: Dialogue) -> None:
        dialogue.read()
        dialogue.send(data)
        if silent:
            dialogue.wait()

    return play


def _aborting(source: int, reason: int) -> Play:
    def play(dialogue: Dialogue) -> None:
        dialogue.read()
        dialogue.abort(source, reason)

    return play


def _rejecting(result: int, source: int, reason: int) -> Play:
    return lambda dialogue: dialogue.reject(result, source, reason)


def _half_then(end: Callable[[Dialogue], object]) -> Play:
    """Half an A-ASSOCIATE-AC."""

    def play(dialogue: Dialogue) -> None:
        answer = dialogue.acceptance()
        dialogue.send(answer[: len(answer) // 2])
        end(dialogue)

    return play


def _changed(change: Callable[[bytes], bytes]) -> Play:
    """An A-ASSOCIATE-AC that something has happened to."""

    def play(dialogue: Dialogue) -> None:
        dialogue.send(change(dialogue.acceptance()))
        dialogue.behave()

    return play


def _nothing(_: Dialogue) -> None:
    """Returns: the connection is closed."""


def _read_then(end: Callable[[Dialogue], object]) -> Play:
    def play(dialogue: Dialogue) -> None:
        dialogue.read()
        end(dialogue)

    return play


def _slowly(dialogue: Dialogue) -> None:
    dialogue.slowly(dialogue.acceptance())
    dialogue.behave()


def _shorter(pdu: bytes) -> bytes:
    return pdu[:2] + (len(pdu) - 46).to_bytes(4, "big") + pdu[6:]


def _mirror(dialogue: Dialogue) -> None:
    kind, body = dialogue.read()
    dialogue.send(bytes((kind, 0)) + len(body).to_bytes(4, "big") + body)


def _released_at_once(dialogue: Dialogue) -> None:
    dialogue.read()
    dialogue.release()


def _dripping(dialogue: Dialogue) -> None:
    """Each byte in time, the whole never."""
    for byte in dialogue.acceptance():
        dialogue.send(bytes((byte,)))
        dialogue.over.wait(0.3)


def _fault(name: str, play: Play, expected: Expected, *, passes: Phase | None = None, door: Door = Door.OPEN) -> Fault:
    return Fault(name, Phase.NEGOTIATION, play, expected, passes=passes, door=door)


def _rejections() -> list[Fault]:
    return [
        _fault(
            f"rejects: result {result}, source {source}, reason {reason}",
            _rejecting(result, source, reason),
            (transient if result == 2 else permanent)(f"rejected the association for .*{words}"),
        )
        for result in (1, 2)
        for (source, reason), words in _REASONS.items()
    ]


def _aborts() -> list[Fault]:
    return [
        _fault(
            f"aborts instead of the answer: source {source}, reason {reason}",
            _aborting(source, reason),
            transient(f"aborted the association before {_ANSWER}"),
        )
        for source, reason in _ABORTS
    ]


def _max_pdus() -> list[Fault]:
    """Two bytes of data are the least that a PDU can carry beside its overhead of six."""
    sizes = {
        1: False,
        6: False,
        7: False,
        8: True,
        9: True,
        129: True,
        4096: True,
        4097: True,
        0: True,
        2**32 - 1: True,
    }
    return [
        _fault(
            f"takes PDUs of {size} bytes" if size else "takes PDUs of any length",
            _accepting(list, max_pdu=size),
            FINE if fits else permanent(f"accepts PDUs of {size} bytes at most"),
        )
        for size, fits in sizes.items()
    ]


NEGOTIATION: tuple[Fault, ...] = (
    _fault("refuses the connection", _nothing, transient("refused the connection"), door=Door.CLOSED),
    _fault(
        "does not take the connection",
        _nothing,
        transient("did not take the connection within"),
        passes=Phase.NEGOTIATION,
        door=Door.FULL,
    ),
    _fault("has a name that nobody knows", _nothing, transient("cannot resolve the host"), door=Door.NOWHERE),
    _fault("takes the connection and reads nothing", Dialogue.wait, _SILENT, passes=Phase.NEGOTIATION),
    _fault("reads the request and says nothing", _read_then(Dialogue.wait), _SILENT, passes=Phase.NEGOTIATION),
    _fault("closes at once", _nothing, _CLOSED),
    _fault("resets at once", Dialogue.reset, transient("closed the connection before|cannot connect to")),
    _fault("closes instead of the answer", _read_then(_nothing), _CLOSED),
    _fault("resets instead of the answer", _read_then(Dialogue.reset), _CLOSED),
    _fault("closes in the middle of its answer", _half_then(_nothing), _CLOSED),
    _fault("resets in the middle of its answer", _half_then(Dialogue.reset), _CLOSED),
    _fault("stops in the middle of its answer", _half_then(Dialogue.wait), _SILENT, passes=Phase.NEGOTIATION),
    _fault("accepts byte by byte", _slowly, FINE),
    _fault("accepts so slowly that it takes for ever", _dripping, _SILENT, passes=Phase.NEGOTIATION),
    *_rejections(),
    *_aborts(),
    _fault("releases instead of the answer", _released_at_once, _NOT_DICOM),
    _fault("answers a release that nobody asked for", _saying(RELEASE_ANSWER), _NOT_DICOM),
    _fault("answers in HTTP", _saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), _NOT_DICOM),
    _fault("answers in TLS", _saying(b"\x15\x03\x01\x00\x02\x02\x46"), _NOT_DICOM),
    _fault("answers in noise", _saying(bytes(range(255, 0, -1)) * 4), _NOT_DICOM),
    _fault("answers with nothing but zeros", _saying(bytes(1000)), _NOT_DICOM),
    _fault("answers two bytes", _saying(b"\x02\x00", silent=True), _SILENT, passes=Phase.NEGOTIATION),
    _fault("answers with our own request", _mirror, _NOT_DICOM),
    _fault("answers with a PDU of an unknown type", _saying(b"\x09\x00\x00\x00\x00\x02\x00\x00"), _NOT_DICOM),
    _fault("answers with data", _saying(b"\x04\x00\x00\x00\x00\x06\x00\x00\x00\x02\x01\x03"), _NOT_DICOM),
    _fault("answers with a PDU of 4 GB", _saying(b"\x02\x00\xff\xff\xff\xff" + bytes(100)), _NOT_DICOM),
    _fault("answers with a PDU without a body", _saying(b"\x02\x00\x00\x00\x00\x00"), _NOT_DICOM),
    _fault("rejects with a PDU without a body", _saying(b"\x03\x00\x00\x00\x00\x00"), _NOT_DICOM),
    _fault("aborts with a PDU without a body", _saying(b"\x07\x00\x00\x00\x00\x00"), _NOT_DICOM),
    _fault(
        "says that its answer is longer than it is",
        _changed(lambda pdu: pdu[:2] + b"\x00\x00\x40\x00" + pdu[6:]),
        _SILENT,
        passes=Phase.NEGOTIATION,
    ),
    _fault("says that its answer is shorter than it is", _changed(_shorter), _NOT_DICOM),
    *(_fault(f"accepts no context: result {result}", _refusing(result), _NO_CONTEXT) for result in (1, 2, 3, 4, 9)),
    _fault("accepts an association without contexts", _accepting(lambda _: []), _NO_CONTEXT),
    _fault("accepts only the first context", _accepting(_only(0)), FINE),
    _fault("accepts only the second context", _accepting(_only(1)), FINE),
    _fault(
        "accepts contexts that were not proposed", _accepting(lambda found: _unasked(found, beside=False)), _NO_CONTEXT
    ),
    _fault("accepts more contexts than were proposed", _accepting(lambda found: _unasked(found, beside=True)), FINE),
    _fault("accepts a transfer syntax that was not proposed", _accepting(_other_syntax), _NO_CONTEXT),
    *_max_pdus(),
)
