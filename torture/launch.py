"""`python -m torture.launch serve …`: the real program in a process that ends, or fails, where it is told to.

`TORTURE` in the environment says (JSON) the base directory, the archives' ports, the descriptor over which orders come
and answers go, and the file that is to hold what a disk would have to know. Orders are lines of JSON:

    {"arm": point}         count anew, and end the process at this point
    {"arm": null}          count anew, and end nowhere
    {"calls": true}        say which calls were made since then, in order
    {"faults": [fault …]}  let calls fail, or wait, from now on: `calls` is a pattern of their names, `skip` how many
                           are spared first, `left` how many fail then; `errno`, `seconds` and `torn` say how.
                           The answer says how many calls have met the faults of before: `met`
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from torture.calls import Calls
from torture.points import ANY, How, Point

# Of a payload only the texts.
_NOT_KEPT: Final = ("work", "[0-9][0-9][0-9][0-9]", "*.pdf", "*.png")
# Before they are replaced.
_WRITE: Final = os.write


class Orders:
    """Counts the calls, and does to them what was ordered."""

    def __init__(self, base: Path, descriptor: int, trace: str | None) -> None:
        self._base = base
        self._answers = descriptor
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if trace else None
        self._point: Point | None = None
        self._faults: list[dict[str, Any]] = []
        self._met = 0
        self._calls: list[str] = []
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def listen(self, orders: IO[str]) -> None:
        """Take orders until nobody gives any more."""
        for line in orders:
            self.obey(json.loads(line))

    def obey(self, order: dict[str, Any]) -> None:
        """Carry out one, and answer."""
        with self._lock:
            if "arm" in order:
                self._calls, self._counts = [], {}
                self._point = Point.from_json(order["arm"]) if order["arm"] else None
            answer: dict[str, Any] = {"calls": self._calls} if "calls" in order else {"met": self._met}
            if "faults" in order:
                self._faults, self._met = order["faults"], 0
            self._answer(answer)

    # What the calls ask (torture.calls.Judge)

    def before(self, name: str, size: int | None) -> int | None:
        """End here, fail here, or go on."""
        with self._lock:
            self._calls.append(name)
            self._counts[name] = self._counts.get(name, 0) + 1
            point = self._point
            if point is not None and self._is_at(point, name):
                if point.how is How.BEFORE:
                    self._die(point)
                if point.how is How.TORN and size is not None:
                    return size // 2
            fault = next((one for one in self._faults if re.search(one["calls"], name)), None)
        return None if fault is None else self._failing(fault, size)

    def after(self, name: str, record: tuple[Any, ...]) -> None:
        """Keep what was done, and end here if so ordered."""
        if self._trace is not None:
            line = json.dumps(record, default=lambda data: data.decode("latin-1"))
            _WRITE(self._trace, line.encode() + b"\n")
        with self._lock:
            if self._point is not None and self._is_at(self._point, name):
                self._die(self._point)

    def _is_at(self, point: Point, name: str) -> bool:
        if point.call == ANY:
            return len(self._calls) == point.nth
        return (point.call, point.nth) == (name, self._counts.get(name))

    def _failing(self, fault: dict[str, Any], size: int | None) -> int | None:
        if fault.get("skip"):
            fault["skip"] -= 1
            return None
        if fault.get("left") is not None:
            if fault["left"] <= 0:
                return None
            fault["left"] -= 1
        self._met += 1
        if fault.get("seconds"):
            time.sleep(fault["seconds"])
        if fault.get("torn") and size is not None:
            return size // 2
        if fault.get("errno"):
            raise OSError(fault["errno"], os.strerror(fault["errno"]))
        return None

    def _die(self, point: Point) -> NoReturn:
        self._answer({"died": str(point)})
        os.kill(os.getpid(), signal.SIGKILL)
        while True:
            time.sleep(1)

    def _answer(self, answer: dict[str, Any]) -> None:
        _WRITE(self._answers, json.dumps(answer).encode() + b"\n")


def keeping(base: Path, rename: Callable[..., None]) -> Callable[..., None]:
    """A rename that keeps the books of a job that leaves, for whoever looks at them afterwards."""

    def replaced(source: Any, target: Any, **options: Any) -> None:
        name = os.path.basename(os.fsdecode(target))  # noqa: PTH119 - a name, no path
        if name.startswith(".gone-"):
            kept = base / "kept" / name.removeprefix(".gone-")
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(source, kept, ignore=shutil.ignore_patterns(*_NOT_KEPT))
        rename(source, target, **options)

    return replaced


def main() -> None:
    """Put the calls under orders, and be the program."""
    settings = json.loads(os.environ.pop("TORTURE"))
    base = Path(settings["base"])
    descriptor = settings["descriptor"]
    os.set_inheritable(descriptor, False)
    orders = Orders(base, descriptor, settings.get("trace"))
    if settings.get("arm"):
        orders.obey({"arm": settings["arm"]})
    if settings.get("faults"):
        orders.obey({"faults": settings["faults"]})
    stream = os.fdopen(os.dup(descriptor), encoding="utf-8")
    # The copy is made outside of what is counted, before the rename that is.
    module: Any = os
    Calls(base, {int(port): name for port, name in settings["peers"].items()}, orders).install()
    module.rename = keeping(base, os.rename)
    threading.Thread(target=orders.listen, args=(stream,), name="orders", daemon=True).start()

    from dicomprinter.cli.main import main as program  # noqa: PLC0415 - after the calls are replaced

    sys.argv[0] = "dicomprinter"
    program()


if __name__ == "__main__":
    main()
