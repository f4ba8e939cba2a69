"""Resize: give pages another size in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, common
from dicomprinter.actions.pages.page_action import PageAction
from dicomprinter.config.kinds import SIDE, choice
from dicomprinter.config.spec import Spec, optional, required

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.tree import Node
    from dicomprinter.imaging.edits.base import PageEdit
    from dicomprinter.imaging.limits import Limits
    from dicomprinter.job.job import Job


@dataclass(frozen=True)
class Resize(PageAction):
    """Scales each page into `width` × `height` pixels; without `keep_aspect` to exactly that."""

    spec = Spec(
        "Resize",
        attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE),
        children=(
            required("Width", SIDE, "pixels"),
            required("Height", SIDE, "pixels"),
            optional("Aspect", choice("keep", "ignore"), "keep: fit inside; ignore: stretch"),
        ),
        doc="scale pages",
    )

    width: int
    height: int
    keep_aspect: bool

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            *common(node),
            width=node.content("Width"),
            height=node.content("Height"),
            keep_aspect=node.content("Aspect", "keep") == "keep",
        )

    def excess(self, limits: Limits) -> tuple[str, str] | None:
        """A stretched page has its size; that of another follows from the page."""
        return None if self.keep_aspect else limits.excess(self.width, self.height)

    def edit(self, job: Job, tools: Tools) -> PageEdit | None:
        """Scales to the size."""
        from dicomprinter.imaging.edits import resize

        return resize.Resize(self.width, self.height, self.keep_aspect)
