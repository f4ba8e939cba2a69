"""Talks to a printer: each request is judged, what it warns of is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydicom import Dataset

from dicomprinter.actions.print.classes import PRINTER, THE_PRINTER
from dicomprinter.dicom.network.normalized import Operation, Request, Response, has_failed
from dicomprinter.dicom.status import Kind
from dicomprinter.errors import DicomPrinterError, PermanentError, Private, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dicomprinter.actions.base import OpenAssociation
    from dicomprinter.dicom.network.normalized import Event
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.job.job import Job

_CODE: Final = re.compile(r"[A-Z0-9_ ]{1,16}")
_STATUS: Final = 0x21100010
_STATUS_INFO: Final = 0x21100020
_PLAIN: Final = ("CS", "DS", "IS", "US")
_EVENTS: Final = {1: "NORMAL", 2: "WARNING", 3: "FAILURE"}
"""Of the Printer (PS3.4 H.4.6.2.1)."""


@dataclass(frozen=True)
class StandIn(Response):
    """The answer of what stands in for a printer: nothing has been printed."""


@dataclass
class Printer:
    """A printer at the other end of an association.

    Args:
        association: with it.
        peer: who it is.
        meta: the Meta SOP class that is spoken (PS3.4 H.3.2).
        job: whose history is told.
        name: the Print's.
    """

    association: OpenAssociation
    peer: Peer
    meta: str
    job: Job
    name: str
    is_lost: bool = field(default=False, init=False)
    """Whether the association has failed: nothing more can be said."""

    def ask(self) -> None:
        """N-GET of the printer's status (PS3.4 H.4.6.2.2).

        Raises:
            TransientError: it says FAILURE.
            PermanentError: it does not answer what it must.
        """
        request = Request(Operation.GET, self.meta, PRINTER, THE_PRINTER, wanted=(_STATUS, _STATUS_INFO))
        response = self.request(request, "its status")
        status, info = _said(response.attributes)
        if has_failed(response):
            raise TransientError(
                f"{self.peer} reports FAILURE: {info or 'it does not say why'}",
                cause="the printer cannot print now",
                remedy="look at the printer; the job goes on when it is well again",
            )
        if status not in ("NORMAL", ""):
            self.tell(f"{self.peer} reports {status}: {info or 'it does not say why'}", level="WARN")

    def create(
        self, sop_class: str, sop_instance: str, data: Dataset, what: str, *, context: str | None = None
    ) -> Response:
        """N-CREATE; the answer's instance is the one that the printer made.

        Raises:
            TransientError, PermanentError: as `request`.
        """
        told = "; ".join(f"{element.keyword}={element.value}" for element in data if element.VR != "SQ")
        self.tell(f"N-CREATE of {what}", level="DEBUG", private=Private.fill("with {}", told))
        response = self.request(Request(Operation.CREATE, context or self.meta, sop_class, sop_instance, data), what)
        if response.sop_instance:
            return response
        return Response(response.status, sop_instance, response.attributes)

    def set(
        self, sop_class: str, sop_instance: str, data: Dataset | Path, what: str, *, context: str | None = None
    ) -> Response:
        """N-SET.

        Raises:
            TransientError, PermanentError: as `request`.
        """
        return self.request(Request(Operation.SET, context or self.meta, sop_class, sop_instance, data), what)

    def action(self, sop_class: str, sop_instance: str, what: str, heard: Callable[[Response], object]) -> Response:
        """N-ACTION: print. `heard` gets the answer before it is judged.

        Raises:
            TransientError, PermanentError: as `request`.
        """
        request = Request(Operation.ACTION, self.meta, sop_class, sop_instance)
        response = self._exchanged(request, what)
        heard(response)
        self.judge(response, request, what)
        return response

    def delete(self, sop_class: str, sop_instance: str, what: str) -> None:
        """N-DELETE; a printer that does not want to, or has gone, is only told of: what was printed is printed."""
        if self.is_lost:
            return
        try:
            self.request(Request(Operation.DELETE, self.meta, sop_class, sop_instance), what)
        except DicomPrinterError as error:
            self.tell(f"{what} could not be deleted: {error}", level="WARN", private=error.private)

    def request(self, request: Request, what: str) -> Response:
        """Send a request, and judge the answer; `what` it is about, in words.

        Raises:
            TransientError: the association fails, or the status says to try again.
            PermanentError: the status refuses.
        """
        response = self._exchanged(request, what)
        self.judge(response, request, what)
        return response

    def judge(self, response: Response, request: Request, what: str) -> None:
        """Tell of a warning, raise a failure.

        Raises:
            TransientError, PermanentError: by the status.
        """
        status = response.status
        if status.kind is Kind.SUCCESS:
            return
        details = {
            "status": f"{status.code:04X}",
            "offending": [f"{tag:08X}" for tag in response.offending],
            "peer": str(self.peer),
        }
        message = f"{self.peer} answered {status} to the {request.operation} of {what}"
        if status.kind is Kind.WARNING:
            why = "; ".join(part for part in (message, status.cause, status.remedy) if part)
            self.job.note(f"{self.name}: {why}", level="WARN", private=response.error_comment, deeper=2, **details)
            return
        kind = TransientError if status.kind is Kind.TRANSIENT else PermanentError
        cause = "; ".join(part for part in (status.cause, _asked_for(request)) if part)
        raise kind(message, cause=cause, remedy=status.remedy, private=response.error_comment, details=details)

    def tell(self, message: str, *, level: str = "INFO", private: str = "") -> None:
        """A line of the job's history."""
        self.job.note(f"{self.name}: {message}", level=level, private=private, deeper=2)

    def _exchanged(self, request: Request, what: str) -> Response:
        try:
            return self.association.normalized(request, self._heard)
        except TransientError as error:
            self.is_lost = True
            raise TransientError(
                f"{error.what} ({what})",
                cause=error.cause,
                remedy=error.remedy,
                private=error.private,
                details=error.details,
            ) from error
        except PermanentError:
            self.is_lost = True
            raise

    def _heard(self, event: Event) -> None:
        status, info = _said(event.attributes)
        if event.sop_class == PRINTER:
            status = _EVENTS.get(event.number, status)
        level = "INFO" if status == "NORMAL" else "WARN"
        self.tell(
            f"{self.peer} reports {status or f'event {event.number}'}" + (f": {info}" if info else ""), level=level
        )


def _said(attributes: Dataset) -> tuple[str, str]:
    """Printer Status and Printer Status Info, where they are codes: any other text could hold anything."""
    status, info = (str(attributes.get(keyword) or "") for keyword in ("PrinterStatus", "PrinterStatusInfo"))
    return status if _CODE.fullmatch(status) else "", info if _CODE.fullmatch(info) else ""


def _asked_for(request: Request) -> str:
    """The codes and numbers of a request; its texts may name the patient."""
    if not isinstance(request.data, Dataset):
        return ""
    plain = (one for one in request.data if one.VR in _PLAIN or one.keyword == "ImageDisplayFormat")
    told = (f"{element.keyword}={element.value}" for element in plain)
    return "it was asked for " + ", ".join(told)
