"""A process that feeds one target: `python -m fuzz.child HOW TARGET BOOK …`. `fuzz.driver` starts it.

guided TARGET BOOK CORPUS WORDS EXECUTIONS SEED   coverage-guided, by atheris
structured TARGET BOOK EXECUTIONS SEED            what hypothesis draws
replay TARGET BOOK FILE...                        these inputs, once each

It ends with 0 when all went well; what it was at when it did not is in the book.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fuzz.book import Book
from fuzz.target import Target, drawn, load

SECONDS: Final = 5
MEGABYTES: Final = 512
TOO_MUCH_MEMORY: Final = 71
_ADDRESSES: Final = 16 << 30
# Arithmetic on whole pages. atheris never lets go of what a comparison gives, which here is an array.
_UNGUIDED: Final = tuple(f"dicomprinter.imaging.orientation.{name}" for name in ("analysis", "ink", "lines", "marks"))


def main() -> None:
    """Do what the command line says."""
    how, name, book, *rest = sys.argv[1:]
    _quiet()
    # Keeps the machine alive, whatever is asked for.
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ways: dict[str, Callable[..., None]] = {"guided": _guided, "structured": _structured, "replay": _replay}
    ways[how](name, Book(Path(book)), *rest)


def _guided(name: str, book: Book, *rest: str) -> None:
    import atheris  # noqa: PLC0415 - only where it is installed

    corpus, words, executions, seed = rest

    # What is imported in here, by a target at once or by the program later, tells its branches.
    with atheris.instrument_imports(include=["dicomprinter"], exclude=list(_UNGUIDED)):
        target = load(name)
        arguments = [
            sys.argv[0],
            f"-runs={executions}",
            f"-seed={seed}",
            f"-max_len={target.longest}",
            # Twice what is allowed: it measures by the clock, and other programs may be at work. The book decides.
            f"-timeout={2 * SECONDS}",
            # It would count what the process had that started this one; the book decides here as well.
            "-rss_limit_mb=0",
            f"-malloc_limit_mb={MEGABYTES}",
            f"-artifact_prefix={corpus}/../",
            f"-dict={words}",
            "-print_final_stats=0",
            "-verbosity=0",
            corpus,
        ]
        atheris.Setup(arguments, _counted(target, book))
        atheris.Fuzz()


def _structured(name: str, book: Book, executions: str, seed: str) -> None:
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415
    from hypothesis import seed as seeded  # noqa: PLC0415

    target = load(name)
    counted = _counted(target, book, alarm=True)

    @seeded(int(seed))
    @settings(
        max_examples=int(executions),
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn(name, target))
    def feed(data: bytes) -> None:
        counted(data)

    feed()


def _replay(name: str, book: Book, *files: str) -> None:
    counted = _counted(load(name), book, alarm=True)
    for file in files:
        counted(Path(file).read_bytes())


def _counted(target: Target, book: Book, *, alarm: bool = False) -> Callable[[bytes], None]:
    """The target, with each execution in the book and ended when it takes too much."""

    def feed(data: bytes) -> None:
        book.begin(data)
        if alarm:
            # Of processor time: what waits for others to let it run does not hang.
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
        before = time.process_time_ns()
        target.run(data)
        took = time.process_time_ns() - before
        if alarm:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if took > SECONDS * 10**9:
            raise TimeoutError(f"{took / 1e9:.1f} s of processor time")
        book.weigh(_peak())
        if book.kilobytes > MEGABYTES * 1024:
            sys.stderr.write("more memory than allowed\n")
            sys.stderr.flush()
            os._exit(TOO_MUCH_MEMORY)
        book.end(took)

    return feed


def _peak() -> int:
    """The most memory that this process has had, in kilobytes.

    What `getrusage` tells outlives `execve`: it begins with what the process had that started this one.
    """
    with Path("/proc/self/status").open("rb") as file:
        return next((int(line.split()[1]) for line in file if line.startswith(b"VmHWM:")), 0)


def _quiet() -> None:
    """Libraries' warnings and notes of a million inputs are nothing to read."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)


if __name__ == "__main__":
    main()
