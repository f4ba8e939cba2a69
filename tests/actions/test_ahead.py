"""What is made ahead comes in its order, and nothing is left of what nobody takes."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

import pytest

from dicomprinter.actions.objects.ahead import Ahead
from tests.killed import Killed
from tests.waiting import PATIENCE, wait_until

THREADS = 3


def nothing() -> None:
    """Nothing has to be ended."""


def ahead(items: list[int], make: Callable[[int], int], cancel: Callable[[], object] = nothing) -> Ahead[int, int]:
    return Ahead(items, make, THREADS, cancel)


def builders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("build-")]


def test_the_order_is_that_of_the_items_whatever_is_made_first() -> None:
    second = threading.Event()

    def make(item: int) -> int:
        if item == 1:
            assert second.wait(PATIENCE)
        if item == 2:
            second.set()
        return item * 10

    with ahead([1, 2, 3, 4], make) as made:
        assert [made.take() for _ in range(4)] == [10, 20, 30, 40]
    assert not builders()


def test_so_many_are_made_at_once() -> None:
    together = threading.Barrier(THREADS)

    def make(item: int) -> int:
        together.wait(PATIENCE)
        return item

    with ahead(list(range(THREADS * 2)), make) as made:
        assert [made.take() for _ in range(THREADS * 2)] == list(range(THREADS * 2))


def test_no_more_are_made_than_may_wait() -> None:
    begun: list[int] = []
    last = threading.Event()

    def make(item: int) -> int:
        begun.append(item)
        if len(begun) == 2 * THREADS:
            last.set()
        return item

    with ahead(list(range(100)), make) as made:
        assert last.wait(PATIENCE)
        made.take()
        made.take()
    assert len(begun) <= 2 * THREADS + 2


@pytest.mark.parametrize("error", [ValueError("it"), Killed()])
def test_what_cannot_be_made_is_told_in_its_place(error: BaseException) -> None:
    def make(item: int) -> int:
        if item == 2:
            raise error
        return item

    with ahead([1, 2, 3], make) as made:
        assert made.take() == 1
        with pytest.raises(type(error)):
            made.take()
        assert made.take() == 3


def test_a_failure_that_waits_to_be_told_holds_nothing_in_memory() -> None:
    pages: list[weakref.ref[object]] = []

    class Page:
        """What an item is made of."""

    def make(item: int) -> int:
        page = Page()
        pages.append(weakref.ref(page))
        raise ValueError(item, str(page))

    with ahead([1, 2], make) as made:
        wait_until(lambda: len(made._failed) == 2, "both have failed")
        assert [page() for page in pages] == [None, None]
        for _ in range(2):
            with pytest.raises(ValueError, match="Page"):
                made.take()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Killed])
def test_who_stops_ends_what_is_being_made(error: type[BaseException]) -> None:
    is_over, made_all = threading.Event(), []

    def make(item: int) -> int:
        if item > 1:
            assert is_over.wait(PATIENCE)
        made_all.append(item)
        return item

    def take_one() -> None:
        with ahead(list(range(1, 100)), make, is_over.set) as made:
            made.take()
            raise error

    with pytest.raises(error):
        take_one()
    assert not builders()
    assert len(made_all) <= 2 * THREADS + 1


def test_who_has_taken_all_ends_nothing() -> None:
    ended: list[bool] = []
    with ahead([1], lambda item: item, lambda: ended.append(True)) as made:
        made.take()
    assert not ended


def test_threads_that_the_system_refuses_leave_none_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def start_two(thread: threading.Thread) -> None:
        if len(builders()) == THREADS - 1:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_two)
    with pytest.raises(RuntimeError, match="start new thread"), ahead(list(range(100)), lambda item: item):
        pytest.fail("it began")
    assert not builders()
