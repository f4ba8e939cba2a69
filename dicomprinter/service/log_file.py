"""The log's file: rotated by size, open to its owner alone, safe to share between processes."""

from __future__ import annotations

import logging
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from dicomprinter.service.log_event import OURS

if TYPE_CHECKING:
    from pathlib import Path

_LOCK = ".dicomprinter.log.lock"
_LOCK_SECONDS = 1.0


class LogFile(logging.Handler):
    """Writes each event by one call to the end of the file; older files are `.1`, `.2` ….

    Whoever finds the file too large renames it, under a lock; other processes see that and follow. A full disk stops
    nobody: how many events it has cost is told once there is room again.

    Args:
        file: the newest file; its folder is there.
        size: bytes that it may have; a line that is longer has a file for itself.
        count: how many files are kept, the newest included.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, file: Path, size: int, count: int) -> None:
        super().__init__()
        self.file = file
        self._size = size
        self._count = count
        self._lost = 0
        self._is_cut = False
        self._is_over = False
        self._descriptor: int | None = self._open()

    @property
    def limits(self) -> tuple[int, int]:
        """Size and count."""
        return self._size, self._count

    def limit(self, size: int, count: int) -> None:
        """Other limits, from the next event on; files beyond `count` go at once."""
        self.acquire()
        try:
            self._size, self._count = size, count
            with suppress(OSError):
                self._remove_surplus()
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        """Add an event; one that cannot be written is counted."""
        try:
            if self._lost:
                self._append(self._loss())
                self._lost = 0
            self._append(record)
        except Exception:  # noqa: BLE001 - whatever is wrong with a log, the work goes on
            self._lost += 1

    def close(self) -> None:
        """End."""
        self.acquire()
        try:
            self._is_over = True
            self._shut()
        finally:
            self.release()
        super().close()

    def _append(self, record: logging.LogRecord) -> None:
        data = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
        if self._is_cut:
            # Half an event must not swallow this one.
            data = b"\n" + data
        descriptor = self._current()
        size = os.fstat(descriptor).st_size
        if size and size + len(data) > self._size:
            descriptor = self._rotated(len(data))
        written = os.write(descriptor, data)
        self._is_cut = written < len(data)
        if self._is_cut:
            raise OSError("the disk is full")

    def _loss(self) -> logging.LogRecord:
        text = "%d events could not be written to this file: the disk was full, or the file could not be opened"
        return logging.LogRecord(f"{OURS}.service", logging.ERROR, __file__, 0, text, (self._lost,), None)

    # The file and its older ones

    def _open(self) -> int:
        return os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)

    def _current(self) -> int:
        """The newest file; another process, or logrotate, may have renamed the one that is open."""
        if self._is_over:
            raise OSError("the log is closed")
        if self._descriptor is not None and not self._is_newest(self._descriptor):
            self._shut()
        if self._descriptor is None:
            self._descriptor = self._open()
        return self._descriptor

    def _is_newest(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.file.stat())
        except FileNotFoundError:
            return False

    def _shut(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _rotated(self, more: int) -> int:
        """The file to write `more` bytes to; the same as before when it cannot be renamed now."""
        with suppress(OSError, Timeout), FileLock(self.file.with_name(_LOCK), timeout=_LOCK_SECONDS, mode=0o600):
            # It may have been renamed while this one waited.
            descriptor = self._current()
            if os.fstat(descriptor).st_size + more > self._size:
                self._rename_all()
        return self._current()

    def _rename_all(self) -> None:
        # Windows renames no file that is open.
        self._shut()
        for number in range(self._count - 2, 0, -1):
            with suppress(FileNotFoundError):
                self._older(number).replace(self._older(number + 1))
        self.file.replace(self._older(1))
        self._remove_surplus()

    def _older(self, number: int) -> Path:
        return self.file.with_name(f"{self.file.name}.{number}")

    def _remove_surplus(self) -> None:
        pattern = re.compile(re.escape(self.file.name) + r"\.([0-9]{1,6})")
        for path in self.file.parent.iterdir():
            match = pattern.fullmatch(path.name)
            if match and int(match[1]) >= self._count:
                path.unlink(missing_ok=True)
