"""How many pages may be in memory at once, and how many bytes of them; first come, first served."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType
from typing import Self

from dicomprinter.imaging.pool import Caller


class _Gate:
    """Lets in so much at once; what is more than all of it goes in alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = 0
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    def enter(self, amount: int, caller: Caller) -> None:
        """Wait for room; raises TransientError when the caller is closed."""
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or not self._fits(amount):
                    caller.check()
                    self._changed.wait()
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
            self._inside += amount

    def leave(self, amount: int) -> None:
        """Give room back."""
        with self._changed:
            self._inside -= amount
            self._changed.notify_all()

    def wake(self) -> None:
        """Let those who wait see that their caller was closed."""
        with self._changed:
            self._changed.notify_all()

    def _fits(self, amount: int) -> bool:
        return self._inside == 0 or self._inside + amount <= self._most


class Room:
    """The room that all pages share.

    Args:
        pages: that are decoded or worked on at once.
        size: bytes of their pixels; a page that is larger goes alone.
    """

    def __init__(self, pages: int, size: int) -> None:
        self.pages = _Gate(pages)
        self.bytes = _Gate(size)

    def wake(self) -> None:
        """Let those who wait see that their caller was closed."""
        self.pages.wake()
        self.bytes.wake()


class Turn:
    """One page's stay in the room, or that of several, one after the other: a block of `with` around it."""

    def __init__(self, room: Room, caller: Caller) -> None:
        self._room = room
        self._caller = caller
        self._bytes = 0

    def __enter__(self) -> Self:
        self._room.pages.enter(1, self._caller)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave()
        self._room.pages.leave(1)

    def admit(self, size: int) -> None:
        """Wait until a page of so many bytes may come; the one before it is gone."""
        self._leave()
        self._room.bytes.enter(size, self._caller)
        self._bytes = size

    def _leave(self) -> None:
        size, self._bytes = self._bytes, 0
        if size:
            self._room.bytes.leave(size)
