"""The child process as its parent sees it: started, asked, killed."""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from types import MappingProxyType
from typing import IO, Any, Final, cast

from dicomprinter.errors import TransientError
from dicomprinter.imaging.wire import RELEASED, line

# -P: the current directory is no place for modules.
COMMAND: Final = (sys.executable, "-P", "-m", "dicomprinter.imaging.child")
_START_TIMEOUT: Final = 60.0
# One thread, and glibc gives a page's memory back as soon as the page is sent: by itself it would keep what it can.
_SETTINGS: Final = MappingProxyType(
    {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": str(1 << 20),
    }
)


@dataclass(frozen=True)
class Answer:
    """What the child said, and the bytes that it announced there."""

    message: dict[str, Any]
    body: memoryview


class ChildProcess:
    """A running child.

    Args:
        settings: what the child has to know before its first request.

    Raises:
        TransientError: it did not start.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
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
        is_ready = False
        with suppress(TimeoutError):
            is_ready = self.ask(settings, _START_TIMEOUT) is not None
        if not is_ready:
            raise TransientError(
                "the decoder's process did not start",
                cause="too little memory, or the program is not installed in whole",
                remedy=f"try `{' '.join(COMMAND)}`",
            )

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.poll() is None

    def ended(self) -> int:
        """How the process ended, once it has."""
        return self._process.wait()

    def ask(self, message: dict[str, Any], timeout: float) -> Answer | None:
        """The child's answer; None when it ended instead.

        After anything but a whole answer the child is ended: the next one must not be taken for this one's.

        Raises:
            TimeoutError: it was still at it after `timeout` seconds.
            TransientError: the answer is larger than the memory.
        """
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            self._process.kill()

        watch = threading.Timer(timeout, end)
        watch.daemon = True
        answer: Answer | None = None
        try:
            watch.start()
            answer = self._exchange(message)
        finally:
            watch.cancel()
            if answer is None or is_over.is_set():
                self.kill()
        if answer is None and is_over.is_set():
            raise TimeoutError
        return answer

    def _exchange(self, message: dict[str, Any]) -> Answer | None:
        try:
            self._requests.write(line(message))
            self._requests.flush()
            said: dict[str, Any] = json.loads(self._answers.readline())
            body = _room(said.get("bytes", 0))
            is_whole = self._answers.readinto(body) == len(body)
            # Until the child has let go of its page: no more than one stands in memory when it is worked on here.
            is_whole = is_whole and self._answers.read(len(RELEASED) if body else 0) == (RELEASED if body else b"")
            return Answer(said, body) if is_whole else None
        except (OSError, ValueError):
            return None

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):
                pipe.close()


def _room(size: int) -> memoryview:
    """Memory of the system's own: unlike the C library's it is given back as soon as nobody looks at it any more."""
    if not size:
        return memoryview(bytearray())
    try:
        if sys.platform == "win32":
            return memoryview(mmap.mmap(-1, size))
        return memoryview(mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    except (MemoryError, OSError):
        raise TransientError("there is too little memory for a page", remedy="give the machine more memory") from None
