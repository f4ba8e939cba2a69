"""Waiting for what nobody tells of."""

from __future__ import annotations

import time
from collections.abc import Callable

# A loaded machine takes long to start an interpreter; nothing ever waits so long when all is well.
PATIENCE = 30.0
_POLL = 0.02


def wait_until(condition: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
    """Ask again and again: another process tells nobody when it is ready."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(_POLL)
