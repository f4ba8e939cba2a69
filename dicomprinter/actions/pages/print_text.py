"""PrintText: write a text on every page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, common
from dicomprinter.actions.pages.page_action import PageAction
from dicomprinter.actions.pages.rectangle import RECTANGLE, SIDES, beyond, read_rectangle
from dicomprinter.config.kinds import COLOUR, NAME, NONEMPTY_TEMPLATE, PERCENT, Kind, choice
from dicomprinter.config.spec import Spec, optional, required

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.pages.rectangle import Rectangle
    from dicomprinter.config.kinds import Colour
    from dicomprinter.config.placeholders import Template
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.imaging.edits.base import PageEdit
    from dicomprinter.job.job import Job

Across = Literal["left", "centre", "right"]
Down = Literal["top", "centre", "bottom"]

_BLUE = (0, 0, 255, 255)
_TRANSPARENT = (0, 0, 0, 0)
_ACROSS: dict[str, Across] = {"Left": "left", "HCenter": "centre", "Right": "right"}
_DOWN: dict[str, Down] = {"Top": "top", "VCenter": "centre", "Bottom": "bottom"}
_FLAG = choice(*_ACROSS, *_DOWN, "Center")


@dataclass(frozen=True)
class Alignment:
    """Where the text stands in its rectangle: left, centre or right; top, centre or bottom."""

    across: Across = "centre"
    down: Down = "top"


def _alignment(text: str) -> Alignment:
    """One flag a direction at most; a direction without one is left, or top."""
    flags: list[str] = [_FLAG.parse(part.strip()) for part in text.split("|")]
    if "Center" in flags:
        flags = [flag for flag in flags if flag != "Center"] + ["HCenter", "VCenter"]
    across = [_ACROSS[flag] for flag in flags if flag in _ACROSS]
    down = [_DOWN[flag] for flag in flags if flag in _DOWN]
    if len(across) > 1 or len(down) > 1:
        raise ValueError(f'"{text}" says two things at once; name one of Left, HCenter, Right and one of Top, …')
    return Alignment(across[0] if across else "left", down[0] if down else "top")


def _check(side: tuple[str, str], node: Node, report: Report) -> None:
    reason = beyond(node, side)
    if reason:
        report.warn(node.position, f"<PrintText> reaches beyond the page: {reason}")


@dataclass(frozen=True)
class PrintText(PageAction):
    """Writes `text` on every page; the font's height is percent of the page's."""

    spec = Spec(
        "PrintText",
        attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE),
        children=(
            required("Text", NONEMPTY_TEMPLATE, "what is written"),
            *RECTANGLE,
            optional("Color", COLOUR, "RRGGBB or AARRGGBB; 0000FF"),
            optional("BackgroundColor", COLOUR, "RRGGBB or AARRGGBB; transparent"),
            optional("FontHeight", PERCENT, "in percent of the page's height; 2"),
            optional("FontFamily", NAME, "Courier New"),
            optional(
                "Alignment", Kind("flags joined by |", _alignment), "Left, HCenter, Right and Top, VCenter, Bottom"
            ),
        ),
        checks=tuple(partial(_check, side) for side in SIDES),
        doc="write a text on every page",
    )

    text: Template
    rectangle: Rectangle
    colour: Colour
    background: Colour
    font_height: float
    font_family: str
    alignment: Alignment

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            *common(node),
            text=node.content("Text"),
            rectangle=read_rectangle(node),
            colour=node.content("Color", _BLUE),
            background=node.content("BackgroundColor", _TRANSPARENT),
            font_height=node.content("FontHeight", 2.0),
            font_family=node.content("FontFamily", "Courier New"),
            alignment=node.content("Alignment", Alignment()),
        )

    def edit(self, job: Job, tools: Tools) -> PageEdit | None:
        """Writes the text with its placeholders filled in, in the fonts that this machine has."""
        from dicomprinter.actions.pages.lettering import text_edit

        return text_edit(self, job)
