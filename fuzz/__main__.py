"""`python -m fuzz [TARGET...]`: feeds every reader what nobody sent on purpose, and prints the table."""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from fuzz.child import MEGABYTES, SECONDS
from fuzz.driver import Result, fuzz, has_atheris, replay
from fuzz.target import load, names
from torture.checks import Check, show

MILLION: Final = 1_000_000
_SHORT: Final = 500
_SHORT_SECONDS: Final = 60.0
_LONG_SECONDS: Final = 1200.0


def fuzzed(chosen: Sequence[str], executions: int | None, seconds: float, seed: int, parallel: int) -> list[Result]:
    """Each target in each way, some side by side; `executions` of each, or as many as the targets themselves name."""
    jobs: list[tuple[str, str, int]] = []
    for name in chosen:
        target = load(name)
        if has_atheris():
            jobs.append((name, "guided", executions or target.executions))
        jobs.append((name, "structured", executions or target.structured))
    # The slow ones are asked for the fewest, and are first, so that none is left alone at the end.
    jobs.sort(key=lambda job: (job[1] == "structured", job[2]))
    with ThreadPoolExecutor(parallel) as pool:
        return list(pool.map(lambda job: _told(fuzz(job[0], job[1], job[2], seconds, seed)), jobs))


def checks_of(results: Sequence[Result], wanted: int) -> list[Check]:
    """The table's lines: one for each target and way, and their sum."""
    lines = []
    for result in results:
        within = result.slowest <= SECONDS and result.memory <= MEGABYTES
        is_fine = result.executions > 0 and not result.findings and within
        found = f"{len(result.findings)}; {_figures(result)}"
        limits = f"0; ≤ {SECONDS} s, ≤ {MEGABYTES} MB"
        lines.append(Check(result.name, f"{result.how}: findings; executions, slowest, memory", limits, found, is_fine))
    total = sum(result.executions for result in results)
    lines.append(Check.at_least("all", "executions", wanted, total))
    way = "in use" if has_atheris() else "not installed here: hypothesis alone"
    lines.append(Check("all", "guided by coverage (atheris)", "where it is to be had", way, passed=True))
    return lines


def main() -> int:
    """Run what the command line asks for; 1 when something was found, or too little tried."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"all when unsaid: {', '.join(names())}")
    parser.add_argument("--short", action="store_true", help=f"{_SHORT} inputs a target in each way")
    parser.add_argument("--executions", type=int, help="inputs a target in each way; else as many as suit it")
    parser.add_argument("--seconds", type=float, help="the most that a target may take in each way")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="repeats what chance chose")  # noqa: S311 - nothing secret
    parser.add_argument("--replay", nargs="+", type=Path, metavar="FILE", help="feed these to the target, once each")
    parser.add_argument("-n", dest="parallel", type=int, default=os.cpu_count() or 1, help="processes side by side")
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in names()]
    if unknown:
        parser.error(f"there is no target {unknown[0]}; there are {', '.join(names())}")
    chosen = options.targets or names()
    if options.replay:
        if len(chosen) != 1:
            parser.error("--replay needs one target")
        said = replay(chosen[0], options.replay)
        sys.stdout.write(said + "\n" if said else "nothing went wrong\n")
        return 1 if said else 0
    sys.stderr.write(f"--seed {options.seed}\n")
    executions = options.executions or (_SHORT if options.short else None)
    seconds = options.seconds or (_SHORT_SECONDS if options.short else _LONG_SECONDS)
    results = fuzzed(chosen, executions, seconds, options.seed, options.parallel)
    is_whole = not (options.targets or options.executions or options.seconds)
    wanted = MILLION if is_whole and not options.short else len(results)
    return show(checks_of(results, wanted))


def _figures(result: Result) -> str:
    return f"{result.executions:,}, {result.slowest:.2f} s, {result.memory:.0f} MB"


def _told(result: Result) -> Result:
    sys.stderr.write(f"{result.name} {result.how}: {_figures(result)}\n")
    for file in result.findings:
        sys.stderr.write(f"  found: {file}; {file.with_suffix('.txt').name} beside it says how to repeat it\n")
    return result


if __name__ == "__main__":
    sys.exit(main())
