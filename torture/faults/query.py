"""What only a C-FIND can meet: matches that break off, are none, or never end (PS3.7 9.1.2)."""

from __future__ import annotations

from dataclasses import replace

from tests.raw_scp import fragment, response
from torture.faults.exchange import End, asked
from torture.faults.fault import FINE, Expected, Fault, Phase, Play, permanent, transient
from torture.peers import C_FIND, Dialogue, Request

_GARBLED = transient("sent an answer that cannot be read")
_BROKEN = transient("(closed the connection|aborted the association) before")
_SILENT = transient("no sign of the answers to C-FIND")


def _after_a_match(end: End) -> Play:
    def play(dialogue: Dialogue) -> None:
        dialogue.send(dialogue.match(asked(dialogue)))
        end(dialogue)

    return play


def _in_a_match(end: End) -> Play:
    def play(dialogue: Dialogue) -> None:
        request = asked(dialogue)
        dialogue.send(dialogue.match(request) + dialogue.match(request)[:-9])
        end(dialogue)

    return play


def _found_as(status: int) -> Play:
    def play(dialogue: Dialogue) -> None:
        request = asked(dialogue)
        dialogue.send(dialogue.match(request, status) + dialogue.final(request))
        dialogue.behave()

    return play


def _saying(data: bytes, *, announced: bool = True) -> Play:
    """A match that is none."""

    def play(dialogue: Dialogue) -> None:
        request = asked(dialogue)
        head = _pending(request, announced=announced)
        body = fragment(data, 0x02, request.context) if announced else b""
        dialogue.send(head + body + dialogue.final(request))
        dialogue.request()

    return play


def _pending(request: Request, *, announced: bool) -> bytes:
    """The command set of a pending response alone."""
    whole = response(
        C_FIND | 0x8000,
        0xFF00,
        message_id=request.message_id,
        context=request.context,
        data=b"12" if announced else b"",
    )
    return whole[: -len(fragment(b"12", 0x02))] if announced else whole


def _for_ever(seconds: float) -> Play:
    """One match after the other."""

    def play(dialogue: Dialogue) -> None:
        match = dialogue.match(asked(dialogue))
        # Many at once where there is no pause.
        several = match * (1 if seconds else 100)
        while not dialogue.over.wait(seconds):
            dialogue.send(several)

    return play


def _fault(name: str, play: Play, expected: Expected, *, passes: Phase | None = None) -> Fault:
    return Fault(name, Phase.EXCHANGE, play, expected, only="Query", passes=passes)


QUERY: tuple[Fault, ...] = (
    _fault("finds one with FF01", _found_as(0xFF01), FINE),
    _fault("aborts after a match", _after_a_match(Dialogue.abort), _BROKEN),
    _fault("closes after a match", _after_a_match(lambda _: None), _BROKEN),
    _fault("resets after a match", _after_a_match(Dialogue.reset), _BROKEN),
    _fault("falls silent after a match", _after_a_match(Dialogue.wait), _SILENT, passes=Phase.EXCHANGE),
    _fault("aborts in the middle of a match", _in_a_match(Dialogue.abort), transient("aborted|closed|cannot be read")),
    _fault("closes in the middle of a match", _in_a_match(lambda _: None), _BROKEN),
    _fault("resets in the middle of a match", _in_a_match(Dialogue.reset), _BROKEN),
    _fault("falls silent in the middle of a match", _in_a_match(Dialogue.wait), _SILENT, passes=Phase.EXCHANGE),
    _fault("finds what is no data set", _saying(b"\x08\x00\x05\x00CS\xff\xffGARBAGE"), _GARBLED),
    _fault("finds half of a match", _saying(b"\x10\x00\x20\x00LO\x08\x00CANA"), _GARBLED),
    _fault("finds a match without a data set", _saying(b"", announced=False), _GARBLED),
    replace(_fault("finds matches for ever", _for_ever(0), permanent("finds too much")), busy=60),
    _fault(
        "finds a match now and then, for ever", _for_ever(0.3), transient("end of its matches"), passes=Phase.EXCHANGE
    ),
)
