"""Removes the folders of finished jobs beside the workers: to free a file's blocks takes longer than a node."""

from __future__ import annotations

import queue
import shutil
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_THREADS = 2


class Sweeper:
    """What is put into it has lost its name already; what is left when the process ends goes at the next start."""

    def __init__(self) -> None:
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
        while (folder := self._gone.get()) is not None:
            shutil.rmtree(folder, ignore_errors=True)
