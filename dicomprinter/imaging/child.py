"""The decoder's child process: `python -m dicomprinter.imaging.child`. It reads requests and writes answers.

It may be killed at any time; it ends when its parent does. Only `dicomprinter.imaging.decoder` starts it.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from typing import Any, BinaryIO, Final

# Libraries in C before the thread below reads: on Windows numpy cannot be loaded while another thread waits for
# standard input (numpy issue 24290), and PDFium may be no better. Elsewhere only a PDF pays for it.
import imagecodecs  # noqa: F401
from PIL import Image

from dicomprinter.imaging.calls import Answered, answer
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.wire import RELEASED, line

if sys.platform == "win32":
    import pypdfium2  # noqa: F401

_NOTHING: Final = memoryview(b"")


def main() -> None:
    """Serve requests until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # A library that prints must not break into the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    settings = json.loads(sys.stdin.buffer.readline())
    limits = Limits(**settings["limits"])
    _limit_memory(settings["memory"])
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, requests), daemon=True).start()
    # Our own limits have been asked before Pillow is.
    Image.MAX_IMAGE_PIXELS = None
    _say(answers, {"ready": True}, _NOTHING)
    while True:
        try:
            request = requests.get(timeout=settings["idle"])
        except queue.Empty:
            # Nobody has needed it for long; its parent starts another when there is work again.
            os._exit(0)
        if _say(answers, *_answered(request, limits)):
            _write(answers, RELEASED)


def _answered(request: dict[str, Any], limits: Limits) -> Answered:
    _alarm(request["timeout"])
    answered = answer(request, limits)
    # The parent may let it wait before it takes the bytes; when that is gone, writing fails.
    _alarm(0)
    return answered


def _read(source: BinaryIO, requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Hear at once that the parent is gone, even while a page is being decoded."""
    for text in source:
        requests.put(json.loads(text))
    os._exit(0)


def _say(answers: BinaryIO, message: dict[str, Any], body: memoryview) -> int:
    """Send an answer; the bytes of its body, which nobody holds any more when this returns."""
    _write(answers, line({**message, "bytes": body.nbytes}), body)
    return body.nbytes


def _write(answers: BinaryIO, *parts: bytes | memoryview) -> None:
    try:
        for part in parts:
            answers.write(part)
        answers.flush()
    except OSError:
        os._exit(0)  # the parent is gone


def _alarm(timeout: float) -> None:
    """The system ends a child whose parent was killed while a library holds the interpreter."""
    if sys.platform != "win32":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, timeout * 1.5)


def _limit_memory(size: int) -> None:
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - POSIX only

        # macOS knows the limit and may refuse it: then the time limit is left.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
