"""What hypothesis draws for several targets: JSON that is nearly right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Final

from hypothesis import strategies as st

from dicomprinter.errors import DicomPrinterError

# What has gone wrong before, in some program: numbers without end, halves of characters, times before all times.
ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**400, 0.5, 1e308, float("nan"), float("inf")),
    *("", "x", "0", "\0", "\n", "\ud800", "\\", "é" * 70, "1" * 5000, "../x", "/etc/passwd", "C:\\x", "0010,0010"),
    *("9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00-23:59", "20260131", "2026-01-31T10:00:00"),
    *([], [None], ["x"], [[]], [1, 2], {}, {"x": None}, {"": []}, {"00100010": {"vr": "PN", "Value": [{}]}}, [{}]),
)
_VALUES: Final = st.sampled_from(ODD) | st.text(max_size=12) | st.integers()


def changed(examples: Sequence[Any]) -> st.SearchStrategy[Any]:
    """One of some JSON values with up to three of its parts replaced or left out."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        value = json.loads(json.dumps(draw(st.sampled_from(examples))))
        for _ in range(draw(st.integers(0, 3))):
            value = _with_a_change(draw, value)
        return value

    return drawn()


def _with_a_change(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict | list) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(list(value) if isinstance(value, dict) else list(range(len(value)))))
        if not draw(st.integers(0, 9)):
            del value[key]
        else:
            value[key] = _with_a_change(draw, value[key])
        return value
    # A copy: a later change is made in it.
    return deepcopy(draw(_VALUES))


def as_json(value: Any) -> bytes:
    """Encoded as programs do it."""
    return json.dumps(value).encode()


CANARY: Final = "Qzjxkv"
"""Stands for a patient's value: where it comes in, it must not stand in what a log may show."""


def check_public(error: DicomPrinterError) -> None:
    """What an error says to everyone holds nothing of a value."""
    assert CANARY not in str(error)
    assert error.what
