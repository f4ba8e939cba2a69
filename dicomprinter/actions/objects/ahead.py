"""Makes what is needed one after the other, in some threads, ahead of who takes it."""

from __future__ import annotations

import threading
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

Item = TypeVar("Item")
Made = TypeVar("Made")


class Ahead(Generic[Item, Made]):
    """Things made of items, taken in the order of the items; leaving the block ends what is still being made.

    Args:
        items: what things are made of.
        make: makes one; called in a thread of its own.
        threads: how many are made at once; twice as many are made before they are taken.
        cancel: called when things are left that nobody will take, so that what makes them ends soon.
    """

    def __init__(
        self, items: Sequence[Item], make: Callable[[Item], Made], threads: int, cancel: Callable[[], object]
    ) -> None:
        self._items = items
        self._make = make
        self._cancel = cancel
        self._changed = threading.Condition()
        self._begun = 0
        self._taken = 0
        self._is_over = False
        self._made: dict[int, Made] = {}
        self._failed: dict[int, BaseException] = {}
        count = max(1, min(threads, len(items)))
        self._most_waiting = 2 * count
        # Nothing that is lost with the process matters: a process that ends does not wait for them.
        self._threads = [threading.Thread(target=self._work, name=f"build-{n}", daemon=True) for n in range(count)]

    def __enter__(self) -> Self:
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            # The system may have no more threads for us; those that run would wait for ever.
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
            is_left = self._taken < self._begun
        if is_left:
            self._cancel()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def take(self) -> Made:
        """The next thing, waited for; raises what its making raised, and the one after it comes next."""
        with self._changed:
            number = self._taken
            self._changed.wait_for(lambda: number in self._made or number in self._failed)
            self._taken += 1
            self._changed.notify_all()
            if number in self._made:
                return self._made.pop(number)
            raise self._failed.pop(number)

    def _work(self) -> None:
        while (number := self._next()) is not None:
            try:
                made = self._make(self._items[number])
            except BaseException as error:  # noqa: BLE001 - who takes it raises it
                # Until then, what was worked on must not stay in memory.
                clear_frames(error.__traceback__)
                self._put(self._failed, number, error)
            else:
                self._put(self._made, number, made)

    def _next(self) -> int | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._begun < self._taken + self._most_waiting)
            if self._is_over or self._begun == len(self._items):
                return None
            self._begun += 1
            return self._begun - 1

    def _put(self, where: dict[int, Any], number: int, what: object) -> None:
        with self._changed:
            where[number] = what
            self._changed.notify_all()
