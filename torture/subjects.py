"""The network actions that every fault is tried on: one more joins with a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Subject:
    """A network action.

    Args:
        kind: the name of its element.
        element: its element, from its name and its ConnectionParameters.
        sends: whether it is itself what brings the job to an archive; for any other a Store follows.
        finds: whether what it finds goes into the job.
        prints: whether it puts the pages on film.
        first: the request at which a fault of the exchange begins, from 1.
    """

    kind: str
    element: Callable[[str, str], str]
    sends: bool = False
    finds: bool = False
    prints: bool = False
    first: int = 1


def _store(name: str, connection: str) -> str:
    return f'<Store name="{name}">{connection}</Store>'


def _query(name: str, connection: str) -> str:
    keys = '<DcmTag tag="PatientID"/><DcmTag tag="StudyInstanceUID"/>'
    return f'<Query name="{name}" type="Study">{connection}{keys}</Query>'


def _print(name: str, connection: str) -> str:
    session = (
        "<BasicFilmSessionAttributes><FilmSessionLabel>#{PatientID}</FilmSessionLabel></BasicFilmSessionAttributes>"
    )
    return f'<Print name="{name}">{connection}{session}</Print>'


SUBJECTS: Final = (
    Subject("Store", _store, sends=True),
    Subject("Query", _query, finds=True),
    # The status, the session, the Presentation LUT and the film come before the first image.
    Subject("Print", _print, prints=True, first=5),
)
