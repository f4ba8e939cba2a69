"""`python -m bench [ITEM...]`: measures, prints the table, keeps the figures."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest
from rich.console import Console

from bench import chain, edits, encode, engine, fairness, latency, load, memory, start, store
from bench.facts import facts
from bench.results import Row, keep, missed, show
from bench.scale import FULL, QUICK, Place, Scale

Item = Callable[[Place], list[Row]]

ITEMS: Final[Mapping[str, Item]] = MappingProxyType(
    {
        "encode": encode.measure,
        "store": store.measure,
        "chain": chain.measure,
        "edits": edits.measure,
        "latency": latency.measure,
        "engine": engine.measure,
        "load": load.measure,
        "fairness": fairness.measure,
        "start": start.measure,
        "memory": memory.measure,
    }
)
RESULTS: Final = Path(__file__).with_name("results")


def measured(names: Sequence[str], scale: Scale, results: Path) -> tuple[list[Row], list[str]]:
    """The rows of these items, and why others are missing."""
    rows: list[Row] = []
    left_out: list[str] = []
    told = Console(stderr=True)
    for name in names:
        told.print(f"{name} …", highlight=False)
        with tempfile.TemporaryDirectory(prefix="dicomprinter-bench-") as folder:
            try:
                rows += ITEMS[name](Place(Path(folder), results, scale))
            except (pytest.skip.Exception, pytest.fail.Exception) as missing:
                # How tests/peers says that a program is not there.
                left_out.append(f"{name}: {missing}")
            except Exception as error:  # noqa: BLE001 - what the others have measured is kept, and told
                told.print_exception()
                left_out.append(f"{name} broke off: {error!r}")
    return rows, left_out


def main() -> int:
    """Measure what the command line asks for; 1 where a target is not reached, or an item could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("items", nargs="*", metavar="ITEM", help=f"all when unsaid: {', '.join(ITEMS)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller runs")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the figures are kept")
    options = parser.parse_args()
    unknown = [name for name in options.items if name not in ITEMS]
    if unknown:
        parser.error(f"there is no item {unknown[0]}; there are {', '.join(ITEMS)}")
    # In this process nobody reads the log.
    logging.getLogger("dicomprinter").addHandler(logging.NullHandler())
    before = facts()
    names = options.items or list(ITEMS)
    rows, left_out = measured(names, QUICK if options.quick else FULL, options.results)
    show(rows, left_out)
    label = "all" if not options.items else "-".join(names)
    file = keep(options.results, f"{label}-quick" if options.quick else label, rows, before, left_out)
    Console().print(f"kept in {file}", highlight=False, soft_wrap=True)
    return 1 if missed(rows) or left_out else 0


if __name__ == "__main__":
    sys.exit(main())
