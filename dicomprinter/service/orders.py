"""What the service is told while it runs: stop, or load the configuration anew."""

from __future__ import annotations

import queue
import signal
import threading
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Order(Enum):
    """What is wanted."""

    STOP = "stop"
    RELOAD = "reload"


class Orders:
    """Orders in the order in which they come, from any thread; within `with` also from signals.

    Signals reach the main thread alone, so elsewhere `with` does nothing.
    """

    def __init__(self) -> None:
        # Its `put` may be called inside a signal's handler at any moment.
        self._came: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._before: dict[int, Any] = {}

    def give(self, order: Order) -> None:
        """Have it carried out."""
        self._came.put(order)

    def wait(self, timeout: float) -> Order | None:
        """The next that came, or None after `timeout` seconds."""
        try:
            return self._came.get(timeout=timeout)
        except queue.Empty:
            return None

    def __enter__(self) -> Orders:
        if threading.current_thread() is threading.main_thread():
            for number, order in _signals():
                self._before[number] = signal.signal(number, self._handler(order))
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handler(self, order: Order) -> Callable[[int, FrameType | None], None]:
        def handle(_number: int, _frame: FrameType | None) -> None:
            self.give(order)

        return handle


def _signals() -> Iterator[tuple[int, Order]]:
    # Windows has no SIGHUP; its Ctrl-Break is SIGBREAK.
    names = {"SIGTERM": Order.STOP, "SIGINT": Order.STOP, "SIGBREAK": Order.STOP, "SIGHUP": Order.RELOAD}
    for name, order in names.items():
        number = getattr(signal, name, None)
        if number is not None:
            yield number, order
