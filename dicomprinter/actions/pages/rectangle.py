"""X, Y, Width and Height in percent of a page: where PrintText and PrintImage draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomprinter.config.kinds import PERCENT
from dicomprinter.config.spec import required

if TYPE_CHECKING:
    from dicomprinter.config.tree import Node


@dataclass(frozen=True)
class Rectangle:
    """Percent of the page's width and height, from its top left corner."""

    x: float
    y: float
    width: float
    height: float


RECTANGLE = (
    required("X", PERCENT, "the left edge, in percent of the page's width"),
    required("Y", PERCENT, "the top edge, in percent of the page's height"),
    required("Width", PERCENT, "in percent of the page's width"),
    required("Height", PERCENT, "in percent of the page's height"),
)


SIDES = (("X", "Width"), ("Y", "Height"))


def read_rectangle(node: Node) -> Rectangle:
    """The rectangle of a checked action."""
    return Rectangle(node.content("X"), node.content("Y"), node.content("Width"), node.content("Height"))


def beyond(node: Node, side: tuple[str, str]) -> str | None:
    """How the rectangle leaves the page on one of SIDES, or None."""
    start, length = side
    end: float = node.content(start) + node.content(length)
    return f"{start} and {length} are {end:g} percent together, a page has 100" if end > 100 else None
