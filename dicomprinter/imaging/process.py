"""The child process as its parent sees it: started, asked, killed."""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from types import MappingProxyType
from typing import IO, Any, Final, cast

from dicomprinter.errors import TransientError
from dicomprinter.imaging.wire import RELEASED, line

# -P: the current directory is no place for modules.
COMMAND: Final = (sys.executable, "-P", "-m", "dicomprinter.imaging.child")
_START_TIMEOUT: Final = 60.0
_PIPE_BYTES: Final = 1 << 20
NOTHING: Final = memoryview(b"")

Admit = Callable[[int], object]
# One thread, and glibc gives a page's memory back as soon as the page is sent: by itself it would keep what it can.
_SETTINGS: Final = MappingProxyType(
    {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": str(1 << 20),
    }
)


def at_once(_size: int) -> None:
    """Lets everything in."""


@dataclass(frozen=True)
class Answer:
    """What the child said, and the bytes that it announced there."""

    message: dict[str, Any]
    body: memoryview


class ChildProcess:
    """A child, which gets ready by itself as soon as this is made; `begin` waits for that."""

    def __init__(self) -> None:
        # A process group of its own: Ctrl-C in a terminal is for the service, which ends the child in order.
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        self._process = subprocess.Popen(  # noqa: S603 - this program itself
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_SETTINGS},
            **apart,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(BufferedReader, self._process.stdout)
        _widen(self._answers)
        self.is_ready = False

    def begin(self, settings: dict[str, Any]) -> None:
        """Tell it what it has to know, and wait until it is ready for its first request.

        Raises:
            TransientError: it did not start.
        """
        with suppress(TimeoutError):
            self.is_ready = self.ask(settings, _START_TIMEOUT) is not None
        if not self.is_ready:
            raise TransientError(
                "the decoder's process did not start",
                cause="too little memory, or the program is not installed in whole",
                remedy=f"try `{' '.join(COMMAND)}`",
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.poll() is None

    def ended(self) -> int:
        """How the process ended, once it has."""
        return self._process.wait()

    def ask(self, message: dict[str, Any], timeout: float, admit: Admit = at_once) -> Answer | None:
        """The child's answer; None when it ended instead.

        After anything but a whole answer the child is ended: the next one must not be taken for this one's.

        Args:
            message: the request.
            timeout: seconds for it, and again for its bytes.
            admit: called with the number of bytes before there is memory for them; may wait.

        Raises:
            TimeoutError: it was still at it after `timeout` seconds.
            TransientError: the answer is larger than the memory.
        """
        answer: Answer | None = None
        try:
            with self._limited(timeout):
                said = self._request(message)
            body = NOTHING
            if said and said.get("bytes"):
                admit(said["bytes"])
                body = _room(said["bytes"])
                with self._limited(timeout):
                    said = said if self._fill(body) else None
            answer = Answer(said, body) if said is not None else None
        finally:
            if answer is None:
                self.kill()
        return answer

    @contextmanager
    def _limited(self, timeout: float) -> Iterator[None]:
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            self._process.kill()

        watch = threading.Timer(timeout, end)
        watch.daemon = True
        try:
            watch.start()
            yield
        finally:
            watch.cancel()
        if is_over.is_set():
            raise TimeoutError

    def _request(self, message: dict[str, Any]) -> dict[str, Any] | None:
        try:
            self._requests.write(line(message))
            self._requests.flush()
            said: dict[str, Any] = json.loads(self._answers.readline())
        except (OSError, ValueError):
            return None
        return said

    def _fill(self, body: memoryview) -> bool:
        """Read the bytes of an answer; False when the child ended instead."""
        try:
            if self._answers.readinto(body) != len(body):
                return False
            # Until the child has let go of its page: no more than one stands in memory when it is worked on here.
            return self._answers.read(len(RELEASED)) == RELEASED
        except (OSError, ValueError):
            return False

    def end(self) -> None:
        """End the process at once, whoever waits for its answer: that one hears of it, and ends the rest."""
        self._process.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):
                pipe.close()


def _widen(pipe: BufferedReader) -> None:
    """A page goes through in fewer pieces, which takes a fifth of the time off; where the system allows it."""
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415 - POSIX only

        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _room(size: int) -> memoryview:
    """Memory of the system's own: unlike the C library's it is given back as soon as nobody looks at it any more."""
    try:
        if sys.platform == "win32":
            return memoryview(mmap.mmap(-1, size))
        block = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (MemoryError, OSError):
        raise TransientError("there is too little memory for a page", remedy="give the machine more memory") from None
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # Some dozen faults instead of thousands; a kernel without it says so.
        with suppress(OSError):
            block.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(block)
