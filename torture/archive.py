"""An archive on the loopback interface that can be down, refuses when told to, and keeps what came."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from pydicom import Dataset
from pydicom.uid import CTImageStorage, EncapsulatedPDFStorage, SecondaryCaptureImageStorage
from pynetdicom import evt
from pynetdicom.events import Event

from dicomprinter.demo.listener import Listener
from tests.scp import ALL_SYNTAXES
from tests.system.help import pixels

_CLASSES: Final = (
    SecondaryCaptureImageStorage,
    EncapsulatedPDFStorage,
    CTImageStorage,
    "1.2.840.10008.5.1.4.1.1.7.2",
    "1.2.840.10008.5.1.4.1.1.7.3",
    "1.2.840.10008.5.1.4.1.1.7.4",
)


@dataclass(frozen=True)
class Arrived:
    """An object that came.

    Args:
        uid: its SOP Instance UID.
        data: a hash of the data set as it was sent.
        content: what it shows, by `content_of`.
        status: what was answered.
        document: a PDF that it holds.
    """

    uid: str
    data: str
    content: str
    status: int
    document: bytes = b""

    @property
    def is_stored(self) -> bool:
        """Whether the archive has taken it (PS3.4 B.2.3)."""
        return self.status == 0


@dataclass
class Archive:
    """Listens once it is opened, on the same port each time.

    Args:
        ae_title: its name.
        always: the status of every answer from now on; 0 is success.
        answers: the statuses of the next answers, before `always`.
        seconds: how long it thinks before each answer.
    """

    ae_title: str
    always: int = 0
    answers: list[int] = field(default_factory=list)
    seconds: float = 0.0
    port: int = 0
    _arrived: list[Arrived] = field(default_factory=list)
    _listener: Listener | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.open()

    @property
    def name(self) -> str:
        """As jobs name it."""
        return f"{self.ae_title}@127.0.0.1:{self.port}"

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._listener is not None

    @property
    def is_well(self) -> bool:
        """Whether it listens and takes what comes."""
        return self.is_open and self.always == 0

    def open(self) -> None:
        """Listen."""
        if self._listener is None:
            contexts = [(str(one), ALL_SYNTAXES) for one in _CLASSES]
            self._listener = Listener(self.ae_title, self.port, contexts, [(evt.EVT_C_STORE, self._store)])
            self.port = self._listener.port

    def close(self) -> None:
        """Connections are refused from now on."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def forget(self) -> None:
        """What came so far is nobody's business any more."""
        with self._lock:
            self._arrived.clear()

    def keep_only(self, contents: set[str]) -> None:
        """What else came is nobody's business any more."""
        with self._lock:
            self._arrived[:] = [one for one in self._arrived if one.content in contents]

    def arrived(self) -> list[Arrived]:
        """What came, in order."""
        with self._lock:
            return list(self._arrived)

    def _store(self, event: Event) -> int:
        dataset: Any = event.dataset
        dataset.file_meta = event.file_meta
        request: Any = event.request
        if self.seconds:
            threading.Event().wait(self.seconds)
        with self._lock:
            status = self.answers.pop(0) if self.answers else self.always
            data = hashlib.sha256(event.encoded_dataset()).hexdigest()
            document = bytes(dataset.get("EncapsulatedDocument", b""))
            uid, content = str(request.AffectedSOPInstanceUID), content_of(dataset)
            self._arrived.append(Arrived(uid, data, content, status, document))
        return status


def content_of(dataset: Dataset) -> str:
    """What an object shows: the hash of its document, or of its pixels."""
    if "EncapsulatedDocument" in dataset:
        return of_document(dataset.EncapsulatedDocument)
    return of_pixels(pixels(dataset))


def of_document(data: bytes) -> str:
    """A PDF may be followed by a zero that makes its length even."""
    return "pdf " + hashlib.sha256(data.rstrip(b"\0")).hexdigest()


def of_pixels(array: np.ndarray[Any, Any]) -> str:
    """Of one frame or several."""
    return "pixels " + hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
