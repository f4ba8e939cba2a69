"""A disk that is full, read-only, slow, or fails; files that vanish. The service goes on when it is well again."""

from __future__ import annotations

import errno
import itertools
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.waiting import wait_until
from torture import vanish
from torture.checks import Check
from torture.lane import Lane
from torture.place import Place
from torture.rounds import survey

ITEM: Final = "disk"
_CHANGES: Final = "^(create|write|mkdir|rename|unlink|rmdir|fsync) "
_FULL: Final = "^(create|write|mkdir) "
# A lane mostly waits for the next try of the service.
_LANES_A_CORE: Final = 3
_ILL_SECONDS: Final = 2.0
_UNMET: Final = "the fault was not met"
# A call that comes as often only when the service does something by itself meanwhile.
_MOST_UNMET: Final = 0.03
_KINDS: Final = ("page", "pages", "dicom", "saved", "damaged")
_WHAT: Final = {
    errno.ENOSPC: "no space",
    errno.EDQUOT: "the quota is used up",
    errno.EROFS: "read-only",
    errno.EIO: "input/output error",
}


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong.

    Args:
        group: which line of the table it is counted in.
        name: says which it is.
        run: does it on a lane whose service is idle; what was not right, in words.
        is_mount: on a file system of its own, which takes root.
    """

    group: str
    name: str
    run: Callable[[Lane], list[str]]
    is_mount: bool = False


def check(place: Place) -> list[Check]:
    """Every case on a service that is idle before and after."""
    cases = [*_outages(), *_slow(), *_single(place), *vanish_cases()]
    if os.geteuid() == 0:
        cases += _mounted()
    if place.short:
        chance = place.chance(ITEM)
        cases = [chance.choice([one for one in cases if one.group == group]) for group in _groups(cases)]
    cases = [case for case in cases if place.only in case.name]
    if not cases:
        return []
    lanes = min(place.parallel * _LANES_A_CORE, len(cases))
    shares = [(place, cases[number::lanes], place.folder / f"lane-{number}") for number in range(lanes)]
    with ThreadPoolExecutor(lanes) as pool:
        failed = dict(itertools.chain.from_iterable(pool.map(lambda share: _run(*share), shares)))
    unmet = [name for name, faults in failed.items() if faults == [_UNMET]]
    most = max(1, round(len(cases) * _MOST_UNMET))
    found = [Check.at_most(ITEM, f"of {len(cases)} things that go wrong, those that no call has met", most, len(unmet))]
    for group in _groups(cases):
        names = [case.name for case in cases if case.group == group]
        bad = sum(name in failed and name not in unmet for name in names)
        found.append(
            Check(ITEM, f"{group}; survived, and the books agree", str(len(names)), str(len(names) - bad), bad == 0)
        )
    if os.geteuid() != 0:
        place.say(f"{ITEM}: not root, so no real file system was filled or made read-only; injected ones were")
    return found


def vanish_cases() -> list[Case]:
    """Files that go while their job waits or runs."""
    return [Case("a file that vanishes", f"{name} vanishes", run) for name, run in vanish.CASES.items()]


def _groups(cases: Sequence[Case]) -> list[str]:
    return list(dict.fromkeys(case.group for case in cases))


def _run(place: Place, cases: Sequence[Case], folder: Path) -> list[tuple[str, list[str]]]:
    failed = []
    lane: Lane | None = None
    for number, case in enumerate(cases):
        where = folder / str(number)
        try:
            if case.is_mount:
                # On a disk that is full, nobody could read that it is.
                with _tmpfs(where / "disk"), Lane(where / "disk" / "lane", screens=where) as own:
                    own.service.start()
                    faults = case.run(own)
            else:
                if lane is None:
                    lane = Lane(where)
                    lane.service.start()
                lane.forget()
                faults = case.run(lane)
        except (TimeoutError, RuntimeError, OSError, subprocess.CalledProcessError) as error:
            faults = [f"{type(error).__name__}: {error}"]
        if faults:
            failed.append((case.name, faults))
            place.say(f"FAILED {case.name}\n  " + "\n  ".join(faults[:10]))
            place.say(f"  kept: {lane.folder if lane else where}; to repeat it: --only '{case.name}'")
            if lane is not None and not case.is_mount:
                lane.__exit__(None, None, None)
                lane = None
    if lane is not None:
        lane.__exit__(None, None, None)
    return failed


# Injected


def _outages() -> Iterator[Case]:
    """Nothing can be written for a while, from before the files come or while a job runs."""
    for number, what in _WHAT.items():
        calls = _FULL if number in (errno.ENOSPC, errno.EDQUOT) else _CHANGES
        fault = {"calls": calls, "errno": number}
        group = f"a disk that says: {what}"
        yield Case(group, f"{what}, while files come", partial(_outage, fault=fault))
        yield Case(group, f"{what}, while jobs run", partial(_outage, fault={**fault, "skip": 60}))


def _outage(lane: Lane, fault: dict[str, Any]) -> list[str]:
    lane.service.faults(fault)
    lane.begin(*(lane.make(kind) for kind in _KINDS))
    _wait_until_it_is_said(lane, fault["errno"])
    lane.service.faults()
    lane.settle(timeout=90)
    return lane.books()


def _wait_until_it_is_said(lane: Lane, number: int) -> None:
    """The log tells of it; then it stays ill a little longer."""
    lane.service.wait_for(lambda: os.strerror(number) in lane.service.said, f'the log says "{os.strerror(number)}"')
    time.sleep(_ILL_SECONDS)


def _slow() -> Iterator[Case]:
    yield Case("a slow disk", "each write slow", partial(_disturbed, fault={"calls": _CHANGES, "seconds": 0.03}))
    yield Case("a slow disk", "each sync slow", partial(_disturbed, fault={"calls": "^fsync ", "seconds": 0.3}))


def _disturbed(lane: Lane, fault: dict[str, Any], kinds: Sequence[str] = _KINDS) -> list[str]:
    lane.service.faults(fault)
    lane.begin(*(lane.make(kind) for kind in kinds))
    lane.settle(timeout=90)
    met = lane.service.faults()
    return [*lane.books(), *([] if met else [_UNMET])]


def _single(place: Place) -> Iterator[Case]:
    """Each call fails once, each write is torn once; it is tried again some seconds later."""
    seen = set()
    for (kind,), made in survey(place, (("page",), ("damaged",))).items():
        for index, call in enumerate(made):
            nth = made[: index + 1].count(call)
            if call.startswith("send ") or (call, nth) in seen or nth > 2:
                continue
            seen.add((call, nth))
            fault = {"calls": f"^{re.escape(call)}$", "skip": nth - 1, "left": 1}
            number = errno.EIO if call.startswith("fsync ") else errno.ENOSPC
            yield Case(
                "one call that fails",
                f"{kind}: {call} #{nth} fails",
                partial(_disturbed, fault={**fault, "errno": number}, kinds=(kind,)),
            )
            if call.startswith("write "):
                yield Case(
                    "one torn write",
                    f"{kind}: {call} #{nth} is torn",
                    partial(_disturbed, fault={**fault, "torn": True}, kinds=(kind,)),
                )


# Real file systems


def _mounted() -> Iterator[Case]:
    yield Case("a real file system that is full", "a full tmpfs", _fill, is_mount=True)
    yield Case("a real file system that is read-only", "remounted read-only", _remount)


@contextmanager
def _tmpfs(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=True)  # noqa: S603, S607
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607


def _fill(lane: Lane) -> list[str]:
    """A file takes all that is left once the others are there."""
    lane.begin(lane.make("page"))
    lane.settle(timeout=60)
    filler = lane.folder / "filler"

    def fill() -> None:
        free = os.statvfs(lane.folder)
        # The service may write a line meanwhile.
        with suppress(OSError):
            filler.write_bytes(bytes(free.f_bavail * free.f_frsize))

    lane.begin(*(lane.make(kind) for kind in _KINDS), before=fill)
    _wait_until_it_is_said(lane, errno.ENOSPC)
    filler.unlink()
    lane.settle(timeout=90)
    return lane.books()


def _remount(lane: Lane) -> list[str]:
    """The spool is mounted over itself, read-only, so that what is open already does not forbid it."""
    spool = str(lane.service.spool)
    lane.begin(*(lane.make(kind) for kind in _KINDS))
    subprocess.run(["mount", "--bind", spool, spool], check=True)  # noqa: S603, S607
    try:
        # Busy while a file is being written.
        wait_until(lambda: _is_read_only(spool), "it is read-only")
        _wait_until_it_is_said(lane, errno.EROFS)
    finally:
        subprocess.run(["umount", "--lazy", spool], check=True)  # noqa: S603, S607
    lane.settle(timeout=90)
    return lane.books()


def _is_read_only(folder: str) -> bool:
    command = ["mount", "-o", "remount,bind,ro", folder]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603
