"""What the watchdog's sign of life depends on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from dicomprinter.service.health import SCHEDULER_SECONDS, WATCHER_SECONDS, find_fault
from dicomprinter.service.orders import Order, Orders
from tests.waiting import PATIENCE


@dataclass
class Part:
    """As much of an engine, or of a watched folder, as is looked at."""

    threads: tuple[threading.Thread, ...]
    looked_at: float = field(default_factory=time.monotonic)
    busy_since: float | None = None


@pytest.fixture
def lives() -> Iterator[threading.Thread]:
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="lives")
    thread.start()
    yield thread
    over.set()
    thread.join()


@pytest.fixture
def ended() -> threading.Thread:
    thread = threading.Thread(target=int, name="worker-7")
    thread.start()
    thread.join()
    return thread


def fault(engine: Any, incoming: Any) -> str:
    return find_fault(engine, incoming)


def test_all_is_well_while_every_thread_lives(lives: threading.Thread) -> None:
    assert fault(Part((lives, lives)), Part((lives,))) == ""


def test_a_thread_that_has_ended_is_a_fault(lives: threading.Thread, ended: threading.Thread) -> None:
    assert fault(Part((lives, ended)), Part((lives,))) == "the thread worker-7 has ended"
    assert fault(Part((lives,)), Part((ended,))) == "the thread worker-7 has ended"


def test_a_scheduler_that_does_not_come_round_is_a_fault(lives: threading.Thread) -> None:
    now = time.monotonic()
    assert fault(Part((lives,), looked_at=now - SCHEDULER_SECONDS + 5), Part((lives,))) == ""
    assert "the scheduler" in fault(Part((lives,), looked_at=now - SCHEDULER_SECONDS - 1), Part((lives,)))


def test_a_watcher_may_wait_for_long_but_not_be_at_one_file_for_ever(lives: threading.Thread) -> None:
    now = time.monotonic()
    assert fault(Part((lives,)), Part((lives,), busy_since=now - WATCHER_SECONDS + 5)) == ""
    assert "incoming files" in fault(Part((lives,)), Part((lives,), busy_since=now - WATCHER_SECONDS - 1))


def test_orders_come_from_any_thread_and_in_order() -> None:
    orders = Orders()
    assert orders.wait(0.001) is None

    def give() -> None:
        # Elsewhere than in the main thread no signal can be handled; entering must do no harm.
        with orders:
            orders.give(Order.RELOAD)
            orders.give(Order.STOP)

    thread = threading.Thread(target=give)
    thread.start()
    assert orders.wait(PATIENCE) is Order.RELOAD
    assert orders.wait(PATIENCE) is Order.STOP
    thread.join()
