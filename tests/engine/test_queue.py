"""Who may run: neither a destination that hangs nor a long job takes every worker."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest

from dicomprinter.engine.queue import MOST_PAGES, Queue
from dicomprinter.engine.ticket import Ticket
from dicomprinter.job.parts import State
from tests.waiting import PATIENCE, wait_until

NOW = datetime.now().astimezone()


class Standing:
    """What the breakers say."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.failing: set[str] = set()

    def queue(self, workers: int) -> Queue:
        return Queue(workers, self.open.__contains__, lambda key: key not in self.failing | self.open)


@pytest.fixture
def standing() -> Standing:
    return Standing()


def ticket(name: str, *, long: bool = False, priority: int = 50) -> Ticket:
    return Ticket(name, State.QUEUED, None, NOW, size=MOST_PAGES + 1 if long else 1, priority=priority)


def put(queue: Queue, *names: str, long: bool = False) -> None:
    for name in names:
        queue.put(ticket(name, long=long))


def take(queue: Queue) -> str | None:
    """The next job, or None when there is none that may run."""
    found: list[Ticket | None] = []
    thread = threading.Thread(target=lambda: found.append(queue.take()), daemon=True)
    thread.start()
    wait_until(lambda: found or queue._changed._waiters, "a job is taken, or waited for")
    if not found:
        # Whoever waits has to be let go, and nothing of his stays behind.
        queue.stop()
        thread.join(PATIENCE)
        queue._stopped = False
    return found[0].job_id if found and found[0] else None


def entered(queue: Queue, *names: str, at: str = "PACS") -> list[str]:
    """Take as many jobs as there are names, and park those for whom there is no place."""
    inside = []
    for name in names:
        assert take(queue) == name
        if queue.enter(name, at):
            inside.append(name)
        else:
            queue.park(name, at)
    return inside


def test_jobs_run_in_order_of_priority_and_arrival(standing):
    queue = standing.queue(1)
    put(queue, "b", "c", "a")
    queue.put(ticket("z", priority=51))
    queue.put(ticket("0", priority=49))
    assert [take(queue) for _ in range(5)] == ["z", "a", "b", "c", "0"]


@pytest.mark.parametrize(("workers", "places"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 4)])
def test_a_destination_takes_half_the_workers(standing, workers, places):
    queue = standing.queue(workers)
    names = [f"{number}" for number in range(workers)]
    put(queue, *names, "other")
    assert entered(queue, *names) == names[:places]
    # A worker is free for those of another destination, if there is more than one.
    assert entered(queue, "other", at="OTHER") == ["other"]


def test_one_whose_last_attempt_failed_has_a_single_place(standing):
    queue = standing.queue(8)
    standing.failing.add("PACS")
    put(queue, "a", "b", "c")
    assert entered(queue, "a", "b", "c") == ["a"]
    standing.failing.clear()
    queue.refresh()
    assert entered(queue, "b", "c") == ["b", "c"]


def test_at_one_that_is_open_everybody_learns_it_at_once(standing):
    queue = standing.queue(2)
    put(queue, "a", "b", "c")
    assert entered(queue, "a", "b", "c") == ["a"]
    standing.open.add("PACS")
    queue.refresh()
    assert entered(queue, "b", "c") == ["b", "c"]


def test_the_parked_go_on_in_order_of_arrival_as_places_free(standing):
    queue = standing.queue(2)
    put(queue, "a", "d", "c", "b")
    assert entered(queue, "a", "b", "c", "d") == ["a"]
    assert not queue.idle(0)
    for leaving, following in (("a", "b"), ("b", "c"), ("c", "d")):
        put(queue, "e")
        assert take(queue) == "e", "nothing else is ready"
        queue.leave(leaving)
        # The place is kept for who has waited longest, however late he comes.
        assert not queue.enter("e", "PACS")
        queue.done("e")
        assert entered(queue, following) == [following]
        queue.done(leaving)
    queue.done("d")
    assert queue.idle(0)


def test_those_who_know_where_they_go_get_their_places_in_order(standing):
    queue = standing.queue(4)
    for name in "dcba":
        queue.line_up(ticket(name), "PACS")
    # The first two were alone when they came.
    assert entered(queue, "c", "d") == ["c", "d"]
    assert take(queue) is None
    queue.done("c")
    assert entered(queue, "a") == ["a"]


def test_a_place_that_frees_between_asking_and_parking_is_not_missed(standing):
    queue = standing.queue(2)
    put(queue, "a", "b")
    assert entered(queue, "a") == ["a"]
    assert take(queue) == "b"
    assert not queue.enter("b", "PACS")
    queue.leave("a")
    queue.park("b", "PACS")
    assert entered(queue, "b") == ["b"]


def test_a_place_that_its_job_does_not_take_goes_to_the_next(standing):
    """An operator has discarded it, or another configuration sends it elsewhere."""
    queue = standing.queue(2)
    put(queue, "a", "b", "c", "d")
    assert entered(queue, "a", "b", "c", "d") == ["a"]
    queue.done("a")
    assert take(queue) == "b"
    queue.done("b")
    assert take(queue) == "c"
    assert queue.enter("c", "ELSEWHERE")
    assert entered(queue, "d") == ["d"]


@pytest.mark.parametrize(("workers", "running"), [(1, 1), (2, 1), (4, 3)])
def test_long_jobs_leave_a_worker_to_the_short_ones(standing, workers, running):
    queue = standing.queue(workers)
    put(queue, *"abcd", long=True)
    assert [take(queue) for _ in range(running)] == [*"abcd"][:running]
    if workers > 1:
        assert take(queue) is None
        put(queue, "short")
        assert take(queue) == "short"
        queue.done("a")
        assert take(queue) == "abcd"[running]


@pytest.mark.parametrize(("workers", "longs"), [(4, 1), (8, 3)])
def test_long_jobs_leave_a_place_to_the_short_ones(standing, workers, longs):
    queue = standing.queue(workers)
    names = [*"abcdefg"][: longs + 1]
    put(queue, *names, long=True)
    assert entered(queue, *names) == names[:longs]
    put(queue, "short")
    assert entered(queue, "short") == ["short"]
    queue.leave("a")
    assert entered(queue, names[longs]) == [names[longs]]


def test_a_long_job_at_the_only_place_lets_one_short_one_go_beside_it(standing):
    queue = standing.queue(3)
    put(queue, "long", long=True)
    assert entered(queue, "long") == ["long"]
    put(queue, "a", "b")
    assert entered(queue, "a", "b") == ["a"]
    queue.done("a")
    assert entered(queue, "b") == ["b"]


def test_a_destination_that_fails_takes_no_short_job_beside_a_long_one(standing):
    queue = standing.queue(2)
    put(queue, "long", long=True)
    assert entered(queue, "long") == ["long"]
    standing.failing.add("PACS")
    put(queue, "a")
    assert entered(queue, "a") == []


def test_those_that_are_put_off_come_when_it_is_time_and_take_no_thread(standing):
    queue = standing.queue(1)
    threads = threading.enumerate()
    for number in range(1000):
        queue.put_later(ticket(f"{number:03}"), 3600)
    queue.put_later(ticket("b"), 0.05)
    queue.put_later(ticket("a"), 0.02)
    assert not set(threading.enumerate()) - set(threads)
    # Whoever waits already is woken by the time alone.
    assert [one.job_id for one in (queue.take(), queue.take()) if one] == ["a", "b"]
    assert take(queue) is None


def test_the_end_lets_every_worker_go(standing):
    queue = standing.queue(2)
    found: list[Ticket | None] = []
    threads = [threading.Thread(target=lambda: found.append(queue.take())) for _ in range(2)]
    for thread in threads:
        thread.start()
    queue.stop()
    for thread in threads:
        thread.join(PATIENCE)
    assert found == [None, None]


def test_of_those_that_may_become_one_a_single_one_is_ready_and_none_is_remembered_for_ever(standing):
    queue = Queue(2, standing.open.__contains__, lambda _key: True, lambda ticket: ticket.user)
    put(queue, "1", "2", "3", "4", "5")
    assert take(queue) == "1"
    assert take(queue) is None
    claimed = [queue.claim("1", 0), queue.claim("1", 0)]
    assert [one.job_id for one in claimed if one] == ["2", "3"]
    queue.put(claimed[1])
    queue.passed("1")
    assert take(queue) == "3"
    queue.done("1")
    queue.done("3")
    for name in ("4", "5"):
        assert take(queue) == name
        queue.done(name)
    # 2 has become part of 1.
    assert not queue._groups
    assert not queue._arrived
    assert queue.idle(0)
