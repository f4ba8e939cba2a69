"""The network as one node of a job sees it: through the circuit breakers, which learn from what it meets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from dicomprinter.dicom.network.normalized import Operation, has_failed
from dicomprinter.dicom.status import Kind
from dicomprinter.engine.destination import Step
from dicomprinter.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from pydicom import Dataset

    from dicomprinter.actions.base import Network, OpenAssociation
    from dicomprinter.dicom.network.normalized import Heard, Request, Response
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.dicom.status import StoreResult
    from dicomprinter.engine.destinations import Destinations


class Guarded:
    """Opens associations where the breaker lets the job through.

    Args:
        network: opens them.
        destinations: the breakers.
        job_id: the job whose node it is.
    """

    def __init__(self, network: Network, destinations: Destinations, job_id: str) -> None:
        self._network = network
        self._destinations = destinations
        self._job_id = job_id
        self.failed: Peer | None = None
        """The peer whose failure was the last thing that happened; None when all went well, or nothing was opened."""

    def open(self, peer: Peer, contexts: Sequence[tuple[str, Sequence[str]]], *, action: str) -> OpenAssociation:
        """Open an association for an action.

        Raises:
            TransientError: the breaker is open, or the peer is not there or busy.
            PermanentError: the peer refuses for good.
        """
        self.failed = peer
        self._destinations.admit(peer, self._job_id)
        try:
            association = self._network.open(peer, contexts, action=action)
        except (TransientError, PermanentError) as error:
            self.learn_from(peer, error, Step.OPEN)
            raise
        self.failed = None
        return _Association(association, peer, self)

    def learn_from(self, peer: Peer, error: TransientError | PermanentError, step: Step) -> None:
        """An attempt has failed."""
        if isinstance(error, TransientError):
            self.fail(peer, error.what, step)
        else:
            self.refuse(peer, step)

    def refuse(self, peer: Peer, step: Step) -> None:
        """The peer wants nothing of this, for good; so it lives."""
        self.failed = None
        self._destinations.refused(peer, step)

    def fail(self, peer: Peer, reason: str, step: Step) -> None:
        """An attempt has failed for a time; the reason holds nothing of the patient."""
        self.failed = peer
        self._destinations.failed(peer, self._job_id, reason, step)

    def succeed(self, peer: Peer, step: Step) -> None:
        """The peer has done what was asked."""
        self.failed = None
        self._destinations.succeeded(peer, self._job_id, step)


class _Association:
    """An association that tells what becomes of each request.

    A refusal counts only where nothing is asked after it: what goes on without what was refused (a Presentation LUT, a
    first object) may fail at the next request, and does so in a row.
    """

    def __init__(self, association: OpenAssociation, peer: Peer, guarded: Guarded) -> None:
        self._association = association
        self._peer = peer
        self._guarded = guarded
        self._refused: Step | None = None

    def __enter__(self) -> Self:
        self._association.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._refused is not None:
            self._guarded.refuse(self._peer, self._refused)
        self._association.__exit__(kind, error, trace)

    def accepted(self, sop_class: str) -> tuple[str, ...]:
        """As the association says."""
        return self._association.accepted(sop_class)

    def no_context(self, wanted: str) -> PermanentError:
        """As the association says; whoever asks goes no further."""
        self._guarded.refuse(self._peer, Step.OPEN)
        return self._association.no_context(wanted)

    def store(self, path: Path, *, sop_class: str, sop_instance: str, transfer_syntax: str) -> StoreResult:
        """Send a Part 10 file."""
        self._refused = None
        try:
            result = self._association.store(
                path, sop_class=sop_class, sop_instance=sop_instance, transfer_syntax=transfer_syntax
            )
        except (TransientError, PermanentError) as error:
            self._guarded.learn_from(self._peer, error, Step.STORE)
            raise
        match result.status.kind:
            case Kind.TRANSIENT:
                self._guarded.fail(self._peer, f"{self._peer} answered {result.status}", Step.STORE)
            case Kind.PERMANENT:
                self._refused = Step.STORE
            case _:
                self._guarded.succeed(self._peer, Step.STORE)
        return result

    def find(self, sop_class: str, identifier: Dataset, *, default_charset: str = "") -> Iterator[Dataset]:
        """The answers to a query; a caller that has seen enough has been answered."""
        answered = False
        try:
            for answer in self._association.find(sop_class, identifier, default_charset=default_charset):
                answered = True
                yield answer
        except (TransientError, PermanentError) as error:
            self._guarded.learn_from(self._peer, error, Step.FIND)
            raise
        except GeneratorExit:
            if answered:
                self._guarded.succeed(self._peer, Step.FIND)
            raise
        self._guarded.succeed(self._peer, Step.FIND)

    def normalized(self, request: Request, heard: Heard) -> Response:
        """A request to a printer. What ends a row of failures is that a film is printed, or refused for good."""
        # What is deleted after a failure, or a refusal, says nothing of the next film.
        is_last = request.operation is Operation.DELETE
        if not is_last:
            self._refused = None
        try:
            response = self._association.normalized(request, heard)
        except (TransientError, PermanentError) as error:
            self._guarded.learn_from(self._peer, error, Step.PRINT)
            raise
        if has_failed(response):
            self._guarded.fail(self._peer, f"{self._peer} reports FAILURE", Step.PRINT)
        elif response.status.kind is Kind.TRANSIENT:
            self._guarded.fail(self._peer, f"{self._peer} answered {response.status}", Step.PRINT)
        elif response.status.kind is Kind.PERMANENT:
            if not is_last:
                self._refused = Step.PRINT
        elif request.operation is Operation.ACTION:
            self._guarded.succeed(self._peer, Step.PRINT)
        return response
