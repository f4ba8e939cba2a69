"""The windows of PS3.3 C.11.2.1.2 and C.11.2.1.3, value by value in exact numbers: what tests hold the program to."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

Window = Callable[[Fraction], Fraction]


def linear(centre: float, width: float) -> Window:
    """C.11.2.1.2.1, onto 0 to 1."""
    c, w = Fraction(centre), Fraction(width)

    def of(x: Fraction) -> Fraction:
        if x <= c - Fraction(1, 2) - (w - 1) / 2:
            return Fraction(0)
        if x > c - Fraction(1, 2) + (w - 1) / 2:
            return Fraction(1)
        return (x - (c - Fraction(1, 2))) / (w - 1) + Fraction(1, 2)

    return of


def exact(centre: float, width: float) -> Window:
    """C.11.2.1.3.2, onto 0 to 1."""
    c, w = Fraction(centre), Fraction(width)

    def of(x: Fraction) -> Fraction:
        return min(Fraction(1), max(Fraction(0), (x - c) / w + Fraction(1, 2)))

    return of


def sigmoid(centre: float, width: float) -> Window:
    """C.11.2.1.3.1, onto 0 to 1."""
    return lambda x: Fraction(1 / (1 + math.exp(-4 * (float(x) - centre) / width)))


def shown(
    stored: np.ndarray[Any, Any],
    window: Window,
    bits: int,
    *,
    slope: float = 1,
    intercept: float = 0,
    is_inverted: bool = False,
) -> np.ndarray[Any, Any]:
    """What a film gets of stored values, rounded half up."""
    top = (1 << bits) - 1

    def one(value: int) -> int:
        level = math.floor(window(value * Fraction(slope) + Fraction(intercept)) * top + Fraction(1, 2))
        return top - level if is_inverted else level

    flat = [one(int(value)) for value in stored.ravel()]
    return np.array(flat, np.uint8 if bits == 8 else np.uint16).reshape(stored.shape)
