"""The C library's memory."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Let the system have what nobody uses any more.

    After a block of some megabytes glibc keeps as much for the next one (its threshold for the system's own memory
    moves up). That is better lent to the decoder's child, which is about to open a page.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # musl has none, and keeps less
            trim(0)
