"""Logs: one line an event, on standard error and in a file that is rotated."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TextIO

from dicomprinter.config.sections import General
from dicomprinter.errors import SpoolError
from dicomprinter.service.installation import LOG_FILE
from dicomprinter.service.log_event import OURS, Settings
from dicomprinter.service.log_file import LogFile
from dicomprinter.service.log_form import EventFormatter, Form
from dicomprinter.service.redaction import quiet_libraries

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class _Screen(logging.StreamHandler[TextIO]):
    """Standard error."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Nothing: logging itself would print the record, values and all."""


@dataclass
class Logs:
    """The log of this process, from `open` to `close`.

    Args:
        file: the rotated file, or None.
        screen: standard error, or None.
    """

    file: LogFile | None
    screen: logging.Handler | None
    _settings: Settings = field(default_factory=Settings)

    @classmethod
    def open(cls, folder: Path | None, *, screen: bool, verbose: bool = False, form: Form = Form.TEXT) -> Self:
        """Begin to log.

        Args:
            folder: where `dicomprinter.log` goes; made when it is missing. None: no file.
            screen: whether standard error gets the lines as well.
            verbose: DEBUG too.
            form: how the lines are written.

        Raises:
            SpoolError: the folder cannot be written.
        """
        quiet_libraries()
        logs = cls(_log_file(folder) if folder else None, _Screen(sys.stderr) if screen else None)
        root = logging.getLogger()
        for handler in logs._handlers():
            handler.setFormatter(EventFormatter(logs._settings, form))
            handler.addFilter(logs._settings.lets_through)
            root.addHandler(handler)
        logging.getLogger(OURS).setLevel(logging.DEBUG if verbose else logging.INFO)
        return logs

    def adopt(self, general: General) -> None:
        """Take over what a configuration says of logs."""
        self._settings.redact = general.redact
        self._settings.verbosity = general.verbosity
        if self.file is not None:
            self.file.limit(general.log_size, general.log_count)

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


def _log_file(folder: Path) -> LogFile:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Until `adopt` says what the configuration wants.
        return LogFile(folder / LOG_FILE, General.log_size, General.log_count)
    except OSError as error:
        raise SpoolError(
            f"the log {folder / LOG_FILE} cannot be written",
            cause=error.strerror or "",
            remedy="check its rights, or choose another --log-dir",
        ) from None
