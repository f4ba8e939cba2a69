"""Starts the processes that fuzz, counts what they do, and keeps what they find with how to repeat it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fuzz.book import Book
from fuzz.target import corpus, load

ROOT: Final = Path(__file__).parents[1]
FINDINGS: Final = ROOT / "fuzz" / "findings"
_ENOUGH: Final = 3
_MOST_RUNS: Final = 10
_FRAMES: Final = 4
_TIMEOUT: Final = 70  # libFuzzer's exit code
_TIMEOUT_WORDS: Final = "=== Timeout:"  # where it comes in the middle of an import, another error follows
_LAST_WORDS: Final = 20_000
# What waits for something that never comes uses no processor, so only the clock tells.
_REPLAY_SECONDS: Final = 120.0


@dataclass
class Result:
    """What came of fuzzing a target in one way.

    Args:
        how: `guided` or `structured`.
        slowest: seconds of processor time of one execution.
        memory: megabytes, the largest process.
        findings: files, each with one input.
    """

    name: str
    how: str
    executions: int = 0
    slowest: float = 0.0
    memory: float = 0.0
    findings: list[Path] = field(default_factory=list)


def has_atheris() -> bool:
    """Whether inputs can be guided by coverage here."""
    return find_spec("atheris") is not None


def fuzz(name: str, how: str, executions: int, seconds: float, seed: int) -> Result:
    """Feed a target until so many executions are done, the time is over, or enough has been found.

    Args:
        name: the target's.
        how: `guided`, which needs atheris, or `structured`.
        executions: how many are wanted.
        seconds: how long it may take at most.
        seed: what chance begins with.
    """
    result = Result(name, how)
    over = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix=f"dicomprinter-fuzz-{name}-") as place:
        folder = Path(place)
        arguments = _prepared(name, folder) if how == "guided" else []
        for run in range(_MOST_RUNS):
            left = executions - result.executions
            if left <= 0 or time.monotonic() >= over or len(result.findings) >= _ENOUGH:
                break
            _run(result, folder / f"book{run}", [*arguments, str(left), str(seed + run)], over)
    return result


def replay(name: str, files: list[Path]) -> str:
    """Feed inputs once each; what went wrong, empty when nothing did."""
    with tempfile.TemporaryDirectory(prefix=f"dicomprinter-fuzz-{name}-") as place:
        ended = _process(["replay", name, f"{place}/book", *map(str, files)], _REPLAY_SECONDS)
        how = f"it ended with {ended.code}" if ended.code is not None else f"no end after {_REPLAY_SECONDS:g} s"
        return "" if ended.code == 0 else ended.said or how


@dataclass(frozen=True)
class _Ended:
    """How a process ended: its code (None when its time was over), its last words."""

    code: int | None
    said: str


def _run(result: Result, file: Path, arguments: list[str], over: float) -> None:
    Book(file).close()
    ended = _process([result.how, result.name, str(file), *arguments], over - time.monotonic())
    book = Book(file)
    result.executions += book.executions
    result.slowest = max(result.slowest, book.seconds)
    result.memory = max(result.memory, book.kilobytes / 1024)
    if ended.code != 0:
        found = _kept(result.name, book.current, ended)
        # By the clock it took too long, or the time of all was over; whether the target hangs, a second try tells.
        is_by_clock = ended.code in (None, _TIMEOUT) or _TIMEOUT_WORDS in ended.said
        if is_by_clock and not replay(result.name, [found]):
            found.unlink()
            found.with_suffix(".txt").unlink()
        elif found not in result.findings:
            result.findings.append(found)
    book.close()


def _process(arguments: list[str], seconds: float) -> _Ended:
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-m", "fuzz.child", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            child.kill()

        watch = threading.Timer(max(seconds, 0), end)
        watch.start()
        child.wait()
        watch.cancel()
        output.seek(0, os.SEEK_END)
        output.seek(max(0, output.tell() - _LAST_WORDS))
        said = output.read().decode("utf-8", "replace").strip()
    code = None if is_over.is_set() else child.returncode
    return _Ended(code, said)


def _prepared(name: str, folder: Path) -> list[str]:
    """The corpus and the words for libFuzzer, as its arguments."""
    target = load(name)
    seeds = folder / "corpus"
    seeds.mkdir()
    inputs = [file.read_bytes() for file in (*corpus(name), *target.more()) if file.stat().st_size <= target.longest]
    for data in (*inputs, *target.seeds()):
        (seeds / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    # libFuzzer takes no dictionary without a word.
    lines = ("".join(f"\\x{byte:02x}" for byte in word) for word in target.words or (b"\0",))
    (folder / "words").write_text("".join(f'"{line}"\n' for line in lines), encoding="ascii")
    return [str(seeds), str(folder / "words")]


def _kept(name: str, data: bytes, ended: _Ended) -> Path:
    """The input in a file, with what was said beside it; the same fault gives the same file."""
    where = re.findall(r'File "([^"]+)", line (\d+)', ended.said)[-_FRAMES:]
    mark = hashlib.sha256(repr((ended.code, where or data)).encode()).hexdigest()[:12]
    file = FINDINGS / name / mark
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    repeat = f"python -m fuzz {name} --replay {file}"
    file.with_suffix(".txt").write_text(f"{repeat}\nended with {ended.code}\n\n{ended.said}\n", encoding="utf-8")
    return file
