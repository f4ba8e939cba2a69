"""What keeps patient data out of logs: messages are written without it, libraries are silenced here.

What of an event may be told is decided in `log_event`, and nowhere else.
"""

from __future__ import annotations

import logging
import traceback
import warnings
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Final

import pydicom.config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_NEVER: Final = logging.CRITICAL + 1

# From which level on a library is heard.
LIBRARY_LEVELS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "pydicom": _NEVER,
        "pynetdicom": logging.WARNING,
        # It calls an error what is the usual end of its thread; the folder is looked at without its events as well.
        "watchdog": _NEVER,
    }
)


def quiet_libraries() -> None:
    """Libraries' warnings would tell values; nothing of theirs below WARNING, and nothing of pydicom, is heard."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    warnings.simplefilter("ignore")
    for name, level in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(level)


def places(info: ExceptionInfo) -> list[str]:
    """Where an exception and those that led to it came from, first cause first, each followed by its class.

    What they say may hold a value, and so may a line of source text: neither is told.
    """
    return [line for error in _chain(info[1]) for line in (*_frames(error.__traceback__), type(error).__name__)]


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.insert(0, error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def _frames(trace: TracebackType | None) -> Iterator[str]:
    for frame in traceback.extract_tb(trace):
        yield f"{frame.filename}:{frame.lineno} in {frame.name}"
