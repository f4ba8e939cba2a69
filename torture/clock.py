"""A clock that jumps forward, back, and by daylight saving, under the real service (libfaketime).

What nobody sets, the monotonic clock, is left as it is.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tests.waiting import wait_until
from torture.checks import Check
from torture.lane import Lane
from torture.place import Place

ITEM: Final = "clock"
_LIBRARIES: Final = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
_DAY: Final = 86400.0
_LONG: Final = 15 * 60.0
_SOON: Final = 60.0
_SHORT: Final = 12.0


class Shifted:
    """A lane whose service has a clock of its own.

    Args:
        folder: is made.
        library: libfaketime.
        suspension: SuspensionTime in seconds.
        begin: what the service takes for now at first; the real time if None.
    """

    def __init__(self, folder: Path, library: str, *, suspension: float, begin: datetime | None = None) -> None:
        folder.mkdir(parents=True)
        self._file = folder / "offset"
        self.set(begin.timestamp() - time.time() if begin else 0.0)
        environment = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "TZ": "Europe/Berlin",
        }
        self.lane = Lane(folder / "lane", suspension=suspension, environment=environment)

    def set(self, offset: float) -> None:
        """Let the clock be off by so many seconds."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset:+.3f}", "ascii")
        new.replace(self._file)


Case = Callable[[Path, str], list[str]]


def check(place: Place) -> list[Check]:
    """Every case on a service of its own."""
    library = _library()
    if library is None:
        place.say(f"{ITEM}: libfaketime is missing: install the Debian package faketime")
        return [Check(ITEM, "libfaketime", "installed", "missing", passed=not os.environ.get("CI"))]
    names = [name for name in CASES if place.only in name]
    if place.short:
        names = place.chance(ITEM).sample(names, min(2, len(names)))
    with ThreadPoolExecutor(2 * place.parallel) as pool:
        found = list(pool.map(lambda name: _run(place, name, library), names))
    return [Check(ITEM, name, "as it should", "; ".join(faults) or "so", not faults) for name, faults in found]


def _library() -> str | None:
    for pattern in _LIBRARIES:
        for path in Path("/").glob(pattern.removeprefix("/")):
            return str(path)
    return None


def _run(place: Place, name: str, library: str) -> tuple[str, list[str]]:
    folder = place.folder / name.replace(" ", "-").replace(",", "")
    try:
        faults = CASES[name](folder, library)
    except (TimeoutError, RuntimeError, OSError) as error:
        faults = [f"{type(error).__name__}: {error}"]
    if faults:
        place.say(f"FAILED {name}\n  " + "\n  ".join(faults[:10]) + f"\n  kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return name, faults


def _suspended(lane: Lane, kind: str) -> None:
    """A job waits for B, which is there again."""
    lane.begin(lane.make(kind))
    wait_until(lambda: lane.service.is_dead() or lane.service.job().get("state") == "suspended", "it is suspended")
    lane.b.open()


def _jump(seconds: float) -> Case:
    """A job suspended for 15 minutes goes on at once after a jump that is longer, whichever way."""

    def run(folder: Path, library: str) -> list[str]:
        shifted = Shifted(folder, library, suspension=_LONG)
        with shifted.lane as lane:
            lane.service.start()
            _suspended(lane, "again")
            shifted.set(seconds)
            lane.settle(timeout=_SOON)
            # And what comes later is taken in as ever.
            lane.begin(lane.make("text"))
            lane.settle(timeout=_SOON)
            return lane.books(clock_is_set=True)

    return run


def _for_a_moment(folder: Path, library: str) -> list[str]:
    shifted = Shifted(folder, library, suspension=_LONG)
    with shifted.lane as lane:
        lane.service.start()
        lane.begin(lane.make("held"))
        wait_until(lambda: lane.service.is_dead() or lane.service.job().get("state") == "held", "it is held")
        shifted.set(365 * _DAY)
        lane.service.wait_for(lambda: "the clock was set forward by 365 days" in lane.service.said, "it is noticed")
        time.sleep(2)
        expired = list(lane.service.expired.iterdir())
        shifted.set(0)
        lane.service.wait_for(lambda: "the clock was set back by 365 days" in lane.service.said, "it is noticed")
        if expired or list(lane.service.expired.iterdir()):
            return ["the job has expired"]
        lane.settle(timeout=_SOON)
        return lane.books(clock_is_set=True)


def _daylight_saving(begin: datetime) -> Case:
    """A job suspended for some seconds over the change waits these seconds, no hour more or less."""

    def run(folder: Path, library: str) -> list[str]:
        shifted = Shifted(folder, library, suspension=_SHORT, begin=begin)
        with shifted.lane as lane:
            lane.service.start()
            # Again, now that the start has taken its time: the change is to come while the job waits.
            shifted.set(begin.timestamp() - time.time())
            _suspended(lane, "again")
            since = time.monotonic()
            lane.settle(timeout=_SOON)
            waited = time.monotonic() - since
            found = lane.books()
            if waited < _SHORT / 2:
                found.append(f"it waited {waited:.1f} s instead of {_SHORT:g}")
            told = "".join(file.read_text("utf-8") for file in lane.service.kept.glob("*/history.jsonl"))
            if '+01:00", "level"' not in told or '+02:00", "level"' not in told:
                found.append("the change did not come while the job waited, or the history does not tell of it")
            return found

    return run


def _order(folder: Path, library: str) -> list[str]:
    shifted = Shifted(folder, library, suspension=_LONG)
    with shifted.lane as lane:
        lane.service.start()
        # A takes its time, so that the others wait behind the first.
        lane.a.seconds = 2
        for number in range(4):
            lane.begin(lane.make("text"))
            wait_until(lambda: not any(lane.service.incoming.iterdir()), "it is taken in")
            shifted.set(-number * _DAY)
        lane.settle(timeout=_SOON)
        titles = [line["job"] for line in lane.service.ledger()]
        found = lane.books(clock_is_set=True)
        if titles != sorted(titles):
            found.append("the jobs did not run in order of arrival")
        return found


def _breaker(folder: Path, library: str) -> list[str]:
    """B is down long enough for its breaker to open; what asks it goes on whatever the clock says."""
    shifted = Shifted(folder, library, suspension=_LONG)
    with shifted.lane as lane:
        lane.service.start()
        lane.b.close()
        for _ in range(4):
            lane.begin(lane.make("dicom"))
        states = lane.service.spool / "destinations.json"
        wait_until(lambda: states.exists() and '"open"' in states.read_text("utf-8"), "the breaker opens")
        shifted.set(-_DAY)
        lane.b.open()
        lane.settle(timeout=_SOON)
        return lane.books(clock_is_set=True)


CASES: Final[Mapping[str, Case]] = MappingProxyType(
    {
        "a day back: a suspended job goes on": _jump(-_DAY),
        "an hour forward: a suspended job goes on": _jump(3600.0),
        "a year forward for a moment: nothing expires": _for_a_moment,
        "summer begins while a job waits": _daylight_saving(datetime(2026, 3, 29, 0, 59, 52, tzinfo=UTC)),
        "summer ends while a job waits": _daylight_saving(datetime(2026, 10, 25, 0, 59, 52, tzinfo=UTC)),
        "back again and again: jobs run in order of arrival": _order,
        "a day back: a breaker closes again": _breaker,
    }
)
