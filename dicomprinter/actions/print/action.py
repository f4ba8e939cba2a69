"""Print: put the pages on film (PS3.4 Annex H)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Connected, common
from dicomprinter.actions.connection import CONNECTION_PARAMETERS, connection_dialect, read_peer
from dicomprinter.actions.print.classes import ANNOTATION_BOX, COLOUR_META, GRAYSCALE_META, PRESENTATION_LUT
from dicomprinter.actions.print.film import FILM_BOX, IMAGE_BOX, SESSION, FilmBox, FilmSession, ImageBox, merged
from dicomprinter.config.kinds import TEXT, Kind, choice
from dicomprinter.config.spec import Child, Spec, optional
from dicomprinter.dicom.syntaxes import ExplicitVRLittleEndian, ImplicitVRLittleEndian

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicomprinter.actions.base import Tools
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.job.job import Job

_RESOLUTION = re.compile(r"(\d{1,5})\s*[xX]\s*(\d{1,5})")
_SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
_NOT_IN_COLOUR = ("MinDensity", "MaxDensity", "ConfigurationInformation")


def _resolution(text: str) -> tuple[int, int] | None:
    """Pixels an inch, across and down; None leaves the pages as they are."""
    match = _RESOLUTION.fullmatch(text)
    across, down = (int(match[1]), int(match[2])) if match else (0, 1)
    if (across == 0) != (down == 0):
        raise ValueError(f'"{text}" is not a resolution; write it like 300x300, or 0x0 for none')
    return (across, down) if across else None


def _check(node: Node, report: Report) -> None:
    box = node.child("BasicImageBoxAttributes")
    if box is None or node.content("PrintMode") != "Color":
        return
    for child in box.children:
        if child.name in _NOT_IN_COLOUR:
            report.warn(child.position, f"<{child.name}> has no effect here", "an image box in Color has none")


@dataclass(frozen=True)
class Print(Connected):
    """Prints the pages; `mode` is Color, Grayscale8 or Grayscale12, `resolution` pixels an inch (across, down)."""

    spec = Spec(
        "Print",
        attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE),
        children=(
            Child(CONNECTION_PARAMETERS, least=1),
            optional("PrintMode", choice("Color", "Grayscale8", "Grayscale12"), "what the printer gets; Grayscale8"),
            optional("Resolution", Kind("a resolution, 300x300", _resolution), "the film's; 0x0: pages as they are"),
            Child(SESSION),
            Child(FILM_BOX),
            Child(IMAGE_BOX),
            optional("Debug", TEXT, ignored="the log says what was sent"),
        ),
        dialect=connection_dialect,
        checks=(_check,),
        doc="print the pages on film",
    )

    peer: Peer
    mode: str
    resolution: tuple[int, int] | None
    session: FilmSession
    film_box: FilmBox
    image_box: ImageBox

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        parameters = next(node.all("ConnectionParameters"))
        return cls(
            *common(node),
            peer=read_peer(parameters),
            mode=node.content("PrintMode", "Grayscale8"),
            resolution=node.content("Resolution"),
            session=merged(FilmSession(), node.child("BasicFilmSessionAttributes")),
            film_box=merged(FilmBox(), node.child("BasicFilmBoxAttributes")),
            image_box=merged(ImageBox(), node.child("BasicImageBoxAttributes")),
        )

    def overridden(self, changes: Node) -> Self:
        """This action with a part of an Update: one of the three elements; what it does not name stays."""
        match changes.name:
            case SESSION.name:
                return replace(self, session=merged(self.session, changes))
            case FILM_BOX.name:
                return replace(self, film_box=merged(self.film_box, changes))
            case IMAGE_BOX.name:
                return replace(self, image_box=merged(self.image_box, changes))
        return super().overridden(changes)

    @property
    def is_colour(self) -> bool:
        """Whether the printer gets colours."""
        return self.mode == "Color"

    @property
    def meta(self) -> str:
        """The Meta SOP class that is spoken."""
        return COLOUR_META if self.is_colour else GRAYSCALE_META

    def contexts(self) -> list[tuple[str, Sequence[str]]]:
        """The Meta SOP class, a Presentation LUT for grey, and annotation boxes where the file wants them."""
        found: list[tuple[str, Sequence[str]]] = [(self.meta, _SYNTAXES)]
        if not self.is_colour:
            found.append((PRESENTATION_LUT, _SYNTAXES))
        if self.film_box.annotation_display_format_id is not None:
            found.append((ANNOTATION_BOX, _SYNTAXES))
        return found

    def perform(self, job: Job, tools: Tools) -> None:
        """Print every page that the printer has not confirmed yet.

        Raises:
            TransientError: the printer is away, busy or reports FAILURE; the films that it confirmed stay confirmed.
            PermanentError: a page cannot be made, or the printer refuses for good.
        """
        from dicomprinter.actions.print.films import print_films

        print_films(self, job, tools)
