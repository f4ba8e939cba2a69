"""One event of a log. Here, and nowhere else, it is decided what of it may be told.

A record says in its attributes (`extra`) what is known beside its message: `job`, `private`, `node`, `action`,
`details` and `depth`, how deep the work is nested:

    1  the service, and what becomes of a job: accepted, suspended, held, done
    2  a node of the workflow; one more for each If or Switch around it
    3  what its action does (one below its node)
    4  each object that the action sends or gets (two below its node)
"""

from __future__ import annotations

import logging
import math
import re
import traceback
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dicomprinter.errors import MASK, redacted
from dicomprinter.service.redaction import places

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS: Final = "dicomprinter"
TOP: Final = 1
DEEPEST: Final = 35
SUCCESS: Final = 25
_NAMES: Final = {10: "DEBUG", 20: "INFO", SUCCESS: "SUCCESS", 30: "WARN", 40: "ERROR", 50: "FATAL"}
# Of a note's details these hold nothing of a patient. Any other is taken to hold something.
_SAFE: Final = frozenset({"offending", "peer", "sop_class_uid", "status", "succeeded", "transfer_syntax_uid"})
# What a node is called is told by attributes of their own.
_TOLD_ELSEWHERE: Final = frozenset({"node"})
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass
class Settings:
    """What the configuration says of a log; may change while it is open.

    Args:
        redact: `****` stands where a patient's value was (RedactSensitiveLogValues).
        verbosity: events nested deeper than this are left out (Verbosity, 1 to 35), unless they are errors.
    """

    redact: bool = True
    verbosity: int = DEEPEST

    def lets_through(self, record: logging.LogRecord) -> bool:
        """Whether an event is told at all."""
        return record.levelno >= logging.ERROR or depth_of(record) <= self.verbosity


@dataclass(frozen=True)
class Event:
    """An event as it may be told.

    Args:
        message: one line.
        private: what may hold patient data: whole, with `****` in its place, or empty.
        trace: the lines that say where an exception came from.
    """

    moment: datetime
    level: str
    logger: str
    job: str | None
    depth: int
    message: str
    private: str = ""
    node: str | None = None
    action: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    trace: tuple[str, ...] = ()


def depth_of(record: logging.LogRecord) -> int:
    """How deep an event's work is nested, from 1."""
    depth = getattr(record, "depth", TOP)
    return max(TOP, depth) if isinstance(depth, int) else TOP


def read_event(record: logging.LogRecord, *, redact: bool) -> Event:
    """What may be told of a record.

    Args:
        record: of our own, or a library's: of such a one only the place is told when redacting.
        redact: whether values of patients are left out.
    """
    private = getattr(record, "private", "")
    return Event(
        moment=datetime.fromtimestamp(record.created).astimezone(),
        level=_NAMES.get(record.levelno, record.levelname),
        logger=record.name,
        job=_text_or_none(record, "job"),
        depth=depth_of(record),
        message=one_line(_message(record, redact=redact)),
        private=one_line(redacted(private) if redact else str(private)),
        node=_text_or_none(record, "node"),
        action=_text_or_none(record, "action"),
        details=_details(getattr(record, "details", {}), redact=redact),
        trace=tuple(one_line(line) for line in _trace(record, redact=redact)),
    )


def one_line(text: str) -> str:
    """A text that cannot forge an event or command a terminal, and that every encoding of Unicode can hold."""
    shown = _CONTROLS.sub("?", " | ".join(text.splitlines()))
    return shown.encode("utf-8", "backslashreplace").decode("utf-8")


def _message(record: logging.LogRecord, *, redact: bool) -> str:
    place = f"{record.filename}:{record.lineno}"
    if redact and record.name.partition(".")[0] != OURS:
        return f"{record.name} at {place}: {MASK}"
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - logging itself would print the record, values and all
        return f"an event at {place}, whose text cannot be made"


def _text_or_none(record: logging.LogRecord, name: str) -> str | None:
    value = getattr(record, name, None)
    return None if value is None else one_line(str(value))


def _details(details: Mapping[str, Any], *, redact: bool) -> dict[str, Any]:
    return {
        one_line(str(name)): MASK if redact and name not in _SAFE else _plain(value)
        for name, value in details.items()
        if name not in _TOLD_ELSEWHERE and value not in ("", [], None)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return one_line(str(value))


def _trace(record: logging.LogRecord, *, redact: bool) -> list[str]:
    if not record.exc_info or record.exc_info[1] is None:
        return []
    if redact:
        told = places(record.exc_info)
        return [*told[:-1], f"{told[-1]}: {MASK}"] if record.exc_info[1].args else told
    return "".join(traceback.format_exception(record.exc_info[1])).splitlines()
