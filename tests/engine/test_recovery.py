"""Which of the jobs that wait for a destination go on when it comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from dicomprinter.engine.destination import Breaker
from dicomprinter.engine.recovery import Recovery
from dicomprinter.engine.ticket import Ticket
from dicomprinter.job.parts import State

NOW = datetime.now().astimezone()
KEY = "PACS@127.0.0.1:104"


@dataclass
class Breakers:
    stands: Breaker = Breaker.OPEN
    times: int = 0
    hurried: list[str] = field(default_factory=list)

    def breaker(self, key: str) -> Breaker:
        return self.stands if key == KEY else Breaker.CLOSED

    def recoveries(self, key: str) -> int:
        return self.times

    def close(self) -> None:
        self.stands, self.times = Breaker.CLOSED, self.times + 1


@pytest.fixture
def breakers() -> Breakers:
    return Breakers()


@pytest.fixture
def recovery(breakers) -> Recovery:
    return Recovery(breakers)


def waiting(name: str, priority: int = 50) -> Ticket:
    return Ticket(name, State.SUSPENDED, NOW, NOW, waits_for=KEY, priority=priority)


def add(recovery: Recovery, *names: str, priority: int = 50) -> None:
    for name in names:
        recovery.add(waiting(name, priority))


def taken(recovery: Recovery) -> list[str]:
    return [one.job_id for one in recovery.take()]


def test_nobody_goes_while_it_is_open(recovery, breakers):
    add(recovery, "a")
    assert taken(recovery) == []
    assert recovery.is_blocked(waiting("a"))
    assert not recovery.is_blocked(Ticket("a", State.SUSPENDED, NOW, NOW))


def test_a_time_that_has_come_sends_on_who_has_waited_for_nothing_else(recovery, breakers):
    breakers.stands = Breaker.CLOSED
    add(recovery, "a")
    assert not recovery.is_blocked(waiting("a"))
    # It was down meanwhile: now all wait for their turn.
    breakers.close()
    assert recovery.is_blocked(waiting("a"))
    assert taken(recovery) == ["a"]
    add(recovery, "a")
    assert not recovery.is_blocked(waiting("a"))


def test_nobody_is_kept_for_good(recovery, breakers):
    """A job that was resumed and waits anew has an entry from before, which is no turn."""
    breakers.stands = Breaker.CLOSED
    add(recovery, "a", "a")
    breakers.close()
    assert taken(recovery) == ["a"]
    assert taken(recovery) == []
    assert not recovery.is_blocked(waiting("a"))


def test_the_first_goes_for_a_trial_and_all_in_order_when_it_came_through(recovery, breakers):
    add(recovery, "c", "a", "b")
    breakers.stands = Breaker.HALF_OPEN
    assert taken(recovery) == ["a"]
    assert taken(recovery) == []
    breakers.close()
    assert recovery.ended("a", waits_on=False)
    assert taken(recovery) == ["b", "c"]


def test_the_urgent_go_first(recovery, breakers):
    add(recovery, "a")
    add(recovery, "b", priority=90)
    breakers.close()
    assert taken(recovery) == ["b", "a"]


def test_a_job_that_fails_its_trial_lets_the_others_be_tried(recovery, breakers):
    """The archive cannot take this one; that must not keep it closed to all."""
    add(recovery, "a", "b")
    trials = []
    for _ in range(4):
        breakers.stands = Breaker.HALF_OPEN
        trials += taken(recovery)
        breakers.stands = Breaker.OPEN
        assert recovery.ended(trials[-1], waits_on=True)
        add(recovery, trials[-1])
    assert trials == ["a", "b", "a", "b"]


def test_a_trial_that_came_to_nothing_is_followed_by_another(recovery, breakers):
    add(recovery, "a", "b")
    breakers.stands = Breaker.HALF_OPEN
    assert taken(recovery) == ["a"]
    recovery.ended("a", waits_on=False)
    assert taken(recovery) == ["b"]


def test_who_has_gone_his_way_is_left_out(recovery, breakers):
    add(recovery, "a", "b")
    breakers.stands = Breaker.HALF_OPEN
    recovery.forget("a")
    assert taken(recovery) == ["b"]


def test_they_do_not_all_go_at_once(recovery, breakers):
    names = [f"{number:02}" for number in range(40)]
    add(recovery, *names)
    breakers.close()
    first = taken(recovery)
    assert first == names[:16]
    assert taken(recovery) == []
    recovery.ended("03", waits_on=False)
    assert taken(recovery) == ["16"]
    # It goes down again: the others stay, and are tried in their turn.
    breakers.stands = Breaker.OPEN
    for name in names[:17]:
        recovery.ended(name, waits_on=True)
    assert taken(recovery) == []
    breakers.stands = Breaker.HALF_OPEN
    assert taken(recovery) == ["17"]


def test_a_failure_now_and_then_waits_for_its_time(recovery, breakers):
    """Else a job that the archive cannot take would come back at each success of another."""
    breakers.stands = Breaker.CLOSED
    add(recovery, "a")
    assert taken(recovery) == []


def test_those_who_went_at_their_time_leave_nothing(recovery, breakers, monkeypatch):
    """A destination that fails now and then, and never thrice in a row, is never taken for down."""
    monkeypatch.setattr("dicomprinter.engine.recovery._MOST_STALE", 10)
    breakers.stands = Breaker.CLOSED
    add(recovery, "stays")
    for number in range(1000):
        add(recovery, f"{number}")
        recovery.forget(f"{number}")
    assert len(recovery._waiting[KEY]) < 20
    assert [*recovery._since] == [*recovery._tickets] == ["stays"]
    breakers.close()
    assert taken(recovery) == ["stays"]
