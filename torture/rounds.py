"""Rounds: drop, kill, start again, let it finish, look at the books. Some services side by side."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.waiting import wait_until
from torture.lane import Lane
from torture.place import Place
from torture.points import Point, points_of
from torture.power import Disk
from torture.saved import unreadable
from torture.scene import ROUNDS
from torture.service import Died

# A round takes a few; on a machine that is busy many times as long.
_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Round:
    """What is dropped, and where the service is killed: at the second and third point while it recovers.

    Args:
        kinds: of the drops.
        points: one after the other.
        workers: how many jobs run at once.
        loss: "" where the machine goes on, else what of the unsynced is lost: "all" or "some".
    """

    kinds: tuple[str, ...]
    points: tuple[Point, ...]
    workers: int = 1
    loss: str = ""

    def __str__(self) -> str:
        loss = f"; {self.loss} of the unsynced lost" if self.loss else ""
        return f"{'+'.join(self.kinds)}: {', then '.join(str(point) for point in self.points)}{loss}"


@dataclass
class Tally:
    """What came out of all rounds."""

    kills: int = 0
    losses: int = 0
    hit: set[Point] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def survey(place: Place, rounds: Iterable[tuple[str, ...]] = ROUNDS) -> dict[tuple[str, ...], list[str]]:
    """The calls of each of these drops: an undisturbed round each, whose books must agree."""
    found = {}
    with Lane(place.folder / "survey") as lane:
        lane.service.start()
        for kinds in rounds:
            lane.service.arm(None)
            lane.begin(*map(lane.make, kinds))
            lane.settle(_SECONDS)
            faults = lane.books()
            if faults:
                raise RuntimeError(f"{'+'.join(kinds)}, undisturbed: {faults}")
            found[kinds] = lane.service.calls()
            lane.forget()
    return found


def once(calls: Mapping[tuple[str, ...], list[str]]) -> dict[Point, Round]:
    """Every point of any of them, once."""
    every: dict[Point, Round] = {}
    for kinds, made in calls.items():
        for point in points_of(made):
            every.setdefault(point, Round(kinds, (point,)))
    return every


def run(place: Place, item: str, rounds: Sequence[Round]) -> Tally:
    """Run all rounds whose name is asked for."""
    chosen = sorted((one for one in rounds if place.only in str(one)), key=lambda one: (bool(one.loss), one.workers))
    tally = Tally()
    waiting: queue.SimpleQueue[Round] = queue.SimpleQueue()
    for one in chosen:
        waiting.put(one)
    runners = [
        _Runner(place, item, place.folder / f"lane-{number}", waiting=waiting, total=len(chosen), tally=tally)
        for number in range(min(place.parallel, len(chosen)))
    ]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    return tally


class _Runner(threading.Thread):
    """Takes rounds as long as there are some."""

    def __init__(
        self, place: Place, item: str, folder: Path, *, waiting: queue.SimpleQueue[Round], total: int, tally: Tally
    ) -> None:
        super().__init__(name=folder.name)
        self._place, self._item, self._folder = place, item, folder
        self._waiting, self._total, self._tally = waiting, total, tally
        self._lane: Lane | None = None
        self._kind: tuple[int, bool] | None = None
        self._number = 0

    def run(self) -> None:
        try:
            while not self._waiting.empty():
                try:
                    one = self._waiting.get_nowait()
                except queue.Empty:
                    return
                self._tell(one, self._faults(one))
        finally:
            self._leave()

    def _tell(self, one: Round, faults: list[str]) -> None:
        tally = self._tally
        if faults:
            with tally.lock:
                tally.failed.append(str(one))
            kept = self._lane.folder if self._lane else self._folder
            self._place.say(f"FAILED {one}\n  " + "\n  ".join(faults[:10]))
            again = f"python -m torture {self._item} --seed {self._place.seed} --only '{one}'"
            self._place.say(f"  kept: {kept}; to repeat it: {again}")
            self._leave()
        done = self._total - self._waiting.qsize()
        if done % 25 == 0:
            told = f"{done} of {self._total} rounds, {tally.kills} kills, {len(tally.failed)} failed"
            self._place.say(f"{self._item}: {told}")

    def _leave(self) -> None:
        if self._lane is not None:
            self._lane.__exit__(None, None, None)
        self._lane = self._kind = None

    def _lane_for(self, one: Round) -> Lane:
        kind = (one.workers, bool(one.loss))
        if self._lane is None or self._kind != kind:
            self._leave()
            self._number += 1
            self._lane, self._kind = Lane(self._folder / str(self._number), workers=one.workers), kind
            if one.loss:
                self._lane.service.trace = self._lane.folder / "trace"
            self._lane.service.start()
        return self._lane

    def _faults(self, one: Round) -> list[str]:
        """One round on a service that is idle; it is idle again afterwards."""
        try:
            lane = self._lane_for(one)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other rounds are still to come
            return [f"it does not start: {error!r}"]
        try:
            return self._round(lane, one)
        except Exception as error:  # noqa: BLE001 - books that cannot even be read are a fault of this round
            found = [f"{type(error).__name__}: {error}"]
            try:
                return [*found, *lane.books()]
            except Exception as unread:  # noqa: BLE001 - as above
                return [*found, f"the books cannot be read: {unread!r}"]

    def _round(self, lane: Lane, one: Round) -> list[str]:
        points = list(one.points)
        lane.forget()
        drops = [lane.make(kind) for kind in one.kinds]
        disk = None
        if one.loss:
            (lane.folder / "trace").write_text("", "utf-8")
            contents = {name: data for drop in drops for name, data in drop.files.items()}
            disk = Disk.of(lane.service.base, contents.get)
        lane.service.arm(points.pop(0))
        lane.begin(*drops)
        torn: list[str] = []
        while not (lane.settle(_SECONDS) and self._disarmed(lane)):
            self._count(lane, one)
            torn += unreadable(lane.service.base)
            if disk is not None:
                disk.replay((lane.folder / "trace").read_text("utf-8"))
                disk.lose(lane.service.base, self._place.chance(str(one)) if one.loss == "some" else None)
                with self._tally.lock:
                    self._tally.losses += 1
                disk = None
            self._restart(lane, one, points)
        return [*torn, *lane.books()]

    def _disarmed(self, lane: Lane) -> bool:
        """Whether it lived until now; what it writes by itself may have come to a point just before."""
        try:
            lane.service.arm(None)
        except (OSError, RuntimeError):
            wait_until(lane.service.is_dead, "it has ended")
            return False
        return True

    def _restart(self, lane: Lane, one: Round, points: list[Point]) -> None:
        while True:
            try:
                lane.service.start(arm=points.pop(0) if points else None)
            except Died:
                self._count(lane, one)
            else:
                return

    def _count(self, lane: Lane, one: Round) -> None:
        with self._tally.lock:
            self._tally.kills += 1
            self._tally.hit.update(point for point in one.points if str(point) == lane.service.died_at)
