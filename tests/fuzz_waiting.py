"""A target that waits for what never comes, and uses no processor meanwhile: it has to be found all the same."""

from __future__ import annotations

import threading

from hypothesis import strategies as st

from fuzz.target import Target


def _run(_data: bytes) -> None:
    threading.Event().wait()


TARGET = Target(run=_run, seeds=lambda: [b"a"], inputs=lambda: st.binary(max_size=4), executions=10, structured=10)
