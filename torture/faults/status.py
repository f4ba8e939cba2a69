"""Every status that a peer can answer with (PS3.7 Annex C, PS3.4 GG.4.2 and C.4.1.1.4), and what belongs to a query."""

from __future__ import annotations

from torture.faults.fault import FINE, Expected, Fault, Phase, Play, permanent, transient
from torture.peers import RELEASE_ANSWER, Dialogue

_WARNINGS = (0xB000, 0xB006, 0xB007, 0xB123, 0xBFFF, 0x0107, 0x0116)
_TRANSIENT = (0xA700, 0xA701, 0xA7FF, 0x0110, 0x0213)
_PERMANENT = (0xA900, 0xA9FF, 0xC000, 0xC123, 0xCFFF, 0x0122, 0x0112, 0x0117, 0x0124, 0x0210, 0x0211, 0x0212)
# Neither table knows these.
_OTHER = (0x0001, 0x0105, 0x0106, 0x0115, 0x0118, 0x0119, 0x0120, 0x0121, 0xA6FF, 0xA800, 0xD000, 0xFFFF)
_CANCELLED = 0xFE00


def _answering(status: int, *, pending: int = 0) -> Play:
    """Answers every request so; `pending` matches come before."""

    def play(dialogue: Dialogue) -> None:
        while (request := dialogue.request()) is not None:
            matches = dialogue.match(request) * pending
            dialogue.send(matches + dialogue.final(request, status))
            if status in (0x0000, *_WARNINGS):
                dialogue.confirm(request)
        dialogue.send(RELEASE_ANSWER)

    return play


def _expected(status: int, *, finds: bool) -> Expected:
    """What the table of store.md, or of query.md, asks for."""
    words = f"{status:04X}"
    if status in _TRANSIENT or (finds and status == _CANCELLED):
        return transient(words)
    if not finds and status in _WARNINGS:
        return FINE
    return permanent(words)


def _stores() -> list[Fault]:
    statuses = (*_WARNINGS, *_TRANSIENT, *_PERMANENT, 0x0111, *_OTHER, _CANCELLED, 0xFF00)
    return [
        Fault(f"answers {status:04X}", Phase.EXCHANGE, _answering(status), _expected(status, finds=False), only="Store")
        for status in statuses
    ]


def _finds() -> list[Fault]:
    """Only 0000 says that all answers came."""
    statuses = (*_WARNINGS, *_TRANSIENT, *_PERMANENT, 0x0111, *_OTHER, _CANCELLED, 0xFF02)
    return [
        Fault(
            f"answers {status:04X} after {pending} matches",
            Phase.EXCHANGE,
            _answering(status, pending=pending),
            _expected(status, finds=True),
            only="Query",
        )
        for status in statuses
        for pending in (0, 2)
    ]


STATUS: tuple[Fault, ...] = (*_stores(), *_finds())
