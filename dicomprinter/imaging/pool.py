"""The children that decode: as many as there is work for, each for one call at a time, first come first served."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from dicomprinter.errors import PermanentError, TransientError
from dicomprinter.imaging.process import Admit, Answer, ChildProcess

Request = dict[str, Any]

_START_SECONDS: Final = 0.25
"""About what a start takes: to wait for a child that works is better only for so long."""
_IDLE_SECONDS: Final = 60.0
"""After so long without work a child ends itself; the first one stays, so that a job need not wait for it."""


def cores() -> int:
    """How many processors this process may use."""
    count = os.cpu_count() or 1
    if sys.platform == "linux":
        count = len(os.sched_getaffinity(0))
    return count


class Caller:
    """Whose calls these are: `close` ends them, and those of the callers below; `parent` is the one above."""

    def __init__(self, parent: Caller | None = None) -> None:
        self._parent = parent
        self._is_closed = False
        self._lock = threading.Lock()
        self._places: set[_Place] = set()

    @property
    def is_closed(self) -> bool:
        """Whether it, or one above it, was closed."""
        return self._is_closed or (self._parent is not None and self._parent.is_closed)

    def close(self) -> None:
        """End what is being called, and refuse what would be."""
        with self._lock:
            self._is_closed = True
            for place in self._places:
                place.end()

    @contextmanager
    def at(self, place: _Place) -> Iterator[None]:
        """Around a call, which fails when `close` came before it."""
        with self._lock:
            self.check()
            self._places.add(place)
        try:
            with self._parent.at(place) if self._parent else nullcontext():
                yield
        finally:
            with self._lock:
                self._places.discard(place)

    def check(self) -> None:
        """Raise TransientError when it is closed."""
        if self.is_closed:
            raise TransientError("the decoder was ended", remedy="try again")


class _Place:
    """Room for one child: it is started by the first call, and again after it ended."""

    def __init__(self, child: ChildProcess | None = None) -> None:
        self._child = child
        self._told: Request | None = None

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.is_running

    @property
    def pid(self) -> int | None:
        """The child's process id."""
        return self._child.pid if self._child is not None else None

    def idle(self) -> ChildProcess | None:
        """The child between two calls, if it runs; of one that has ended by itself nothing stays open."""
        if not self.is_running:
            self.kill()
        return self._child

    def start(self) -> ChildProcess:
        """The child, started if need be; it gets ready by itself."""
        self._child = self.idle() or ChildProcess()
        return self._child

    def call(self, request: Request, settings: Request, timeout: float, caller: Caller, admit: Admit) -> Answer:
        # What a child may ask for is settled when it begins; `idle` is nothing that it has to forget.
        if self._told is not None and {**self._told, "idle": None} != {**settings, "idle": None}:
            self.kill()
        is_fresh = not self.is_running
        answer = self._attempt(request, settings, timeout, caller, admit)
        if isinstance(answer, int) and not is_fresh:
            caller.check()
            # An earlier file may have left the child broken, or the system may have killed it.
            answer = self._attempt(request, settings, timeout, caller, admit)
        if isinstance(answer, int):
            caller.check()
            raise _crashed(answer)
        return answer

    def _attempt(
        self, request: Request, settings: Request, timeout: float, caller: Caller, admit: Admit
    ) -> Answer | int:
        """The answer, or how the child ended."""
        child = self.start()
        # One that closes later finds the child here.
        caller.check()
        if not child.is_ready:
            child.begin(settings)
            self._told = settings
        try:
            answer = child.ask({**request, "timeout": timeout}, timeout, admit)
        except TimeoutError:
            raise _too_slow(timeout) from None
        return child.ended() if answer is None else answer

    def end(self) -> None:
        """End the child in the middle of a call."""
        child = self._child
        if child is not None:
            child.end()

    def kill(self) -> None:
        """End the child between two calls."""
        child, self._child, self._told = self._child, None, None
        if child is not None:
            child.kill()


class Pool:
    """Children that answer requests; any thread may call.

    A call takes a child that is free. Where none is, it waits, and another child is started once that has taken as
    long as a start: so short calls share a child, and long ones have one each. All end with this process.

    Args:
        settings: what each child has to know before its first request; `idle` is added.
        most: children at once; unsaid, one a processor.
        first: one that was started before.
    """

    def __init__(self, settings: Request, most: int | None = None, first: ChildProcess | None = None) -> None:
        self._settings = settings
        self._changed = threading.Condition()
        # The last is asked first: the others come to rest.
        self._free = [*(_Place() for _ in range(1, most or cores())), _Place(first)]
        self._busy: set[_Place] = set()
        self._waiting: deque[object] = deque()
        self._is_closed = False

    def adopt(self, settings: Request) -> None:
        """Have other settings from the next call on; a child that has the ones before is replaced."""
        with self._changed:
            self._settings = settings

    def start(self) -> None:
        """Start a child now if there is none, so that the first call need not wait for it."""
        with self._changed:
            if not self._busy and not any(place.idle() for place in self._free):
                self._free[-1].start()

    def pids(self) -> list[int]:
        """The children that run."""
        with self._changed:
            places = [*self._busy, *self._free]
            return [place.pid for place in places if place.is_running and place.pid is not None]

    def call(self, request: Request, timeout: float, caller: Caller, admit: Admit) -> Answer:
        """A child's answer to a request.

        Args:
            request: what it is asked.
            timeout: seconds for it.
            caller: whose call it is.
            admit: as `ChildProcess.ask`.

        Raises:
            PermanentError: the file made the decoder crash, or took too long.
            TransientError: the child cannot be started, or the caller was closed.
        """
        place, is_alone = self._take(caller)
        try:
            with caller.at(place):
                settings = {**self._settings, "idle": None if is_alone else _IDLE_SECONDS}
                return place.call(request, settings, timeout, caller, admit)
        finally:
            with self._changed:
                self._busy.discard(place)
                self._free.append(place)
                if self._is_closed:
                    place.kill()
                self._changed.notify_all()

    def close(self) -> None:
        """End every child; what is being called fails."""
        with self._changed:
            self._is_closed = True
            for place in self._busy:
                place.end()
            for place in self._free:
                place.kill()
            self._changed.notify_all()

    def wake(self) -> None:
        """Let those who wait see that their caller was closed."""
        with self._changed:
            self._changed.notify_all()

    def _take(self, caller: Caller) -> tuple[_Place, bool]:
        """A place, now one's own, and whether its child will be the only one."""
        ticket = object()
        until = time.monotonic() + _START_SECONDS
        with self._changed:
            self._waiting.append(ticket)
            try:
                while True:
                    caller.check()
                    left = until - time.monotonic()
                    place = self._found(ticket, is_patient=left > 0)
                    if place is not None:
                        break
                    self._changed.wait(left if left > 0 else None)
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
            is_alone = not self._busy and not any(one.idle() for one in self._free if one is not place)
            self._free.remove(place)
            self._busy.add(place)
            return place, is_alone

    def _found(self, ticket: object, *, is_patient: bool) -> _Place | None:
        """A child for who is next; None when it is another's turn, or better to wait."""
        if self._waiting[0] is not ticket:
            return None
        for place in reversed(self._free):
            if place.idle():
                return place
        return self._free[-1] if self._free and not (is_patient and self._busy) else None


def _too_slow(timeout: float) -> PermanentError:
    return PermanentError(
        "the file took too long to decode",
        cause=f"more than {timeout:g} seconds; the decoder was ended",
        remedy="save the file anew with another program, or raise <MaximumDecodingTime> in <General>",
    )


def _crashed(returncode: int) -> PermanentError:
    return PermanentError(
        "the file made the decoder crash",
        cause=f"its process ended with {returncode}",
        remedy="save the file anew with another program",
    )
