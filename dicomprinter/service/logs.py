"""Logs: one line an event, on standard error and in a file that is rotated."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass, field
from datetime import datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, Self

from dicomprinter.errors import SpoolError
from dicomprinter.service.redaction import ExceptionInfo, places, quiet_libraries

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from dicomprinter.config.sections import General

LOG_FILE = "dicomprinter.log"
OURS = "dicomprinter"
SUCCESS = 25
_NAMES = {10: "DEBUG", 20: "INFO", SUCCESS: "SUCCESS", 30: "WARN", 40: "ERROR", 50: "FATAL"}


class LineFormatter(logging.Formatter):
    """`2026-01-31 09:15:02.123 INFO    20260131T091502123456-a1b2c3  message`; `-` where no job is concerned.

    Args:
        redact: of an exception only the places in the program are told.
    """

    def __init__(self, redact: bool = True) -> None:
        super().__init__()
        self.redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """One line; only the places of an exception follow on lines of their own."""
        moment = datetime.fromtimestamp(record.created).isoformat(" ", timespec="milliseconds")
        level = _NAMES.get(record.levelno, record.levelname)
        # A line break inside a message could forge an event.
        message = " | ".join(record.getMessage().splitlines())
        line = f"{moment} {level:<7} {getattr(record, 'job', '-')}  {message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - logging's name
        """Where it happened; what the exception says only without redaction."""
        return places(ei) if self.redact else super().formatException(ei)


class _LogFile(RotatingFileHandler):
    """Open to its owner alone; a full disk does not stop the service."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Nothing: there is nowhere to tell it."""


@dataclass
class Logs:
    """The log of this process, from `open` to `close`.

    Args:
        file: the rotated file, or None.
        screen: standard error, or None.
    """

    file: RotatingFileHandler | None
    screen: logging.Handler | None
    _formatter: LineFormatter = field(default_factory=LineFormatter)

    @classmethod
    def open(cls, folder: Path | None, *, screen: bool, verbose: bool = False) -> Self:
        """Begin to log.

        Args:
            folder: where `dicomprinter.log` goes; made when it is missing. None: no file.
            screen: whether standard error gets the lines as well.
            verbose: DEBUG too.

        Raises:
            SpoolError: the folder cannot be written.
        """
        quiet_libraries()
        logs = cls(_log_file(folder) if folder else None, logging.StreamHandler(sys.stderr) if screen else None)
        root = logging.getLogger()
        for handler in logs._handlers():
            handler.setFormatter(logs._formatter)
            root.addHandler(handler)
        logging.getLogger(OURS).setLevel(logging.DEBUG if verbose else logging.INFO)
        return logs

    def adopt(self, general: General) -> None:
        """Take over what a configuration says of logs."""
        self._formatter.redact = general.redact
        if self.file is not None:
            self.file.maxBytes = general.log_size
            self.file.backupCount = general.log_count - 1

    def close(self) -> None:
        """End; a second log may be opened after that."""
        for handler in self._handlers():
            logging.getLogger().removeHandler(handler)
            handler.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _handlers(self) -> list[logging.Handler]:
        return [handler for handler in (self.file, self.screen) if handler is not None]


def _log_file(folder: Path) -> RotatingFileHandler:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What follows the rotation is told by `adopt`; without it nothing would ever be rotated.
        return _LogFile(folder / LOG_FILE, maxBytes=50 << 20, backupCount=9)
    except OSError as error:
        raise SpoolError(
            f"the log {folder / LOG_FILE} cannot be written",
            cause=error.strerror or "",
            remedy="check its rights, or choose another --log-dir",
        ) from None
