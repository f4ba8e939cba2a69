"""The jobs that wait for a destination: which of them goes on when it comes back."""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING, Final

from dicomprinter.engine.destination import Breaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomprinter.engine.destinations import Destinations
    from dicomprinter.engine.ticket import Ticket

# So many are on their way at once: when a destination goes down again, the others need not find out one by one.
_MOST_AT_ONCE: Final = 16
# So many entries of jobs that have gone their way are left in a heap before it is cleared.
_MOST_STALE: Final = 1000

# How often it was no good for a trial, its priority turned round, its id, a number of its own.
_Entry = tuple[int, int, str, int, "Ticket"]


class Recovery:
    """Names the jobs that are to go on, in order of arrival; a job that was no good for a trial lets others be tried.

    Args:
        destinations: the breakers.
    """

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations
        self._lock = threading.Lock()
        # Those that came to wait since the destination last came back, and those from before, who are to go.
        self._waiting: dict[str, list[_Entry]] = {}
        self._going: dict[str, list[_Entry]] = {}
        self._recoveries: dict[str, int] = {}
        # The jobs that wait, and how often its destination had come back when each came to wait.
        self._tickets: dict[str, Ticket] = {}
        self._since: dict[str, int] = {}
        self._under_way: dict[str, str] = {}
        self._trials: dict[str, int] = {}
        self._added = 0

    def is_blocked(self, ticket: Ticket) -> bool:
        """Whether a job waits on although its time has come: for its destination, or for its turn after that."""
        key = ticket.waits_for
        if key is None:
            return False
        recoveries = self._destinations.recoveries(key)
        has_turn = self._since.get(ticket.job_id, recoveries) != recoveries
        return has_turn or self._destinations.breaker(key) is not Breaker.CLOSED

    def hurry(self, destination: str) -> None:
        """An operator wants a job to go on: ask the destination now."""
        self._destinations.ask_soon(destination)

    def add(self, ticket: Ticket) -> None:
        """A job waits from now on."""
        if ticket.waits_for is None:
            return
        with self._lock:
            recoveries = self._destinations.recoveries(ticket.waits_for)
            self._recoveries.setdefault(ticket.waits_for, recoveries)
            self._since[ticket.job_id] = recoveries
            self._tickets[ticket.job_id] = ticket
            self._push(self._waiting.setdefault(ticket.waits_for, []), ticket, self._trials.get(ticket.job_id, 0))

    def forget(self, job_id: str) -> None:
        """A job has gone its way: its time has come, or an operator's command."""
        with self._lock:
            self._tickets.pop(job_id, None)
            self._since.pop(job_id, None)

    def take(self) -> list[Ticket]:
        """The jobs that go on now, in order."""
        with self._lock:
            return [ticket for key in [*self._waiting] for ticket in self._take_of(key)]

    def ended(self, job_id: str, *, waits_on: bool) -> bool:
        """A job has stopped running; `waits_on`: for a destination. Whether others may go on now."""
        with self._lock:
            if not waits_on:
                self._trials.pop(job_id, None)
            return self._under_way.pop(job_id, None) is not None

    def _take_of(self, key: str) -> list[Ticket]:
        breaker, recoveries = self._destinations.breaker(key), self._destinations.recoveries(key)
        waiting, going = self._waiting[key], self._going.setdefault(key, [])
        if recoveries != self._recoveries[key]:
            self._recoveries[key] = recoveries
            self._move(waiting, going, lambda _: 0)
        under_way = sum(one == key for one in self._under_way.values())
        if breaker is Breaker.OPEN:
            return []
        if breaker is Breaker.CLOSED:
            return self._first(going, key, _MOST_AT_ONCE - under_way)
        self._move(going, waiting, lambda ticket: self._trials.get(ticket.job_id, 0))
        found = self._first(waiting, key, 1 - under_way)
        for ticket in found:
            self._trials[ticket.job_id] = self._trials.get(ticket.job_id, 0) + 1
        return found

    def _first(self, entries: list[_Entry], key: str, most: int) -> list[Ticket]:
        found: list[Ticket] = []
        while entries and len(found) < most:
            ticket = heapq.heappop(entries)[-1]
            if self._waits(ticket):
                del self._tickets[ticket.job_id], self._since[ticket.job_id]
                self._under_way[ticket.job_id] = key
                found.append(ticket)
        return found

    def _waits(self, ticket: Ticket) -> bool:
        """Whether it is not one from before: a job that waits anew has another."""
        return self._tickets.get(ticket.job_id) is ticket

    def _push(self, entries: list[_Entry], ticket: Ticket, trials: int) -> None:
        if len(entries) > len(self._tickets) + _MOST_STALE:
            entries[:] = [entry for entry in entries if self._waits(entry[-1])]
            heapq.heapify(entries)
        self._added += 1
        heapq.heappush(entries, (trials, -ticket.priority, ticket.job_id, self._added, ticket))

    def _move(self, from_: list[_Entry], to: list[_Entry], trials: Callable[[Ticket], int]) -> None:
        for entry in from_:
            self._push(to, entry[-1], trials(entry[-1]))
        from_.clear()
