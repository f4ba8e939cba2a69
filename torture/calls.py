"""Every call of this process that changes the disk, or sends to a peer, goes through one place that may break it.

Files are opened for writing as a Python class of their own, so that what buffers write is seen as well; the modules
`os`, `io`, `builtins` and `socket` get the replacements. What the process reads is left alone.
"""

from __future__ import annotations

import builtins
import io
import os
import shutil
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from torture.points import name_of

# Looked up before anything is replaced; shutil decides at its import whether it can use descriptors of folders.
_OPEN: Final = os.open
_IO_OPEN: Final = io.open
_WRITE: Final = os.write
_ORIGINALS: Final = {
    name: getattr(os, name)
    for name in ("rename", "replace", "mkdir", "rmdir", "unlink", "remove", "truncate", "ftruncate", "link", "symlink")
}
_CREATES: Final = os.O_CREAT | os.O_TRUNC
# The log is not the engine's.
_LEFT_OUT: Final = ("log/", "tmp/", "kept")


class Judge(Protocol):
    """Decides what becomes of a call."""

    def before(self, name: str, size: int | None) -> int | None:
        """Called before it; for a write how many of its bytes are let through, None for all. May raise, or not return.

        Args:
            name: the call and what it touches.
            size: the bytes that are to be written, None where none are.
        """

    def after(self, name: str, record: tuple[Any, ...]) -> None:
        """Called after it has succeeded, with what a disk would have to know of it."""


class Calls:
    """Puts itself between the program and the system.

    Args:
        base: only what lies below it is looked at.
        peers: the ports of archives, and their names.
        judge: decides.
    """

    def __init__(self, base: Path, peers: dict[int, str], judge: Judge) -> None:
        self._base = f"{base}/"
        self._peers = peers
        self._judge = judge
        # One call at a time, so that they have an order.
        self._lock = threading.RLock()

    def install(self) -> None:
        """From now on."""
        module: Any = os
        module.open = self._open
        module.write = self._write
        module.fsync = self._fsync
        module.fdatasync = self._fsync
        for name in ("rename", "replace", "link", "symlink"):
            setattr(module, name, self._of_two(name))
        for name in ("mkdir", "rmdir", "unlink", "remove", "truncate"):
            setattr(module, name, self._of_one(name))
        shutil_module: Any = shutil
        # Copies go through write.
        shutil_module._USE_CP_SENDFILE = False  # noqa: SLF001
        for place in (io, builtins):
            place.open = self._io_open  # type: ignore[attr-defined]
        sockets: Any = socket.socket
        for name in ("send", "sendall", "sendmsg"):
            setattr(sockets, name, self._sending(name, getattr(socket.socket, name)))

    # Names

    def _inside(self, path: Any, folder: int | None = None) -> str | None:
        """A path below the base; None for any other."""
        if isinstance(path, int):
            text = _of_descriptor(path)
        else:
            text = os.fsdecode(path)
            if folder is not None:
                text = f"{_of_descriptor(folder)}/{text}"
        if not text.startswith(self._base):
            return None
        inside = text.removeprefix(self._base)
        return None if inside.startswith(_LEFT_OUT) else inside

    # Files

    def _open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        inside = self._inside(path, dir_fd) if flags & _CREATES else None
        if inside is None or not (flags & os.O_TRUNC or _is_new(path)):
            return _OPEN(path, flags, mode, dir_fd=dir_fd)
        with self._lock:
            name = name_of("create", inside)
            self._judge.before(name, None)
            descriptor = _OPEN(path, flags, mode, dir_fd=dir_fd)
            self._judge.after(name, ("create", inside, bool(flags & os.O_TRUNC)))
            return descriptor

    def _write(self, descriptor: int, data: Any) -> int:
        inside = self._inside(descriptor)
        if inside is None:
            return _WRITE(descriptor, data)
        return self.written(inside, data, lambda part: _WRITE(descriptor, part), lambda: _tell(descriptor))

    def written(self, inside: str, data: Any, write: Callable[[Any], int], tell: Callable[[], int]) -> int:
        """Write to a file below the base: `write` does it, `tell` says where it ends afterwards."""
        view = memoryview(data).cast("B")
        with self._lock:
            name = name_of("write", inside)
            most = self._judge.before(name, len(view))
            done = write(view if most is None else view[:most])
            self._judge.after(name, ("write", inside, tell() - done, bytes(view[:done])))
            return done

    def _fsync(self, descriptor: int) -> None:
        inside = self._inside(descriptor)
        if inside is None:
            _FSYNC(descriptor)
            return
        with self._lock:
            name = name_of("fsync", inside)
            self._judge.before(name, None)
            _FSYNC(descriptor)
            self._judge.after(name, ("fsync", inside))

    def _of_one(self, call: str) -> Callable[..., None]:
        original = _ORIGINALS[call]

        def replaced(path: Any, *arguments: Any, dir_fd: int | None = None, **options: Any) -> None:
            inside = self._inside(path, dir_fd)
            if dir_fd is not None:
                options["dir_fd"] = dir_fd
            if inside is None:
                original(path, *arguments, **options)
                return
            with self._lock:
                name = name_of("unlink" if call == "remove" else call, inside)
                self._judge.before(name, None)
                original(path, *arguments, **options)
                self._judge.after(name, ("unlink" if call == "remove" else call, inside))

        return replaced

    def _of_two(self, call: str) -> Callable[..., None]:
        original = _ORIGINALS[call]

        def replaced(source: Any, target: Any, **options: Any) -> None:
            inside, there = self._inside(source), self._inside(target)
            if inside is None and there is None:
                original(source, target, **options)
                return
            with self._lock:
                name = name_of("rename" if call == "replace" else call, inside or there or "")
                self._judge.before(name, None)
                original(source, target, **options)
                self._judge.after(name, ("rename" if call == "replace" else call, inside, there))

        return replaced

    def _io_open(  # noqa: PLR0917 - as io.open has them
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        inside = self._inside(file) if set(mode) & set("wax+") else None
        if inside is None:
            return _IO_OPEN(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = self._raw(file, mode, inside, closefd=closefd, opener=opener)
        binary = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return raw if buffering == 0 else binary
        return io.TextIOWrapper(binary, encoding, errors, newline)

    def _raw(self, file: Any, mode: str, inside: str, *, closefd: bool, opener: Any) -> io.FileIO:
        plain = mode.replace("b", "").replace("t", "")
        if isinstance(file, int):
            return _Raw(self, inside, file, plain, closefd=closefd)
        if not ("w" in mode or _is_new(file)):
            return _Raw(self, inside, file, plain, closefd=closefd, opener=opener)
        with self._lock:
            name = name_of("create", inside)
            self._judge.before(name, None)
            raw = _Raw(self, inside, file, plain, closefd=closefd, opener=opener)
            self._judge.after(name, ("create", inside, "w" in mode))
            return raw

    # Peers

    def _sending(self, call: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def replaced(connection: socket.socket, data: Any, *arguments: Any, **options: Any) -> Any:
            peer = self._peer(connection)
            if peer is None:
                return original(connection, data, *arguments, **options)
            pieces = _pieces(data) if call == "sendmsg" else _pieces([data])
            size = sum(len(piece) for piece in pieces)
            # A message begins with its kind (PS3.8 9.3.1); what goes on with one has none.
            kind = pieces[0][0] if size and pieces[0][0] in range(1, 8) else 0
            name = f"send {peer} {kind:02X}"
            most = self._judge.before(name, size)
            if most is None:
                sent = original(connection, data, *arguments, **options)
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sent = _SENDALL(connection, b"".join(pieces)[:most])
            self._judge.after(name, ("send", peer))
            return sent

        return replaced

    def _peer(self, connection: socket.socket) -> str | None:
        try:
            address = connection.getpeername()
        except OSError:
            return None
        return self._peers.get(address[1]) if isinstance(address, tuple) and len(address) > 1 else None


class _Raw(io.FileIO):
    """A file whose writes are looked at."""

    def __init__(self, calls: Calls, inside: str, file: Any, mode: str, **options: Any) -> None:
        super().__init__(file, mode, **options)
        self._calls, self._inside = calls, inside

    def write(self, data: Any, /) -> int:
        return self._calls.written(self._inside, data, super().write, super().tell)


_FSYNC: Final = os.fsync
_SENDALL: Final = socket.socket.sendall


def _of_descriptor(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - Path.readlink would go through what is replaced
    except OSError:
        return ""


def _is_new(path: Any) -> bool:
    return not os.path.lexists(path)


def _tell(descriptor: int) -> int:
    return os.lseek(descriptor, 0, os.SEEK_CUR)


def _pieces(data: Sequence[Any]) -> list[bytes]:
    return [bytes(memoryview(piece).cast("B")) for piece in data if len(piece)]
