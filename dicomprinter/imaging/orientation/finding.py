"""What is found of a page, and from what on it is turned: plain values, which no check has to load numpy for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gates:
    """From what on a page is turned; the shares run from 0 to 1.

    Args:
        axis: how sure one must be of lines across or down.
        direction: how sure of up or down, for a quarter turn.
        direction_180: how sure of up or down, for a half turn.
        lines_180: lines of text that a half turn needs.
        delta: how far the share of letters in lines across must be from that in lines down.
        margin_percent: how broad the margin is, of the shorter side.
        margin_weight: what a letter in it counts.
        longest: pixels of the longer side of the page that is looked at.
    """

    axis: float = 0.30
    direction: float = 0.35
    direction_180: float = 0.60
    lines_180: int = 6
    delta: float = 0.15
    margin_percent: float = 8.0
    margin_weight: float = 0.25
    longest: int = 1600


@dataclass(frozen=True)
class Finding:
    """What a page looks like.

    Args:
        clockwise: degrees by which its text would stand upright: 0, 90, 180 or 270.
        axis: how sure it is that lines run as `clockwise` says, 0 to 1.
        direction: how sure it is which end is up, 0 to 1.
        across: the share of letters in lines across, 0 to 1.
        down: the share of letters in lines down, 0 to 1.
        lines: how many lines.
    """

    clockwise: int
    axis: float
    direction: float
    across: float
    down: float
    lines: int

    def turn(self, gates: Gates) -> int:
        """The degrees, clockwise, by which the page is to be turned; 0 unless everything is sure enough."""
        if self.axis < gates.axis or abs(self.across - self.down) < gates.delta:
            return 0
        if self.clockwise == 180:
            return 180 if self.direction >= gates.direction_180 and self.lines >= gates.lines_180 else 0
        return self.clockwise if self.direction >= gates.direction else 0
