"""What is fuzzed: one file in `fuzz/targets/` for each reader, found by its name."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from fuzz import targets

CORPUS: Final = Path(__file__).with_name("corpus")
_EDITS: Final = 8


@dataclass(frozen=True)
class Target:
    """A reader, and how it is fed.

    Args:
        run: gives it bytes. Whatever it raises is a finding: the errors that it promises are caught there.
        seeds: makes the inputs that the others start from, small ones; a script writes them to `fuzz/corpus/`.
        executions: how many the long form makes, guided by coverage.
        structured: how many of `inputs` the long form draws.
        inputs: for hypothesis, what looks right from outside; by itself seeds with a few edits.
        words: what a mutation may put in: names and numbers of the format.
        longest: bytes of an input.
        more: files of this machine that join the seeds where they are there.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    executions: int
    structured: int
    inputs: Callable[[], st.SearchStrategy[bytes]] | None = None
    words: tuple[bytes, ...] = ()
    longest: int = 4096
    more: Callable[[], Iterable[Path]] = tuple


def names() -> list[str]:
    """Every target, in the order of the alphabet."""
    return sorted(module.name for module in pkgutil.iter_modules(targets.__path__))


def load(name: str) -> Target:
    """The target of a name, or of a module elsewhere; imports what it fuzzes."""
    found: Target = import_module(name if "." in name else f"fuzz.targets.{name}").TARGET
    return found


def corpus(name: str) -> list[Path]:
    """A target's files in the repository: seeds, and what has once been a finding."""
    return sorted(file for file in (CORPUS / name).glob("*") if file.is_file())


def drawn(name: str, target: Target) -> st.SearchStrategy[bytes]:
    """What hypothesis draws: the target's own inputs, else its corpus with some edits."""
    if target.inputs is not None:
        return target.inputs()
    return edited([file.read_bytes() for file in corpus(name)] or [b""])


def edited(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """One of some inputs with bytes replaced, left out or put in at a few places, or cut off."""
    places = st.integers(0, max(map(len, seeds)))
    edits = st.tuples(places, st.integers(0, 8), st.binary(max_size=8))
    return st.builds(_edit, st.sampled_from(seeds), st.lists(edits, max_size=_EDITS), st.none() | places)


def _edit(seed: bytes, edits: list[tuple[int, int, bytes]], cut: int | None) -> bytes:
    data = bytearray(seed)
    for place, dropped, new in edits:
        data[place : place + dropped] = new
    return bytes(data[:cut])
