"""Which way a page is to be turned so that most of its text is upright, and how sure that is.

**Axis.** Letters that stand beside each other on a line have their feet or their heads at one height; what happens to
lie beside each other across the lines has not. The page is read across and, turned, down; each gives the share of
letters that stand in lines.

**Direction.** Two kinds of votes, each from -1 (upside down) to 1 (upright):

- small marks: a dot is above its letter (i, j, ä, й), a full stop or comma at the foot of the one before. They hold for
  every alphabet of dots and stops, so they count in full.
- stems: in Latin letters, more stand out above the line (b, d, h, capitals) than below it (g, p, y). In Cyrillic it is
  the other way round, so stems count half and alone turn nothing by 180 degrees.

A page whose small marks lie on either side alike is not written in such an alphabet, and nothing is said of it.

What a confidence means: an axis of 0.30 is a page of which a quarter of the letters stand in lines across and none in
lines down, or somewhat fewer with a sure direction (formulas, tables); ordinary print has 0.8 and more. A direction of
0.35 are small marks of which two in three agree, when there are many and the stems say nothing; ordinary print has 0.9
and more.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dicomprinter.dicom.page import Pixels
from dicomprinter.imaging.orientation.finding import Finding, Gates
from dicomprinter.imaging.orientation.ink import ink, reduced
from dicomprinter.imaging.orientation.lines import Lines, Votes, read_across

_FEW_MARKS: Final = 3.0
_FEW_STEMS: Final = 10.0
"""Votes that a lean has to outweigh before it counts half."""


def analyse(grey: Pixels, gates: Gates) -> Finding:
    """Look at a page.

    Args:
        grey: (rows, columns), uint8, 0 is black.
        gates: how it is looked at; what follows from that says `Finding.turn`.
    """
    mask = ink(reduced(grey, gates.longest))
    margin = gates.margin_percent / 100 * min(mask.shape)
    across = read_across(mask, margin, gates.margin_weight)
    # Turned to the left: what then reads upright is to be turned by 270 degrees clockwise.
    down = read_across(np.ascontiguousarray(np.rot90(mask)), margin, gates.margin_weight)
    best, (upright, upside_down) = (across, (0, 180)) if across.score >= down.score else (down, (270, 90))
    direction = _direction(best)
    return Finding(
        clockwise=upright if direction >= 0 else upside_down,
        axis=_axis(abs(across.score - down.score), abs(direction)),
        direction=abs(direction),
        across=across.score,
        down=down.score,
        lines=best.count,
    )


def _axis(lead: float, direction: float) -> float:
    """0 to 1. A sure direction speaks for the axis as well: along a wrong one, small marks lie on either side alike."""
    from_direction = max(direction - 0.6, 0.0) * 0.6
    return min(max(2 * lead - 0.2, 0.0) + from_direction * (lead > 0), 1.0)


def _direction(lines: Lines) -> float:
    """-1 (surely upside down) to 1 (surely upright)."""
    small = lines.dots + lines.stops
    lean = _lean(small, _FEW_MARKS) + _lean(lines.stems, _FEW_STEMS) / 2
    return min(max(lean, -1.0), 1.0) * _trust(lines.dots)


def _lean(votes: Votes, few: float) -> float:
    return (votes.up - votes.down) / (votes.up + votes.down + few)


def _trust(dots: Votes) -> float:
    """1 while dots are on one side of the letters, 0 when they are on both alike; a few say nothing of that."""
    contrary = min(dots.up, dots.down) / (dots.up + dots.down + 20)
    return min(max((0.4 - contrary) / 0.2, 0.0), 1.0)
