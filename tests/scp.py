"""SCPs on the loopback interface that misbehave on demand.

All listen as soon as they are made and are context managers; `.port` says where. The `running` fixture ends them.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import (
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import AllStoragePresentationContexts, evt
from pynetdicom.events import Event

from dicomprinter.demo.listener import LOOPBACK, UNCOMPRESSED, Listener
from tests.raw_scp import (
    Connection,
    RawScp,
    aborting,
    accepting_nothing,
    answering_late,
    hanging_up,
    rejecting,
    silent,
    stalling,
    store_answer,
    talking,
)
from tests.waiting import PATIENCE

__all__ = [
    "ALL_SYNTAXES",
    "FIND_MODELS",
    "LOSSLESS",
    "STORAGE_CLASSES",
    "Answer",
    "Connection",
    "FindScp",
    "RawScp",
    "Received",
    "StorageScp",
    "aborting",
    "accepting_nothing",
    "answering_late",
    "closed_port",
    "hanging_up",
    "rejecting",
    "silent",
    "stalling",
    "store_answer",
    "talking",
]

LOSSLESS = (RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless)
ALL_SYNTAXES = (*UNCOMPRESSED, JPEGBaseline8Bit, *LOSSLESS)
STORAGE_CLASSES = tuple(str(context.abstract_syntax) for context in AllStoragePresentationContexts)
# Linux hands out ports from 32768 on, other systems from 49152 on.
_BELOW_THE_SYSTEMS = 12_000
FIND_MODELS = (
    "1.2.840.10008.5.1.4.31",
    "1.2.840.10008.5.1.4.1.2.1.1",
    "1.2.840.10008.5.1.4.1.2.2.1",
)


def closed_port() -> int:
    """A port on which nothing listens, and which the system gives to nobody by itself, as it would one of port 0."""
    while True:
        port = _BELOW_THE_SYSTEMS + secrets.randbelow(20_000)
        with socket.socket() as sock, suppress(OSError):
            sock.bind((LOOPBACK, port))
            return port


@dataclass(frozen=True)
class Answer:
    """What to say to one C-STORE."""

    status: int = 0x0000
    comment: str = ""
    offending: tuple[int, ...] = ()


@dataclass(frozen=True)
class Received:
    """One object that came; `data` is the Part 10 file."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    calling_ae_title: str
    dataset: Dataset
    data: bytes


class StorageScp(Listener):
    """Keeps everything in memory and answers as told.

    Args:
        answers: for the first, second, … C-STORE (an int is a status); success after the last one.
        always: for every C-STORE, whatever `answers` says.
        syntaxes: the only ones accepted.
        sop_classes: the only ones accepted.
        on_store: called before each answer.
    """

    def __init__(
        self,
        *,
        answers: Iterable[int | Answer] = (),
        always: int | Answer | None = None,
        syntaxes: Sequence[str] = ALL_SYNTAXES,
        sop_classes: Iterable[str] = STORAGE_CLASSES,
        ae_title: str = "PACS",
        on_store: Callable[[Received], None] | None = None,
    ) -> None:
        self.received: list[Received] = []
        self.associations = 0
        self.releases = 0
        self.aborts = 0
        self._changed = threading.Condition()
        self._answers = [_as_answer(answer) for answer in answers]
        self._always = None if always is None else _as_answer(always)
        self._on_store = on_store
        handlers = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_ESTABLISHED, lambda _: self._count("associations")),
            (evt.EVT_RELEASED, lambda _: self._count("releases")),
            (evt.EVT_ABORTED, lambda _: self._count("aborts")),
        ]
        super().__init__(ae_title, 0, [(sop_class, syntaxes) for sop_class in sop_classes], handlers)

    def wait_for(self, count: int, timeout: float = PATIENCE) -> list[Received]:
        self.wait_until(lambda: len(self.received) >= count, timeout)
        return list(self.received)

    def wait_until(self, condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Asked again after each object, association, release and abort."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"{len(self.received)} instances, {self.associations} associations came")

    def _count(self, name: str) -> None:
        with self._changed:
            setattr(self, name, getattr(self, name) + 1)
            self._changed.notify_all()

    def _store(self, event: Event) -> Dataset:
        request: Any = event.request
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        received = Received(
            sop_class=str(request.AffectedSOPClassUID),
            sop_instance=str(request.AffectedSOPInstanceUID),
            transfer_syntax=str(event.context.transfer_syntax),
            calling_ae_title=event.assoc.requestor.ae_title,
            dataset=dataset,
            data=event.encoded_dataset(),
        )
        with self._changed:
            answer = self._answers.pop(0) if self._answers else Answer()
            self.received.append(received)
            self._changed.notify_all()
        if self._on_store:
            self._on_store(received)
        return _status_dataset(self._always or answer)


class FindScp(Listener):
    """Answers any query with the given data sets, whatever the keys.

    Args:
        answers: each with FF00, or a pair of (status, data set).
        final: the last status.
        abort_after: abort after so many answers.
        models: the only information models accepted.
    """

    def __init__(
        self,
        answers: Iterable[Dataset | tuple[int, Dataset]] = (),
        *,
        final: int = 0x0000,
        comment: str = "",
        abort_after: int | None = None,
        models: Iterable[str] = FIND_MODELS,
        ae_title: str = "FINDER",
    ) -> None:
        self.queries: list[Dataset] = []
        self._answers = [answer if isinstance(answer, tuple) else (0xFF00, answer) for answer in answers]
        self._final = Answer(final, comment)
        self._abort_after = abort_after
        super().__init__(ae_title, 0, [(model, UNCOMPRESSED) for model in models], [(evt.EVT_C_FIND, self._find)])

    def _find(self, event: Event) -> Iterator[tuple[int | Dataset, Dataset | None]]:
        self.queries.append(event.identifier)
        for number, answer in enumerate(self._answers):
            if number == self._abort_after:
                event.assoc.abort()
                return
            yield answer
        if self._abort_after is not None:
            event.assoc.abort()
            return
        yield _status_dataset(self._final), None


def _as_answer(answer: int | Answer) -> Answer:
    return answer if isinstance(answer, Answer) else Answer(answer)


def _status_dataset(answer: Answer) -> Dataset:
    status = Dataset()
    status.Status = answer.status
    if answer.comment:
        status.ErrorComment = answer.comment
    if answer.offending:
        status.OffendingElement = list(answer.offending)
    return status
