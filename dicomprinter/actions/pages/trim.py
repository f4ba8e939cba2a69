"""Trim: cut the edges of pages off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, common
from dicomprinter.actions.pages.page_action import PageAction
from dicomprinter.config.kinds import Kind, integer
from dicomprinter.config.spec import Spec, optional

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.imaging.edits.base import PageEdit
    from dicomprinter.job.job import Job

Edge = int | Literal["auto"]

_EDGES = ("Top", "Bottom", "Left", "Right")
_PIXELS = integer(0, 1_000_000, 'a number of pixels or "auto"')


def _edge(text: str) -> Edge:
    if text.lower() == "auto":
        return "auto"
    pixels: int = _PIXELS.parse(text)
    return pixels


def _check(node: Node, report: Report) -> None:
    if all(node.child(edge) is None for edge in _EDGES):
        report.warn(node.position, "<Trim> names no edge, so it changes nothing", "add <Top>auto</Top>, say")


EDGE = Kind("pixels, or auto", _edge, write=str)


@dataclass(frozen=True)
class Trim(PageAction):
    """Cuts pixels off each edge; `auto` cuts until a pixel differs from the top-left one."""

    spec = Spec(
        "Trim",
        attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE),
        children=(
            optional("Top", EDGE, "pixels or auto; 0"),
            optional("Bottom", EDGE, "pixels or auto; 0"),
            optional("Left", EDGE, "pixels or auto; 0"),
            optional("Right", EDGE, "pixels or auto; 0"),
        ),
        checks=(_check,),
        doc="cut the edges of pages off",
    )

    top: Edge
    bottom: Edge
    left: Edge
    right: Edge

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        top, bottom, left, right = (node.content(edge, 0) for edge in _EDGES)
        return cls(*common(node), top, bottom, left, right)

    def edit(self, job: Job, tools: Tools) -> PageEdit | None:
        """Cuts the edges off; nothing where none is named."""
        from dicomprinter.imaging.edits import trim

        if not any((self.top, self.bottom, self.left, self.right)):
            return None
        return trim.Trim(self.top, self.bottom, self.left, self.right)
