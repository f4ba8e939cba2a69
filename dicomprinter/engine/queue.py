"""The jobs that could run, and who of them may: one slow destination, or one long job, must not take every worker.

A destination has places for half the workers; one whose last attempt failed has a single place. A job that finds none
is parked: its worker is free for others, and it goes on when a place frees. Long jobs leave a worker, and a place of
each destination, to the short ones.

Where the workflow merges jobs, those that may become one are a group: one of them at a time is ready, or on its way to
its MergeJob; the others stay behind it, so that they are there to be taken in.
"""

from __future__ import annotations

import bisect
import heapq
import threading
import time
from typing import TYPE_CHECKING, Final

from dicomprinter.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from dicomprinter.engine.ticket import Ticket

# More pages than these make a job a long one.
MOST_PAGES: Final = 20
# After every job's id.
_LAST: Final = "~"


class _Line:
    """Jobs in order of priority and arrival, the short and the long ones apart."""

    def __init__(self) -> None:
        self._short: list[tuple[int, str, int, Ticket]] = []
        self._long: list[tuple[int, str, int, Ticket]] = []
        self._added = 0

    def __bool__(self) -> bool:
        return bool(self._short or self._long)

    def add(self, ticket: Ticket) -> None:
        self._added += 1
        entry = (-ticket.priority, ticket.job_id, self._added, ticket)
        heapq.heappush(self._long if is_long(ticket) else self._short, entry)

    def pop(self, *, short: bool, long: bool) -> Ticket | None:
        """The first of those that may go."""
        lines = [line for line, may_go in ((self._short, short), (self._long, long)) if line and may_go]
        return heapq.heappop(min(lines, key=lambda line: line[0]))[3] if lines else None

    def pop_between(self, job_id: str, before: str) -> Ticket | None:
        """Of those that came after a job, and before another, the first to come."""
        later = [entry for line in (self._short, self._long) for entry in line if job_id < entry[3].job_id < before]
        if not later:
            return None
        first = min(later, key=lambda entry: entry[3].job_id)
        line = self._long if is_long(first[3]) else self._short
        line.remove(first)
        heapq.heapify(line)
        return first[3]


class Queue:
    """What workers take from.

    Args:
        workers: how many there are.
        is_open: whether attempts at a destination fail at once, and so need no place.
        is_healthy: whether the last attempt at a destination came to an end.
        group: of the jobs that may be merged into one, the same for all of them; None for a job that runs by itself.
    """

    def __init__(
        self,
        workers: int,
        is_open: Callable[[str], bool],
        is_healthy: Callable[[str], bool],
        group: Callable[[Ticket], Hashable | None] = lambda _ticket: None,
    ) -> None:
        self._group = group
        self._is_open = is_open
        self._is_healthy = is_healthy
        self._most_long = max(1, workers - 1)
        self._places = max(1, workers // 2)
        self._has_spare = workers > 1
        self._ready = _Line()
        # When they are ready, on the monotonic clock, and a number of their own.
        self._later: list[tuple[float, int, Ticket]] = []
        self._added = 0
        self._running: dict[str, Ticket] = {}
        self._parked: dict[str, _Line] = {}
        # Who has a place, or is to have it, and where.
        self._holders: dict[str, tuple[str, bool]] = {}
        # The group of each job that has one; of each group the job that is ready or on its way, and those behind it.
        self._groups: dict[str, Hashable] = {}
        self._heads: dict[Hashable, str] = {}
        self._behind: dict[Hashable, _Line] = {}
        # The jobs that have come since, by their ids, and their groups.
        self._arrived: list[tuple[str, Hashable]] = []
        self._changed = threading.Condition()
        self._stopped = False

    def put(self, ticket: Ticket) -> None:
        """A job is ready."""
        with self._changed:
            self._put(ticket)

    def put_later(self, ticket: Ticket, seconds: float) -> None:
        """A job is ready after some time."""
        with self._changed:
            self._added += 1
            heapq.heappush(self._later, (time.monotonic() + seconds, self._added, ticket))
            self._changed.notify_all()

    def take(self) -> Ticket | None:
        """Wait for the next job that may run; None when the engine ends."""
        with self._changed:
            while not self._stopped:
                seconds = self._bring_back()
                running_long = sum(map(is_long, self._running.values()))
                ticket = self._ready.pop(short=True, long=running_long < self._most_long)
                if ticket is not None:
                    self._running[ticket.job_id] = ticket
                    return ticket
                self._changed.wait(seconds)
            return None

    def enter(self, job_id: str, destination: str) -> bool:
        """Take a place for a job that runs; False when there is none."""
        with self._changed:
            held = self._holders.get(job_id)
            if held is not None and held[0] == destination:
                return True
            self._leave(job_id)
            long = is_long(self._running[job_id])
            if not self._has_room(destination, long=long):
                return False
            self._holders[job_id] = (destination, long)
            return True

    def leave(self, job_id: str) -> None:
        """Give a job's place to the next one."""
        with self._changed:
            self._leave(job_id)

    def park(self, job_id: str, destination: str) -> None:
        """A job that runs has found no place: it is ready again when there is one."""
        with self._changed:
            # A place may have become free since it asked.
            self._line_up(self._running.pop(job_id), destination)
            self._pass(job_id)

    def line_up(self, ticket: Ticket, destination: str) -> None:
        """A job is ready whose next node calls this destination: it gets its place in its turn, before it runs."""
        with self._changed:
            self._line_up(ticket, destination)

    def done(self, job_id: str, again: Ticket | None = None) -> None:
        """A worker is through with a job; `again`: it is ready anew."""
        with self._changed:
            self._running.pop(job_id, None)
            self._leave(job_id)
            self._pass(job_id)
            if again is not None:
                self._put(again)
            self._changed.notify_all()

    def passed(self, job_id: str) -> None:
        """A job that runs takes in no others from here on."""
        with self._changed:
            self._pass(job_id)

    def claim(self, job_id: str, seconds: float) -> Ticket | None:
        """The next job to have come after this one, which runs, if it is of its group: no worker takes it then.

        Waits some time for one to come; None when none has. `put` gives it back.

        Raises:
            Interrupted: the engine ends; those that wait are there at the next start.
        """
        until = time.monotonic() + seconds
        with self._changed:
            while (key := self._groups.get(job_id)) is not None:
                if self._stopped:
                    raise Interrupted
                others = (one for one, group in self._arrived[self._index_behind(job_id) :] if group != key)
                other = next(others, None)
                line = self._behind.get(key)
                ticket = line.pop_between(job_id, other or _LAST) if line else None
                left = until - time.monotonic()
                if ticket is not None:
                    # It may never come back.
                    del self._groups[ticket.job_id]
                if ticket is not None or other is not None or left <= 0:
                    return ticket
                self._changed.wait(left)
            return None

    def refresh(self) -> None:
        """A destination has another number of places than before."""
        with self._changed:
            for destination in [*self._parked]:
                self._hand_out(destination)

    def idle(self, timeout: float) -> bool:
        """Wait until no job is ready, runs or is parked; False when it did not come to that."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._ready or self._running or self._parked), timeout)

    def stop(self) -> None:
        """Workers get nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    # Under the lock

    def _bring_back(self) -> float | None:
        """Make those ready whose time has come; the seconds until that of the next one."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._put(heapq.heappop(self._later)[-1])
        return self._later[0][0] - now if self._later else None

    def _put(self, ticket: Ticket) -> None:
        key = self._group(ticket)
        if key is None:
            self._groups.pop(ticket.job_id, None)
            self._ready.add(ticket)
        else:
            place = self._index_behind(ticket.job_id)
            if not place or self._arrived[place - 1][0] != ticket.job_id:
                self._arrived.insert(place, (ticket.job_id, key))
            self._groups[ticket.job_id] = key
            self._behind.setdefault(key, _Line()).add(ticket)
            self._let_out(key)
        self._changed.notify_all()

    def _let_out(self, key: Hashable) -> None:
        """The first of a group goes, if none of it is on its way."""
        if key in self._heads:
            return
        ticket = self._behind[key].pop(short=True, long=True) if key in self._behind else None
        if ticket is None:
            self._behind.pop(key, None)
            return
        self._heads[key] = ticket.job_id
        self._ready.add(ticket)
        self._changed.notify_all()

    def _pass(self, job_id: str) -> None:
        key = self._groups.pop(job_id, None)
        if key is not None and self._heads.get(key) == job_id:
            del self._heads[key]
            self._let_out(key)
            del self._arrived[: self._index_behind(min(self._heads.values(), default=_LAST))]

    def _index_behind(self, job_id: str) -> int:
        """Of those that have come, where the first one behind a job stands."""
        return bisect.bisect_right(self._arrived, job_id, key=lambda one: one[0])

    def _line_up(self, ticket: Ticket, destination: str) -> None:
        self._parked.setdefault(destination, _Line()).add(ticket)
        self._hand_out(destination)
        self._changed.notify_all()

    def _leave(self, job_id: str) -> None:
        held = self._holders.pop(job_id, None)
        if held is not None:
            self._hand_out(held[0])

    def _has_room(self, destination: str, *, long: bool) -> bool:
        if self._is_open(destination):
            return True
        holders = [is_long for place, is_long in self._holders.values() if place == destination]
        if not self._is_healthy(destination):
            return not holders
        if long:
            return len(holders) < self._places and sum(holders) < max(1, self._places - 1)
        # With one place alone, a long job that comes on well must not keep the short ones waiting.
        beside = self._places == 1 and self._has_spare and len(holders) == sum(holders) == 1
        return len(holders) < self._places or beside

    def _hand_out(self, destination: str) -> None:
        line = self._parked.get(destination)
        while line:
            room = {"short": self._has_room(destination, long=False), "long": self._has_room(destination, long=True)}
            ticket = line.pop(**room)
            if ticket is None:
                return
            self._holders[ticket.job_id] = (destination, is_long(ticket))
            self._ready.add(ticket)
            self._changed.notify_all()
        self._parked.pop(destination, None)


def is_long(ticket: Ticket) -> bool:
    """Whether a job takes so long that short ones are to go past it."""
    return ticket.size > MOST_PAGES
