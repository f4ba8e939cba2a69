"""What a peer does as a printer of films: its answers, and its books of what it has printed (PS3.4 Annex H)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydicom import Dataset

if TYPE_CHECKING:
    from torture.audit import Paper

N_REPORT, N_GET, N_SET, N_ACTION, N_CREATE = 0x0100, 0x0110, 0x0120, 0x0130, 0x0140
_SESSION: Final = "1.2.840.10008.5.1.1.1"
_FILM: Final = "1.2.840.10008.5.1.1.2"
_IMAGE: Final = "1.2.840.10008.5.1.1.4"
WITH_DATA: Final = (N_GET, N_CREATE)
"""Requests whose answers bring a data set."""


@dataclass
class Film:
    """A film that was to be printed.

    Args:
        uid: of the film box.
        patient: the session's label, which is the Patient ID.
        pages: what tells its pages from others.
        confirmed: whether the other side has been told that it is printed.
    """

    uid: str
    patient: str
    pages: tuple[str, ...]
    confirmed: bool = False


@dataclass
class Printer:
    """One association with a printer: what it holds of the film that is to come."""

    label: str = ""
    images: list[str] = field(default_factory=list)
    films: list[Film] = field(default_factory=list)

    def take(self, field_: int, sop_class: str, data: Dataset, digest: str) -> None:
        """A request that came whole; `digest` is that of its image."""
        if field_ == N_CREATE and sop_class == _SESSION:
            self.label = str(data.get("FilmSessionLabel", ""))
        elif field_ == N_CREATE and sop_class == _FILM:
            self.images = []
        elif field_ == N_SET:
            self.images.append(digest)

    def film(self, uid: str) -> Film:
        """What an N-ACTION prints."""
        self.films.append(Film(uid, self.label, tuple(self.images)))
        return self.films[-1]


def answer_of(field_: int, sop_class: str, sop_instance: str) -> Dataset:
    """What a sound printer's answer brings."""
    found = Dataset()
    if field_ == N_GET:
        found.PrinterStatus, found.PrinterStatusInfo = "NORMAL", "NORMAL"
    elif sop_class == _FILM:
        box = Dataset()
        box.ReferencedSOPClassUID, box.ReferencedSOPInstanceUID = _IMAGE, f"{sop_instance[:60]}.1"
        found.ReferencedImageBoxSequence = [box]
    return found


def film_faults(papers: Sequence[Paper], films: Sequence[Film]) -> Iterator[str]:
    """Where what jobs have written down does not agree with what the printer has.

    The session's label is the job's name. A film whose answer was not written down yet may be printed again.
    """
    for paper in papers:
        there = [film for film in films if film.patient == paper.title]
        asked, confirmed = Counter[str](), Counter[str]()
        for line in paper.films:
            pages = line["pages"]
            if line["status"] is None:
                again = [page for page in pages if confirmed[page]]
                yield from (f"{paper.title}: {page} was confirmed, and printed again" for page in again)
                asked.update(pages)
            elif line["printed"]:
                confirmed.update(pages)
        printed = sum(len(film.pages) for film in there)
        if printed > asked.total():
            yield f"{paper.title}: {printed} pages were printed, and {asked.total()} written down before"
        if confirmed.total() > sum(len(film.pages) for film in there if film.confirmed):
            yield f"{paper.title}: {confirmed.total()} pages are told as printed, which is not true"
        is_done = paper.has_left and paper.title.startswith("film-")
        if is_done and len(confirmed) != len(paper.job["payloads"][0]["pages"]):
            yield f"{paper.title}: {len(confirmed)} of its pages were printed"
