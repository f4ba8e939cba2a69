"""What a fault is: what a peer does, when, and what has to become of the job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from torture.peers import Dialogue

Play = Callable[[Dialogue], None]


class Phase(Enum):
    """When a peer begins to misbehave."""

    NEGOTIATION = "nothing is read yet"
    EXCHANGE = "the association stands, and a request is to come"
    RELEASE = "everything is answered, and the release was asked for"


class Door(Enum):
    """How a peer takes connections while it is ill."""

    OPEN = "it takes them"
    CLOSED = "it refuses them"
    FULL = "nobody answers"
    NOWHERE = "its name is unknown"
    TLS = "it takes them, and is called by TLS"


class Kind(Enum):
    """What has to become of an action."""

    FINE = "it succeeds"
    TRANSIENT = "a failure worth another try"
    PERMANENT = "a failure that would come again"


@dataclass(frozen=True)
class Expected:
    """What has to become of an action, and a regular expression that the message of its failure has to hold."""

    kind: Kind
    words: str = ""


FINE = Expected(Kind.FINE)


def transient(words: str) -> Expected:
    """A failure worth another try."""
    return Expected(Kind.TRANSIENT, words)


def permanent(words: str) -> Expected:
    """A failure that would come again."""
    return Expected(Kind.PERMANENT, words)


@dataclass(frozen=True)
class Fault:
    """One way in which a peer can misbehave.

    Args:
        name: what it does.
        phase: when.
        play: how; from `phase` on it has the connection, which is closed when it returns.
        expected: what has to become of the action, whichever it is.
        but: what has to become of it instead, by the action's kind: `Store`, `Query`.
        only: the one kind of action that this can happen to; any when empty.
        passes: the phase whose time-out is to pass, so it is a short one.
        door: how connections are taken.
        busy: seconds that it may take although no time-out passes.
    """

    name: str
    phase: Phase
    play: Play
    expected: Expected
    but: Mapping[str, Expected] = field(default_factory=dict)
    only: str = ""
    passes: Phase | None = None
    door: Door = Door.OPEN
    busy: float = 0

    def expected_of(self, kind: str) -> Expected:
        """What has to become of an action of this kind."""
        return self.but.get(kind, self.expected)
