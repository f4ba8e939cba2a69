"""Waiting for what nobody tells of."""

from __future__ import annotations

import time
from collections.abc import Callable

# How long a test waits for what has to come: it only bounds a hang. A machine with other things to do may take half a
# minute to start an interpreter.
PATIENCE = 120.0
_POLL = 0.02


def wait_until(condition: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
    """Ask again and again: another process tells nobody when it is ready."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(_POLL)
