"""AddInstance: put one more page into the job, a picture or a blank one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, common
from dicomprinter.config.kinds import COLOUR, NONEMPTY_TEMPLATE, SIDE, integer
from dicomprinter.config.spec import Spec, optional

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.kinds import Colour
    from dicomprinter.config.placeholders import Template
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.imaging.limits import Limits
    from dicomprinter.job.job import Job

_BLACK = (0, 0, 0, 255)
_BLANK = ("Width", "Height", "CanvasColor")


def _check(node: Node, report: Report) -> None:
    if node.child("ImagePath") is None:
        if node.child("Width") is None or node.child("Height") is None:
            report.error(
                node.position, "<AddInstance> needs an <ImagePath>, or a <Width> and a <Height>", "add what is missing"
            )
        return
    for name in _BLANK:
        child = node.child(name)
        if child is not None:
            report.warn(child.position, f"<{name}> has no effect beside <ImagePath>", "a picture has its own size")


@dataclass(frozen=True)
class AddInstance(Action):
    """Adds the picture at `image_path`, or a blank page of `size` (width, height in pixels), before page `index`."""

    spec = Spec(
        "AddInstance",
        attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE),
        children=(
            optional("ImagePath", NONEMPTY_TEMPLATE, "the picture"),
            optional("Width", SIDE, "pixels of a blank page"),
            optional("Height", SIDE, "pixels of a blank page"),
            optional("CanvasColor", COLOUR, "AARRGGBB of a blank page; opaque black"),
            optional("InsertionIndex", integer(-1), "which page it becomes, from 0; -1 is the end"),
        ),
        checks=(_check,),
        doc="add a page",
    )

    image_path: Template | None
    size: tuple[int, int] | None
    canvas_colour: Colour
    index: int

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        path = node.content("ImagePath")
        return cls(
            *common(node),
            image_path=path,
            size=(node.content("Width"), node.content("Height")) if path is None else None,
            canvas_colour=node.content("CanvasColor", _BLACK),
            index=node.content("InsertionIndex", -1),
        )

    def excess(self, limits: Limits) -> tuple[str, str] | None:
        """A blank page has its size."""
        return None if self.size is None else limits.excess(*self.size)

    def perform(self, job: Job, tools: Tools) -> None:
        """Add the picture's pages, or the blank one.

        Raises:
            PermanentError: the picture is not there or cannot be read, or the page would be too large.
            TransientError: the decoder cannot be started.
        """
        from dicomprinter.actions.pages.adding import add_instance

        add_instance(self, job, tools)
