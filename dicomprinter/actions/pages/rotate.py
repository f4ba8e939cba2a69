"""Rotate: turn pages by a quarter, a half or three quarters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, common
from dicomprinter.actions.pages.page_action import PageAction
from dicomprinter.config.kinds import Kind, integer
from dicomprinter.config.spec import Spec, required

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.tree import Node
    from dicomprinter.imaging.edits.base import PageEdit
    from dicomprinter.job.job import Job


_DEGREES = integer(-(10**18))


def _angle(text: str) -> int:
    try:
        angle: int = _DEGREES.parse(text)
    except ValueError:
        angle = 1
    if angle % 90:
        raise ValueError(f'"{text}" is not a multiple of 90; write 90, 180, 270 or -90')
    return angle


@dataclass(frozen=True)
class Rotate(PageAction):
    """Turns each page clockwise by `angle`: 0, 90, 180 or 270 degrees."""

    spec = Spec(
        "Rotate",
        attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE),
        children=(
            required(
                "Angle", Kind("a multiple of 90", _angle, write=str), "degrees, clockwise; negatives the other way"
            ),
        ),
        doc="turn pages",
    )

    angle: int

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(*common(node), angle=node.content("Angle") % 360)

    def edit(self, job: Job, tools: Tools) -> PageEdit | None:
        """Turns by the angle; by nothing where that is 0."""
        from dicomprinter.imaging.edits import rotate

        return rotate.Rotate(self.angle) if self.angle else None
