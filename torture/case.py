"""One fault against one action of one job: its peer, its part of the configuration, its pages."""

from __future__ import annotations

import io
import ssl
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from tests.canary import CANARY
from tests.system.service import connection
from torture.faults.fault import Door, Fault, Kind, Phase, Play
from torture.peers import RELEASE_ANSWER, Dialogue, Peer, digest
from torture.subjects import Subject

POLICIES = ("Suspend", "Hold", "Ignore")
AE_TITLE = "PEER"
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
            _script(self.fault, self.pages.ill if self.subject.sends else 1),
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
    def patient(self) -> str:
        """Its PatientID."""
        return f"{CANARY['PatientID']}-{self.number}"

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
        """Both of its time-outs."""
        return 1.0 if self.fault.times_out else 20.0

    def action(self, *, healed: bool) -> str:
        """Its action."""
        more = f"<AssociationTimeout>{self.seconds:g}</AssociationTimeout><DimseTimeout>{self.seconds:g}</DimseTimeout>"
        if self.fault.door is Door.TLS:
            more += '<Tls verify="false"/>'
        there = connection(self.peer.port, AE_TITLE, host=self._host(healed=healed), more=more)
        return self.subject.element(self.name, there)

    def nodes(self, then: str) -> str:
        """Its nodes; `then` is the Store that brings what does not send to an archive."""
        follows = "" if self.subject.sends else f'<Perform action="{then}" onError="Hold"/>'
        return f'<Case value="{self.name}"><Perform action="{self.name}" onError="{self.policy}"/>{follows}</Case>'

    def file(self) -> bytes:
        """Its pages as a TIFF; no page is like another."""
        images = [Image.fromarray(self._page(number)) for number in range(1, self.pages.count + 1)]
        stream = io.BytesIO()
        images[0].save(stream, "TIFF", save_all=True, append_images=images[1:])
        return stream.getvalue()

    def digests(self) -> dict[int, str]:
        """By instance number, what tells its pages from all others."""
        return {number: digest(self._page(number).tobytes()) for number in range(1, self.pages.count + 1)}

    def sidecar(self) -> dict[str, Any]:
        """Whose it is, and which way it goes."""
        return {
            "title": f"{CANARY['PatientName']} {self.number}",
            "host": self.name,
            "tags": {"PatientName": CANARY["PatientName"], "PatientID": self.patient},
        }

    def _page(self, number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        side = self.pages.side
        page = np.arange(side * side, dtype=np.uint32).astype(np.uint8).reshape(side, side)
        page[0, :4] = list((self.number << 16 | number).to_bytes(4, "big"))
        return page

    def _host(self, *, healed: bool) -> str:
        return _NOWHERE if self.fault.door is Door.NOWHERE and not healed else "127.0.0.1"


def _script(fault: Fault, ill: int) -> Play:
    """What the peer does on each connection while it is ill."""
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
