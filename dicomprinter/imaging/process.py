"""The child process as its parent sees it: started, asked, killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from typing import IO, Any, Final, cast

from dicomprinter.errors import TransientError
from dicomprinter.imaging.wire import line

COMMAND: Final = (sys.executable, "-m", "dicomprinter.imaging.child")
_START_TIMEOUT: Final = 60.0


@dataclass(frozen=True)
class Answer:
    """What the child said, and the bytes that it announced there."""

    message: dict[str, Any]
    body: bytearray


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
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            **apart,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(BufferedReader, self._process.stdout)
        if self.ask(settings, _START_TIMEOUT) is None:
            self.kill()
            raise TransientError(
                "the decoder's process did not start",
                cause="too little memory, or the program is not installed in whole",
                remedy=f"try `{' '.join(COMMAND)}`",
            )

    def returncode(self) -> int | None:
        """How the process ended, None while it runs."""
        return self._process.poll()

    def ask(self, message: dict[str, Any], timeout: float) -> Answer | None:
        """The child's answer; None when it ended, or is still at it after `timeout` seconds.

        Raises:
            TransientError: the answer is larger than the memory; the child has been ended.
        """
        answers: list[Answer | TransientError | None] = []
        reader = threading.Thread(target=lambda: answers.append(self._receive()), daemon=True)
        try:
            self._requests.write(line(message))
            self._requests.flush()
        except OSError:
            self._process.wait(timeout)
            return None
        reader.start()
        reader.join(timeout)
        if not answers:
            return None
        answer = answers[0]
        if isinstance(answer, TransientError):
            self.kill()
            raise answer
        if answer is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        return answer

    def _receive(self) -> Answer | TransientError | None:
        text = self._answers.readline()
        if not text.endswith(b"\n"):
            return None
        message: dict[str, Any] = json.loads(text)
        try:
            body = bytearray(message.get("bytes", 0))
        except MemoryError:
            return TransientError("there is too little memory for a page", remedy="give the machine more memory")
        view, filled = memoryview(body), 0
        while filled < len(body):
            count = self._answers.readinto(view[filled:])
            if not count:
                return None
            filled += count
        return Answer(message, body)

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):
                pipe.close()
