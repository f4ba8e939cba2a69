"""Events of a folder and all below it, each told at once.

On Linux the events come from inotify(7) itself. The observer that watchdog chooses there holds back whatever follows a
file that leaves the folder, for half a second, to see whether it comes back under another name; every file that is
taken leaves the folder so. And it tells of a file that is moved in only that it was created, not that it is whole.
Elsewhere watchdog's observer is as good as the system, which does not tell of a file that is closed.
"""

from __future__ import annotations

import ctypes
import errno
import io
import os
import select
import socket
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, EventEmitter

if TYPE_CHECKING:
    from collections.abc import Iterator

# <sys/inotify.h>; the same on every architecture.
_MODIFY: Final = 0x2
_CLOSE_WRITE: Final = 0x8
_MOVED_FROM: Final = 0x40
_MOVED_TO: Final = 0x80
_CREATE: Final = 0x100
_OVERFLOW: Final = 0x4000
_IGNORED: Final = 0x8000
_ONLY_FOLDERS: Final = 0x0100_0000
_NO_LINKS: Final = 0x0200_0000
_IS_FOLDER: Final = 0x4000_0000
_WANTED: Final = _MODIFY | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _ONLY_FOLDERS
# Which watch, what, the cookie of a move, and the length of the name that follows.
_HEAD: Final = struct.Struct("iIII")
_BUFFER_BYTES: Final = 1 << 16
_LIMITS: Final = {errno.EMFILE: "inotify instance limit reached", errno.ENOSPC: "inotify watch limit reached"}


def folder_observer() -> BaseObserver:
    """An observer, not yet started. On Linux it tells at once of a file that is closed or moved in.

    Raises:
        OSError: the system has no more observers to give; `start` of the observer may raise it as well.
    """
    return BaseObserver(InotifyEmitter) if sys.platform == "linux" else Observer()


class InotifyEmitter(EventEmitter):
    """Tells watchdog's handlers what inotify says of files that come or change; of folders and what goes, nothing."""

    _inotify: _Inotify | None = None

    def on_thread_start(self) -> None:
        """Begin to watch; raises OSError."""
        self._inotify = _Inotify(os.fsencode(self.watch.path))

    def on_thread_stop(self) -> None:
        """Wake the thread, which ends then."""
        if self._inotify is not None:
            self._inotify.end()

    def run(self) -> None:
        """Pass events on until the end."""
        if self._inotify is not None:
            for event in self._inotify.events():
                self.queue_event(event)


class _Inotify:
    """Watches of a folder and of all folders below it; links are not followed.

    Raises:
        OSError: the folder cannot be watched. One below it that cannot be is left out.
    """

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._folders: dict[int, bytes] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._stream = io.FileIO(_checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)))
        # When one is closed, the other can be read.
        self._end, self._ended = socket.socketpair()
        try:
            self._add(root)
            for _ in self._watch(root):
                # What lies there already is looked at in any case.
                pass
        except OSError:
            self.end()
            self._stream.close()
            self._ended.close()
            raise

    def end(self) -> None:
        """Let `events` come to its end."""
        self._end.close()

    def events(self) -> Iterator[FileSystemEvent]:
        """Every event, as it comes, until the end; then nothing is watched any more."""
        poll = select.poll()
        with self._stream, self._ended:
            poll.register(self._stream, select.POLLIN)
            poll.register(self._ended, select.POLLIN)
            while self._ended.fileno() not in dict(poll.poll()):
                for watch, mask, name in _parsed(self._stream.read(_BUFFER_BYTES) or b""):
                    yield from self._meaning(watch, mask, name)

    def _meaning(self, watch: int, mask: int, name: bytes) -> Iterator[FileSystemEvent]:
        if mask & _OVERFLOW:
            # Folders may have come, and files may have been written to, of which nothing was told.
            yield from self._watch(self._root)
        if mask & _IGNORED:
            self._folders.pop(watch, None)
        folder = self._folders.get(watch)
        if folder is None:
            return
        path = folder + b"/" + name
        if mask & _IS_FOLDER:
            if mask & _MOVED_FROM:
                self._forget(path)
            elif mask & (_CREATE | _MOVED_TO):
                yield from self._watch(path)
        elif mask & _CLOSE_WRITE:
            yield FileClosedEvent(os.fsdecode(path))
        elif mask & _MOVED_TO:
            yield FileMovedEvent("", os.fsdecode(path))
        elif mask & _CREATE:
            yield FileCreatedEvent(os.fsdecode(path))
        elif mask & _MODIFY:
            yield FileModifiedEvent(os.fsdecode(path))

    def _watch(self, folder: bytes) -> Iterator[FileSystemEvent]:
        """Watch a folder and all below it; of files that came before, nobody knows whether they are whole."""
        waiting = [folder]
        while waiting:
            current = waiting.pop()
            # It may have gone again, or be more than the system watches: a look now and then finds its files.
            with suppress(OSError):
                self._add(current)
                with os.scandir(current) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            yield FileCreatedEvent(os.fsdecode(entry.path))

    def _add(self, folder: bytes) -> None:
        mask = _WANTED if folder == self._root else _WANTED | _NO_LINKS
        self._folders[_checked(self._libc.inotify_add_watch(self._stream.fileno(), folder, mask))] = folder

    def _forget(self, folder: bytes) -> None:
        """A folder that went away keeps its watch, and would go on telling of files under its old name."""
        for watch, path in list(self._folders.items()):
            if path == folder or path.startswith(folder + b"/"):
                self._libc.inotify_rm_watch(self._stream.fileno(), watch)
                del self._folders[watch]


def _parsed(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The watch, the mask and the name of each event."""
    start = 0
    while start < len(data):
        watch, mask, _, length = _HEAD.unpack_from(data, start)
        start += _HEAD.size + length
        yield watch, mask, data[start - length : start].rstrip(b"\0")


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, _LIMITS.get(code, os.strerror(code)))
    return result
