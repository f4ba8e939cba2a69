"""A target that is told by the clock of a busy machine to have taken too long, and has not."""

from __future__ import annotations

import sys

from hypothesis import strategies as st

from fuzz.target import Target


def _run(_: bytes) -> None:
    if sys.argv[1] != "replay":
        sys.stderr.write(" === Timeout: 11s elapsed, timeout=10s ===\n")
        raise RuntimeError("an import that was broken off")


TARGET = Target(
    run=_run,
    seeds=lambda: [b"a"],
    inputs=lambda: st.binary(max_size=4),
    executions=10,
    structured=10,
    longest=8,
)
