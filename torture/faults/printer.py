"""What only a printer can do: its statuses, its reports, how it breaks off when it is to print (PS3.4 H.4)."""

from __future__ import annotations

import struct

from tests.raw_scp import fragment
from torture.faults.exchange import End, asked
from torture.faults.fault import FINE, Expected, Fault, Phase, Play, permanent, transient
from torture.films import N_GET, N_REPORT
from torture.peers import RELEASE_ANSWER, Dialogue

_WARNINGS = (0x0107, 0x0116, 0xB600, 0xB604, 0xB605, 0xB609, 0xB60A)
_TRANSIENT = (0xC601, 0xC602, 0xC605)
_PERMANENT = (0x0105, 0x0106, 0x0110, 0x0111, 0x0112, 0x0115, 0x0120, 0x0122, 0x0124, 0x0213, 0xB602, 0xB603)
_OTHER = (0xC600, 0xC603, 0xC613, 0xC616, 0x0001, 0xA700, 0xB000, 0xFF00, 0xFFFF)
_PRINTER = b"1.2.840.10008.5.1.1.16"
_THE_PRINTER = b"1.2.840.10008.5.1.1.17"
# Explicit VR, as the first context of each class has it.
_INFO = b"\x10\x21\x20\x00CS\x0a\x00SUPPLY LOW"
_FAILURE = b"\x10\x21\x10\x00CS\x08\x00FAILURE " + b"\x10\x21\x20\x00CS\x08\x00FILM JAM"
_BROKEN = transient("(closed the connection|aborted the association) before the answer to N-ACTION")


def _answering(status: int) -> Play:
    """Answers so from the first image on."""

    def play(dialogue: Dialogue) -> None:
        while (request := dialogue.request()) is not None:
            dialogue.send(dialogue.final(request, status))
            if status in _WARNINGS:
                dialogue.confirm(request)
        dialogue.send(RELEASE_ANSWER)

    return play


def _report(context: int) -> bytes:
    """An N-EVENT-REPORT-RQ of the printer: a warning (PS3.4 H.4.6.2.1)."""
    values = {
        0x0002: _PRINTER,
        0x0100: struct.pack("<H", N_REPORT),
        0x0110: struct.pack("<H", 77),
        0x0800: struct.pack("<H", 1),
        0x1000: _THE_PRINTER,
        0x1002: struct.pack("<H", 2),
    }
    elements = b"".join(struct.pack("<HHL", 0, number, len(value)) + value for number, value in values.items())
    head = struct.pack("<HHLL", 0, 0, 4, len(elements))
    return fragment(head + elements, 0x03, context) + fragment(_INFO, 0x02, context)


def _reporting(dialogue: Dialogue) -> None:
    """Before each answer; what it says has to be answered first."""
    while (request := dialogue.request()) is not None:
        dialogue.send(_report(request.context))
        if asked(dialogue).field != N_REPORT | 0x8000:
            return
        dialogue.respond(request)
    dialogue.send(RELEASE_ANSWER)


def _reporting_for_ever(dialogue: Dialogue) -> None:
    request = asked(dialogue)
    while True:
        dialogue.send(_report(request.context))


def _failing(dialogue: Dialogue) -> None:
    dialogue.accept()
    request = asked(dialogue)
    dialogue.send(dialogue.final(request, data=_FAILURE if request.field == N_GET else b""))
    dialogue.behave()


def _instead_of_printing(end: End) -> Play:
    """The image is there; this comes when the film is to be printed."""

    def play(dialogue: Dialogue) -> None:
        dialogue.serve(1)
        dialogue.request()
        end(dialogue)

    return play


def _fault(
    name: str, play: Play, expected: Expected, *, phase: Phase = Phase.EXCHANGE, passes: Phase | None = None
) -> Fault:
    return Fault(name, phase, play, expected, only="Print", passes=passes)


PRINTER: tuple[Fault, ...] = (
    *(_fault(f"answers {status:04X}", _answering(status), FINE) for status in _WARNINGS),
    *(_fault(f"answers {one:04X}", _answering(one), transient(f"{one:04X}")) for one in _TRANSIENT),
    *(_fault(f"answers {one:04X}", _answering(one), permanent(f"{one:04X}")) for one in (*_PERMANENT, *_OTHER)),
    _fault("reports before each answer", _reporting, FINE),
    _fault("reports for ever", _reporting_for_ever, transient("1000 reports came instead")),
    _fault("has FAILURE", _failing, transient("reports FAILURE: FILM JAM"), phase=Phase.NEGOTIATION),
    _fault("aborts when it is to print", _instead_of_printing(Dialogue.abort), _BROKEN),
    _fault("closes when it is to print", _instead_of_printing(lambda _: None), _BROKEN),
    _fault("resets when it is to print", _instead_of_printing(Dialogue.reset), _BROKEN),
    _fault(
        "falls silent when it is to print",
        _instead_of_printing(Dialogue.wait),
        transient("no sign of the answer to N-ACTION"),
        passes=Phase.EXCHANGE,
    ),
)
