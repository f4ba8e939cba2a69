"""Removes the folders of finished jobs beside the workers: to free a file's blocks takes longer than a node."""

from __future__ import annotations

import queue
import shutil
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_THREADS = 2
_AT_ONCE = 100
_GATHERING_SECONDS = 0.1
_AGAIN_SECONDS = 5.0


class Sweeper:
    """What is put into it has lost its name already; what is left when the process ends goes at the next start.

    What cannot be removed, or not yet, is tried again some seconds later.

    Args:
        secure: brings to the disk what has to be there before a folder goes; called once for all that wait.
    """

    def __init__(self, secure: Callable[[], object]) -> None:
        self._secure = secure
        self._gone: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._sweep, name=f"sweeper-{number}", daemon=True) for number in range(_THREADS)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def put(self, folder: Path) -> None:
        """Remove a folder soon."""
        self._gone.put(folder)

    def stop(self, deadline: float) -> None:
        """Remove what has been put in, until a moment of the monotonic clock; `start` has been called."""
        for _ in self._threads:
            self._gone.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _sweep(self) -> None:
        left: list[Path] = []
        while True:
            try:
                folder = self._gone.get(timeout=_AGAIN_SECONDS if left else None)
            except queue.Empty:
                left = self._remove(left)
                continue
            if folder is None:
                return
            left = self._remove([*left, *self._more(folder)])

    def _remove(self, folders: list[Path]) -> list[Path]:
        """Remove folders; those that are there still."""
        # A disk that fails now is well again at another time.
        with suppress(OSError):
            self._secure()
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
        return [folder for folder in folders if _is_there(folder)]

    def _more(self, first: Path) -> list[Path]:
        """What comes within a moment of the first, and that: each time costs the disk a sync."""
        found = [first]
        end = time.monotonic() + _GATHERING_SECONDS
        with suppress(queue.Empty):
            while len(found) < _AT_ONCE:
                folder = self._gone.get(timeout=max(0.0, end - time.monotonic()))
                if folder is None:
                    # It was meant for a thread that waits.
                    self._gone.put(None)
                    break
                found.append(folder)
        return found


def _is_there(folder: Path) -> bool:
    """Whether it is, or may be: a disk that fails does not say."""
    try:
        folder.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
