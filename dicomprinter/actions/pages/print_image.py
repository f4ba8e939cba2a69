"""PrintImage: lay a picture over pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, common
from dicomprinter.actions.pages.page_action import PageAction
from dicomprinter.actions.pages.rectangle import RECTANGLE, SIDES, beyond, read_rectangle
from dicomprinter.config.kinds import NONEMPTY_TEMPLATE, Kind, choice
from dicomprinter.config.spec import Attribute, Spec, optional, required

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.pages.rectangle import Rectangle
    from dicomprinter.config.placeholders import Template
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.imaging.edits.base import PageEdit
    from dicomprinter.job.job import Job

_RANGE = re.compile(r"([1-9]\d{0,8})(\s*-\s*([1-9]\d{0,8})?)?")
_ASPECT = choice(
    "keep",
    "ignore",
    "expand",
    also={"KeepAspectRatio": "keep", "IgnoreAspectRatio": "ignore", "KeepAspectRatioByExpanding": "expand"},
)


@dataclass(frozen=True)
class Pages:
    """Some pages of a job: ranges from 1, both ends included; an end of None is the last page."""

    ranges: tuple[tuple[int, int | None], ...]


FIRST = Pages(((1, 1),))


def _pages(text: str) -> Pages:
    if text.lower() == "all":
        return Pages(((1, None),))
    ranges: list[tuple[int, int | None]] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if not match or (match[3] and int(match[3]) < int(match[1])):
            raise ValueError(f'"{text}" is not a list of pages; write all, or like 1,3-5,8-')
        first = int(match[1])
        last = first if match[2] is None else int(match[3]) if match[3] else None
        ranges.append((first, last))
    return Pages(tuple(ranges))


def _check(side: tuple[str, str], node: Node, report: Report) -> None:
    reason = beyond(node, side)
    if reason:
        report.error(node.position, f"<PrintImage> reaches beyond the page: {reason}", "make it smaller")


@dataclass(frozen=True)
class PrintImage(PageAction):
    """Lays a picture over pages; `aspect` keep fits it in, ignore stretches it, expand fills and cuts it."""

    spec = Spec(
        "PrintImage",
        attributes=(
            NAME_ATTRIBUTE,
            ON_ERROR_ATTRIBUTE,
            Attribute("pages", Kind("all, or a list like 1,3-5", _pages), default=FIRST, doc="which pages; the first"),
        ),
        children=(
            required("ImagePath", NONEMPTY_TEMPLATE, "the picture; its alpha counts"),
            *RECTANGLE,
            optional("Aspect", _ASPECT, "keep: fit inside; ignore: stretch", old=("AspectRatioMode",)),
        ),
        checks=tuple(partial(_check, side) for side in SIDES),
        doc="lay a picture over pages",
    )

    image_path: Template
    rectangle: Rectangle
    aspect: Literal["keep", "ignore", "expand"]
    pages: Pages

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            *common(node),
            image_path=node.content("ImagePath"),
            rectangle=read_rectangle(node),
            aspect=node.content("Aspect", "keep"),
            pages=node["pages"],
        )

    def edit(self, job: Job, tools: Tools) -> PageEdit | None:
        """Lays the job's own copy of the picture over the pages."""
        from dicomprinter.actions.pages.fetching import fetch_picture
        from dicomprinter.imaging.edits import print_image

        place = self.rectangle
        return print_image.PrintImage(
            file=fetch_picture(self.name, self.image_path, job, tools),
            x=place.x,
            y=place.y,
            width=place.width,
            height=place.height,
            aspect=self.aspect,
            pages=self.pages.ranges,
        )
