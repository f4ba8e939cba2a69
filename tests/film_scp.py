"""A printer of films on the loopback interface that keeps every request, and misbehaves on demand."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, generate_uid
from pynetdicom import evt
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.events import Event

from dicomprinter.demo.listener import UNCOMPRESSED, Listener
from tests.waiting import PATIENCE

GRAYSCALE = "1.2.840.10008.5.1.1.9"
COLOUR = "1.2.840.10008.5.1.1.18"
SESSION = "1.2.840.10008.5.1.1.1"
FILM = "1.2.840.10008.5.1.1.2"
GREY_BOX = "1.2.840.10008.5.1.1.4"
COLOUR_BOX = "1.2.840.10008.5.1.1.4.1"
ANNOTATION = "1.2.840.10008.5.1.1.15"
PRINTER = "1.2.840.10008.5.1.1.16"
THE_PRINTER = "1.2.840.10008.5.1.1.17"
LUT = "1.2.840.10008.5.1.1.23"
ALL = (GRAYSCALE, COLOUR, LUT, ANNOTATION)
NAMES = {SESSION: "session", FILM: "film", GREY_BOX: "image", COLOUR_BOX: "image", LUT: "lut", PRINTER: "printer"}


@dataclass(frozen=True)
class Seen:
    """One request that came; `what` is like `N-SET image`."""

    what: str
    sop_class: str
    sop_instance: str
    context: str
    transfer_syntax: str
    data: Dataset


class FilmScp(Listener):
    """Takes everything that a Print may send.

    Args:
        classes: the only Meta SOP classes and others that are accepted.
        syntaxes: the only ones accepted.
        printer: Printer Status and Printer Status Info.
        boxes: how many images a film has; as many as were asked for when None.
        statuses: like `{"N-SET image": [0x0106]}`: for the first, second, … such request; success after the last one.
        on: called with each request before its answer.
    """

    def __init__(
        self,
        *,
        classes: Iterable[str] = ALL,
        syntaxes: Sequence[str] = UNCOMPRESSED,
        printer: tuple[str, str] = ("NORMAL", "NORMAL"),
        boxes: int | None = None,
        statuses: Mapping[str, Sequence[int]] | None = None,
        on: Callable[[Seen, Event], object] | None = None,
    ) -> None:
        self.seen: list[Seen] = []
        self.releases = 0
        self.aborts = 0
        self._changed = threading.Condition()
        self._printer = printer
        self._boxes = boxes
        self._statuses = {what: list(codes) for what, codes in (statuses or {}).items()}
        self._on = on
        handlers = [
            (evt.EVT_N_GET, self._get),
            (evt.EVT_N_CREATE, self._create),
            (evt.EVT_N_SET, self._set),
            (evt.EVT_N_ACTION, self._action),
            (evt.EVT_N_DELETE, lambda event: self._keep(event, "N-DELETE", Dataset())),
            (evt.EVT_RELEASED, lambda _: self._count("releases")),
            (evt.EVT_ABORTED, lambda _: self._count("aborts")),
        ]
        super().__init__("PRINTER", 0, [(sop_class, syntaxes) for sop_class in classes], handlers)

    @property
    def whats(self) -> list[str]:
        """The requests in their order."""
        return [seen.what for seen in self.seen]

    def data(self, what: str) -> list[Dataset]:
        """What came with these requests."""
        return [seen.data for seen in self.seen if seen.what == what]

    def ended(self) -> tuple[int, int]:
        """Associations that were released and aborted, once the last one has ended."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.releases + self.aborts, PATIENCE):
                raise TimeoutError("the association has not ended")
            return self.releases, self.aborts

    def _count(self, name: str) -> None:
        with self._changed:
            setattr(self, name, getattr(self, name) + 1)
            self._changed.notify_all()

    def _keep(self, event: Event, operation: str, data: Dataset) -> int:
        request: Any = event.request
        sop_class = str(getattr(request, "RequestedSOPClassUID", None) or getattr(request, "AffectedSOPClassUID", ""))
        instance = getattr(request, "RequestedSOPInstanceUID", None) or getattr(request, "AffectedSOPInstanceUID", "")
        what = f"{operation} {NAMES.get(sop_class, 'annotation')}"
        context = event.context
        seen = Seen(what, sop_class, str(instance), str(context.abstract_syntax), str(context.transfer_syntax), data)
        self.seen.append(seen)
        if self._on:
            self._on(seen, event)
        planned = self._statuses.get(what)
        return planned.pop(0) if planned else 0x0000

    def _get(self, event: Event) -> tuple[int, Dataset]:
        wanted = Dataset()
        wanted.PrinterStatus, wanted.PrinterStatusInfo = self._printer
        return self._keep(event, "N-GET", Dataset()), wanted

    def _create(self, event: Event) -> tuple[int, Dataset]:
        data = event.attribute_list
        status = self._keep(event, "N-CREATE", data)
        request: Any = event.request
        answer = Dataset()
        answer.update(data)
        if request.AffectedSOPClassUID == FILM:
            kind, _, numbers = data.ImageDisplayFormat.partition("\\")
            counts = [int(number) for number in numbers.split(",")] if numbers else [1]
            asked = counts[0] * counts[1] if kind == "STANDARD" else sum(counts)
            box = COLOUR_BOX if event.context.abstract_syntax == COLOUR else GREY_BOX
            answer.ReferencedImageBoxSequence = [_reference(box) for _ in range(self._boxes or asked)]
            if "AnnotationDisplayFormatID" in data:
                answer.ReferencedBasicAnnotationBoxSequence = [_reference(ANNOTATION) for _ in range(2)]
        return status, answer

    def _set(self, event: Event) -> tuple[int, Dataset]:
        return self._keep(event, "N-SET", event.modification_list), Dataset()

    def _action(self, event: Event) -> tuple[int, Dataset | None]:
        assert event.action_type == 1
        return self._keep(event, "N-ACTION", Dataset()), None


def report(event: Event, number: int, info: str) -> int:
    """Say something of the printer before the answer to a request; gives the status that it was answered with."""
    data = Dataset()
    data.PrinterStatusInfo = info
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = UID(event.context.transfer_syntax).is_implicit_VR
    buffer.is_little_endian = True
    write_dataset(buffer, data)
    said = N_EVENT_REPORT()
    said.MessageID = 7
    said.AffectedSOPClassUID = PRINTER
    said.AffectedSOPInstanceUID = THE_PRINTER
    said.EventTypeID = number
    said.EventInformation = io.BytesIO(buffer.getvalue())
    event.assoc.dimse.send_msg(said, event.context.context_id)
    context, answer = event.assoc.dimse.get_msg(block=True)
    assert context == event.context.context_id
    assert isinstance(answer, N_EVENT_REPORT)
    assert answer.MessageIDBeingRespondedTo == 7
    return int(answer.Status or 0)


def _reference(sop_class: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class
    item.ReferencedSOPInstanceUID = generate_uid()
    return item
