"""What keeps patient data out of logs: messages are written without it, libraries are silenced here."""

from __future__ import annotations

import logging
import traceback
import warnings
from types import TracebackType

import pydicom.config

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_NEVER = logging.CRITICAL + 1


def quiet_libraries() -> None:
    """Libraries' warnings would tell values; nothing of theirs below WARNING, and nothing of pydicom, is heard."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    warnings.simplefilter("ignore")
    logging.getLogger("pydicom").setLevel(_NEVER)
    logging.getLogger("pynetdicom").setLevel(logging.WARNING)
    # It calls an error what is the usual end of its thread; the folder is looked at without its events as well.
    logging.getLogger("watchdog").setLevel(_NEVER)


def places(info: ExceptionInfo) -> str:
    """Where an exception came from and its class; not what it says, which may hold a value."""
    kind, _, trace = info
    if kind is None:
        return ""
    lines = ["Traceback (most recent call last):\n", *traceback.format_tb(trace), kind.__name__]
    return "".join(lines)
