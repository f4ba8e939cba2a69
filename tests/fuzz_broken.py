"""A target that chokes: what fuzzes has to find it, keep the input, and go on."""

from __future__ import annotations

from hypothesis import strategies as st

from fuzz.target import Target


def _run(data: bytes) -> None:
    if data[:1] == b"!":
        raise ValueError("it chokes")


TARGET = Target(
    run=_run,
    seeds=lambda: [b"a"],
    inputs=lambda: st.binary(max_size=4) | st.just(b"!"),
    executions=1000,
    structured=100,
    longest=8,
)
