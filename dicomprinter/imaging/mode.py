"""The colour modes by name; `imaging.colour` makes them."""

from __future__ import annotations

from enum import Enum


class ColourMode(Enum):
    """What a Store's ColorMode asks for."""

    AS_IS = "as is"
    RGB = "RGB"
    MONOCHROME8 = "Monochrome8"
    MONOCHROME12 = "Monochrome12"
