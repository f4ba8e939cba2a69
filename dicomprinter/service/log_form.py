"""How events are written: as lines of text for people, or as lines of JSON for programs."""

from __future__ import annotations

import json
import logging
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dicomprinter.service.log_event import TOP, Event, Settings, read_event

if TYPE_CHECKING:
    from collections.abc import Callable

_INDENT = "  "


class Form(StrEnum):
    """What `--log-format` may ask for."""

    TEXT = "text"
    JSON = "json"

    @property
    def write(self) -> Callable[[Event], str]:
        """Makes the line."""
        return as_json if self is Form.JSON else as_text


class EventFormatter(logging.Formatter):
    """Writes what may be told of a record."""

    def __init__(self, settings: Settings, form: Form = Form.TEXT) -> None:
        super().__init__()
        self._settings = settings
        self._write = form.write

    def format(self, record: logging.LogRecord) -> str:
        """One line; in the text form the places of an exception follow on lines of their own."""
        return self._write(read_event(record, redact=self._settings.redact))


def as_text(event: Event) -> str:
    """`2026-01-31 09:15:02.123 INFO    20260131T091502123456-a1b2c3  message (private)`; `-` is no job.

    Nested work is indented by two blanks a level. The lines of a trace begin with blanks, so that none looks like an
    event.
    """
    moment = event.moment.replace(tzinfo=None).isoformat(" ", timespec="milliseconds")
    private = f" ({event.private})" if event.private else ""
    indent = _INDENT * (event.depth - TOP)
    line = f"{moment} {event.level:<7} {event.job or '-'}  {indent}{event.message}{private}"
    return "\n".join([line, *(f"    {indent}{place}" for place in event.trace)])


def as_json(event: Event) -> str:
    """One JSON object, in ASCII alone. What is empty is left out, but for `job`, which is null then."""
    found: dict[str, Any] = {
        "time": event.moment.isoformat(timespec="milliseconds"),
        "level": event.level,
        "job": event.job,
        "depth": event.depth,
        "message": event.message,
    }
    more = {
        "private": event.private,
        "node": event.node,
        "action": event.action,
        "details": event.details,
        "trace": event.trace,
    }
    found |= {name: value for name, value in more.items() if value}
    return json.dumps({**found, "logger": event.logger}, allow_nan=False)
