"""One fault against one action of one job: its peer, its part of the configuration, its pages."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from tests.system.service import connection
from torture.faults.fault import Door, Fault, Kind, Phase, Play
from torture.peers import RELEASE_ANSWER, Dialogue, Peer
from torture.subjects import Subject
from torture.work import Work

POLICIES = ("Suspend", "Hold", "Ignore")
AE_TITLE = "PEER"
_LARGE = 1000
_LONG = 60.0
_NOWHERE = "no-such-host.invalid"


@dataclass(frozen=True)
class Pages:
    """What a job consists of.

    Args:
        count: how many pages.
        side: rows and columns of each.
        ill: the page at which a fault of the exchange begins, from 1.
    """

    count: int = 1
    side: int = 24
    ill: int = 1


@dataclass
class Case:
    """One fault against one action of one job."""

    number: int
    fault: Fault
    subject: Subject
    policy: str
    pages: Pages
    tls: ssl.SSLContext | None = None
    peer: Peer = field(init=False)

    def __post_init__(self) -> None:
        door = self.fault.door
        self.peer = Peer(
            script_of(self.fault, self.pages.ill if self.subject.sends else self.subject.first),
            listening=door is not Door.CLOSED,
            backlog_is_full=door is Door.FULL,
            tls=self.tls if door is Door.TLS else None,
        )

    @property
    def name(self) -> str:
        """The job's host and the action's name."""
        return f"{self.subject.kind}-{self.number}"

    @property
    def label(self) -> str:
        """For the reader."""
        return f"{self.subject.kind}, {self.fault.phase.name.lower()}: {self.fault.name} (onError {self.policy})"

    @property
    def work(self) -> Work:
        """The job."""
        return Work(self.number, self.name, self.pages.count, self.pages.side)

    @property
    def is_fine(self) -> bool:
        """Whether the action has to succeed at once."""
        return self.fault.expected_of(self.subject.kind).kind is Kind.FINE

    @property
    def where(self) -> str:
        """How messages name its peer while it is ill."""
        return f"{AE_TITLE}@{self._host(healed=False)}:{self.peer.port}"

    @property
    def seconds(self) -> float:
        """The time-out that passes, if one does."""
        # A peer in Python takes a while to read a large page before it can answer.
        return (1.0 if self.pages.side < _LARGE else 8.0) if self.fault.passes else _LONG

    def action(self, *, healed: bool) -> str:
        """Its action."""
        # The other one, and both once it is well, are for a machine that has other things to do.
        short = _LONG if healed else self.seconds
        association, dimse = (
            short if self.fault.passes is one else _LONG for one in (Phase.NEGOTIATION, Phase.EXCHANGE)
        )
        more = f"<AssociationTimeout>{association:g}</AssociationTimeout><DimseTimeout>{dimse:g}</DimseTimeout>"
        if self.fault.door is Door.TLS:
            more += '<Tls verify="false"/>'
        there = connection(self.peer.port, AE_TITLE, host=self._host(healed=healed), more=more)
        return self.subject.element(self.name, there)

    def nodes(self, then: str) -> str:
        """Its nodes; `then` is the Store that brings what does not send to an archive."""
        follows = "" if self.subject.sends else f'<Perform action="{then}" onError="Hold"/>'
        return f'<Case value="{self.name}"><Perform action="{self.name}" onError="{self.policy}"/>{follows}</Case>'

    def _host(self, *, healed: bool) -> str:
        return _NOWHERE if self.fault.door is Door.NOWHERE and not healed else "127.0.0.1"


def script_of(fault: Fault, ill: int) -> Play:
    """What a peer does on a connection; a fault of the exchange begins at the object of this number."""
    if fault.phase is Phase.NEGOTIATION:
        return fault.play

    def play(dialogue: Dialogue) -> None:
        dialogue.accept()
        is_over = dialogue.serve(ill - 1 if fault.phase is Phase.EXCHANGE else None)
        if is_over and fault.phase is Phase.EXCHANGE:
            dialogue.send(RELEASE_ANSWER)
            return
        fault.play(dialogue)

    return play
