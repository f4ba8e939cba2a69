"""`python -m torture [ITEM...]`: breaks the service on purpose, checks its books, prints the table."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from torture import chance, clock, dcmtk, destinations, disk, kills, network
from torture.checks import Check, show
from torture.place import Place

Item = Callable[[Place], list[Check]]

# Of the services of an item that has failed, so many are shown, and so much of each.
_SCREENS: Final = 3
_LINES: Final = 30
# Each is called with a folder of its own and gives its lines of the table.
ITEMS: Final[Mapping[str, Item]] = MappingProxyType(
    {
        "kills": kills.kill,
        "power": kills.lose_power,
        "disk": disk.check,
        "clock": clock.check,
        "network": network.network,
        "chance": chance.chance,
        "destinations": destinations.destinations,
        "dcmtk": dcmtk.dcmtk,
    }
)


def checked(names: Sequence[str], *, short: bool, seed: int, parallel: int, only: str = "") -> list[Check]:
    """Run these items; the folder of one with a failed check is kept, and told."""
    checks: list[Check] = []
    for name in names:
        folder = Path(tempfile.mkdtemp(prefix=f"dicomprinter-torture-{name}-"))
        place = Place(folder, short, seed, parallel, only)
        place.say(f"{name} …")
        begun = time.monotonic()
        found = _found(name, place)
        checks += found
        place.say(f"{name}: {time.monotonic() - begun:.0f} s")
        if all(check.passed for check in found):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            for file in sorted(folder.rglob("screen*.log"), key=_age)[:_SCREENS]:
                lines = file.read_text("utf-8", "replace").splitlines()[-_LINES:]
                place.say("\n  ".join([f"the end of {file}:", *lines]))
            place.say(f"{name}: what it left is kept in {folder}; to repeat it: python -m torture {name} --seed {seed}")
    return checks


def _age(file: Path) -> float:
    """The newest first."""
    return -file.stat().st_mtime


def _found(name: str, place: Place) -> list[Check]:
    """An item's lines; one that breaks off, or has nothing to do, has failed, and the others are still to come."""
    try:
        found = ITEMS[name](place)
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - whatever it is, the table has to tell
        place.say(traceback.format_exc())
        return [Check(name, "the item", "comes to its end", f"broke off: {error!r}"[:200], passed=False)]
    return found or [Check(name, "the item", "has something to do", "nothing is called so", passed=False)]


def main() -> int:
    """Run what the command line asks for; 1 when a check has failed."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("items", nargs="*", metavar="ITEM", help=f"all when unsaid: {', '.join(ITEMS)}")
    parser.add_argument("--short", action="store_true", help="a sample that takes seconds")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="repeats what chance chose")  # noqa: S311 - nothing secret
    parser.add_argument(
        "-n", dest="parallel", type=int, default=os.cpu_count() or 1, help="how many services may run side by side"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="rounds, cases and faults with this in their name")
    options = parser.parse_args()
    unknown = [name for name in options.items if name not in ITEMS]
    if unknown:
        parser.error(f"there is no item {unknown[0]}; there are {', '.join(ITEMS)}")
    sys.stderr.write(f"--seed {options.seed}\n")
    names = options.items or list(ITEMS)
    return show(checked(names, short=options.short, seed=options.seed, parallel=options.parallel, only=options.only))


if __name__ == "__main__":
    sys.exit(main())
