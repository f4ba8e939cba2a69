"""What every action is: declared, read from its element, checked against the others, performed on a job."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from dicomprinter.config.kinds import NAME, choice
from dicomprinter.config.spec import Attribute
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from types import TracebackType

    from pydicom import Dataset

    from dicomprinter.actions.messages import Messenger
    from dicomprinter.actions.programs import Programs
    from dicomprinter.config.spec import Spec
    from dicomprinter.config.tree import Node, Position
    from dicomprinter.dicom.network.normalized import Heard, Request, Response
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.dicom.status import StoreResult
    from dicomprinter.imaging.decoder import Decoder
    from dicomprinter.imaging.limits import Limits
    from dicomprinter.job.job import Job
    from dicomprinter.job.merged import Taken
    from dicomprinter.job.parts import Flags


class OnError(Enum):
    """What becomes of a job when an action fails."""

    HOLD = "Hold"
    IGNORE = "Ignore"
    SUSPEND = "Suspend"
    DISCARD = "Discard"


ON_ERROR = choice(*(policy.value for policy in OnError))

# Every action's element has these; onError here is the policy of a Perform that names none.
NAME_ATTRIBUTE = Attribute("name", NAME, required=True, doc="by this name the workflow performs the action")
ON_ERROR_ATTRIBUTE = Attribute(
    "onError",
    ON_ERROR,
    doc="older files: the policy of a Perform that names none",
    older='it is the policy of a Perform that names none; today it is <Perform action="{name}" onError="{onError}"/>',
)


class OpenAssociation(Protocol):
    """What actions use of an association (`dicom.network.association.Association` in a real run)."""

    def __enter__(self) -> Self:
        """Leaving the block releases it, leaving it by an exception aborts it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def accepted(self, sop_class: str) -> tuple[str, ...]:
        """The transfer syntaxes that the peer accepted for a class."""

    def no_context(self, wanted: str) -> PermanentError:
        """The error that says what was proposed and what accepted."""

    def store(self, path: Path, *, sop_class: str, sop_instance: str, transfer_syntax: str) -> StoreResult:
        """Send a Part 10 file."""

    def find(self, sop_class: str, identifier: Dataset, *, default_charset: str = "") -> Iterator[Dataset]:
        """The answers to a query."""

    def normalized(self, request: Request, heard: Heard) -> Response:
        """A request to a printer, and its answer; `heard` gets what it reports meanwhile."""


class Network(Protocol):
    """Opens associations; a dry run and tests put their own here."""

    def open(self, peer: Peer, contexts: Sequence[tuple[str, Sequence[str]]], *, action: str) -> OpenAssociation:
        """Open an association for an action; raises TransientError or PermanentError."""


class Siblings(Protocol):
    """The jobs that came after a job and wait; where there is no queue, there are none."""

    @property
    def are_there(self) -> bool:
        """Whether there is a queue at all."""

    def claim(self, job: Job, seconds: float) -> Job | None:
        """The next job to have come after this one, which nobody runs from now on; waits some time for one to come.

        None when none came, or when the next is one that cannot be merged: it has begun, or an operator wants it.

        Raises:
            Interrupted: the service ends.
        """

    def release(self, sibling: Job) -> None:
        """Let a job that was claimed run by itself."""

    def merged(self, taken: Taken, into: Job) -> None:
        """Enter a job that is part of another one in the ledger; what a crash prevents is made up for later."""


@dataclass(frozen=True)
class Tools:
    """What an action may use beside its job.

    Args:
        clock: the local time.
        network: opens associations.
        decoder: opens pages in a process of its own.
        secure: writes the job down so that it survives a loss of power; called before anything outside sees an effect.
        programs: starts programs of others.
        siblings: the jobs that may be merged into this one.
        outside: where a folder or file outside the spool lies: a relative one below the base directory, in a dry run
            every one below its output folder.
        messenger: tells people.
        folder: the configuration's, below which files lie that it names without saying where.
    """

    clock: Callable[[], datetime]
    network: Network
    decoder: Decoder
    secure: Callable[[Job], None]
    programs: Programs
    outside: Callable[[Path], Path]
    siblings: Siblings
    messenger: Messenger
    folder: Path = Path()


@dataclass(frozen=True)
class Action(ABC):
    """An action of the configuration. Its subclass is a frozen dataclass of what the element says."""

    spec: ClassVar[Spec]

    name: str
    position: Position
    on_error: OnError | None

    @classmethod
    @abstractmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""

    @abstractmethod
    def perform(self, job: Job, tools: Tools) -> None:
        """Do it. Changes of the job's dataset, pages and flags count only when this returns.

        Raises:
            TransientError: worth trying again.
            PermanentError: the same attempt would fail again.
            OperatorNeeded: a person has to decide.
            DiscardJob: the job is to end.
            SuspendJob: it is to be performed again later.
            Interrupted: the service ends, so it counts as not begun.
        """

    def excess(self, limits: Limits) -> tuple[str, str] | None:
        """Why a page that it makes of any page is too large, and the element that says so, as `Limits.excess`."""
        return None

    def flags_after_failure(self, flags: Flags) -> Flags:
        """What conditions see when the action failed and the job goes on all the same."""
        return flags

    @classmethod
    def overriding(cls) -> tuple[Spec, ...]:
        """Elements by which a workflow node changes parts of such an action for one job; most have none."""
        return ()

    def overridden(self, changes: Node) -> Self:
        """This action with the changes of a workflow node."""
        raise PermanentError(f'the action "{self.name}" cannot be changed by <{changes.name}>')


@dataclass(frozen=True)
class Connected(Action):
    """An action that connects to a peer; None where its element may leave that out."""

    peer: Peer | None

    def contexts(self) -> list[tuple[str, Sequence[str]]]:
        """What it may propose to its peer: SOP class UIDs, each with its transfer syntaxes; nothing when unsaid."""
        return []


def common(node: Node) -> tuple[str, Position, OnError | None]:
    """The first fields of every action: its name, where it stands, and its own onError, of older files."""
    text = node["onError"]
    return node["name"], node.position, None if text is None else OnError(text)
