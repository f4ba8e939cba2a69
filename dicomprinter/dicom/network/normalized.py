"""DIMSE-N: requests on normalized SOP instances, and what a peer answers (PS3.7 10.1), as a printer needs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

from pydicom.dataset import Dataset

from dicomprinter.dicom.network import commands
from dicomprinter.dicom.network.commands import Command, Value
from dicomprinter.dicom.status import Status

EVENT_REPORT: Final = 0x0100
RESPONSE: Final = 0x8000
_UID: Final = re.compile(r"[0-9.]{1,64}")


class Operation(IntEnum):
    """What is asked for; the number is its Command Field (PS3.7 E.1)."""

    GET = 0x0110
    SET = 0x0120
    ACTION = 0x0130
    CREATE = 0x0140
    DELETE = 0x0150

    def __str__(self) -> str:
        return f"N-{self.name}"


@dataclass(frozen=True)
class Request:
    """One request.

    Args:
        operation: what is asked for.
        context: the SOP class or Meta SOP class on whose presentation context it goes.
        sop_class: of the instance.
        sop_instance: the instance; of a CREATE the UID that it is to have.
        data: the attributes; a file that holds them encoded in the context's transfer syntax; or nothing.
        wanted: of a GET, the tags of the attributes that are asked for.
        action: of an ACTION, its type.
    """

    operation: Operation
    context: str
    sop_class: str
    sop_instance: str
    data: Dataset | Path | None = None
    wanted: tuple[int, ...] = ()
    action: int = 1

    def command(self, message_id: int) -> dict[int, Value]:
        """Its command set (PS3.7 10.3)."""
        is_new = self.operation is Operation.CREATE
        elements: dict[int, Value] = {
            commands.AFFECTED_SOP_CLASS_UID if is_new else commands.REQUESTED_SOP_CLASS_UID: self.sop_class,
            commands.AFFECTED_SOP_INSTANCE_UID if is_new else commands.REQUESTED_SOP_INSTANCE_UID: self.sop_instance,
            commands.COMMAND_FIELD: int(self.operation),
            commands.MESSAGE_ID: message_id,
            commands.COMMAND_DATA_SET_TYPE: commands.NO_DATA_SET if self.data is None else commands.HAS_DATA_SET,
        }
        if self.operation is Operation.GET:
            elements[commands.ATTRIBUTE_IDENTIFIER_LIST] = self.wanted
        if self.operation is Operation.ACTION:
            elements[commands.ACTION_TYPE_ID] = self.action
        return elements


@dataclass(frozen=True)
class Response:
    """The peer's answer to one request.

    Args:
        status: what it said, with its meaning.
        sop_instance: the instance that it names; of a CREATE the one that it made. Empty when it names none.
        attributes: what came with it, in Unicode.
        error_comment: (0000,0902); may hold patient data.
        offending: the tags of (0000,0901), or of the Attribute Identifier List where there are none.
    """

    status: Status
    sop_instance: str = ""
    attributes: Dataset = field(default_factory=Dataset)
    error_comment: str = ""
    offending: tuple[int, ...] = ()

    @classmethod
    def made(cls, status: Status, answer: Command, attributes: Dataset) -> Response:
        """Of an answer's command set and what came with it."""
        named = answer.text(commands.AFFECTED_SOP_INSTANCE_UID) or answer.text(commands.REQUESTED_SOP_INSTANCE_UID)
        return cls(
            status,
            named if is_instance(named) else "",
            attributes,
            answer.text(commands.ERROR_COMMENT),
            answer.tags(commands.OFFENDING_ELEMENT) or answer.tags(commands.ATTRIBUTE_IDENTIFIER_LIST),
        )


@dataclass(frozen=True)
class Event:
    """What a peer reports of an instance, unasked (N-EVENT-REPORT, PS3.7 10.1.1).

    Args:
        sop_class: of the instance.
        sop_instance: the instance.
        number: the event's type.
        attributes: what came with it, in Unicode.
    """

    sop_class: str
    sop_instance: str
    number: int
    attributes: Dataset


def is_instance(text: str) -> bool:
    """Whether an instance can be asked for by this: peers make UIDs of all kinds (PS3.5 9.1)."""
    return _UID.fullmatch(text) is not None


def has_failed(response: Response) -> bool:
    """Whether a printer says in its answer that it cannot print (Printer Status, PS3.3 C.13.9)."""
    return str(response.attributes.get("PrinterStatus") or "") == "FAILURE"


Heard = Callable[[Event], object]
"""Takes what a peer reports."""


def event_answer(report: Command) -> Mapping[int, Value]:
    """The command set that answers an N-EVENT-REPORT-RQ: success (PS3.7 10.3.1.2)."""
    return {
        commands.AFFECTED_SOP_CLASS_UID: report.text(commands.AFFECTED_SOP_CLASS_UID),
        commands.COMMAND_FIELD: EVENT_REPORT | RESPONSE,
        commands.MESSAGE_ID_BEING_RESPONDED_TO: report.number(commands.MESSAGE_ID) or 0,
        commands.COMMAND_DATA_SET_TYPE: commands.NO_DATA_SET,
        commands.STATUS: 0x0000,
        commands.AFFECTED_SOP_INSTANCE_UID: report.text(commands.AFFECTED_SOP_INSTANCE_UID),
        commands.EVENT_TYPE_ID: report.number(commands.EVENT_TYPE_ID) or 0,
    }
