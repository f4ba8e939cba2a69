"""Prints the films of a job (PS3.4 H.2 to H.4).

Each film is written down before the printer is told to print it, and with its answer: a repetition prints what the
printer has not confirmed.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.print.attributes import FilmAttributes, annotation_box, presentation_lut
from dicomprinter.actions.print.boxes import ImageBoxes, Order
from dicomprinter.actions.print.classes import (
    ANNOTATION_BOX,
    COLOUR_IMAGE_BOX,
    FILM_BOX,
    FILM_SESSION,
    GRAYSCALE_IMAGE_BOX,
    PRESENTATION_LUT,
)
from dicomprinter.actions.print.pages import FilmPages
from dicomprinter.actions.print.printer import Printer, StandIn
from dicomprinter.dicom.network.normalized import Response, is_instance
from dicomprinter.dicom.status import Kind
from dicomprinter.dicom.uids import derive_uid
from dicomprinter.errors import DicomPrinterError, PermanentError
from dicomprinter.job.parts import PageRef
from dicomprinter.job.printed import Film

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom import Dataset

    from dicomprinter.actions.base import OpenAssociation, Tools
    from dicomprinter.actions.print.action import Print
    from dicomprinter.job.job import Job


def print_films(action: Print, job: Job, tools: Tools) -> None:
    """Print every page that the printer has not confirmed yet.

    Raises:
        TransientError: the printer is away, busy or reports FAILURE; the films that it confirmed stay confirmed.
        PermanentError: a page cannot be made, or the printer refuses for good.
    """
    refs = _waiting(action, job, tools)
    if not refs:
        return
    # What is printed must find its job again, whatever happens meanwhile.
    tools.secure(job)
    failure: DicomPrinterError | None = None
    with (
        job.folder.work() as work,
        tools.network.open(action.peer, action.contexts(), action=action.name) as association,
        closing(tools.decoder.branch()) as decoder,
    ):
        if not association.accepted(action.meta):
            raise association.no_context("Basic Color Print" if action.is_colour else "Basic Grayscale Print")
        session = _Session.begun(action, job, association, moment=tools.clock().isoformat())
        try:
            session.run(refs, JobPages(job, decoder), work)
        except DicomPrinterError as error:
            # The printer is well: it gets its session deleted and the association released, as after a success.
            failure = error
            session.end()
    if failure is not None:
        raise failure


def _waiting(action: Print, job: Job, tools: Tools) -> list[PageRef]:
    """The pages that the printer has not confirmed."""
    pages = JobPages(job, tools.decoder)
    refs = pages.refs(documents=True) + _frames(action, job, tools)
    if not refs:
        why = "the job has neither a page, nor a PDF, nor a DICOM image"
        raise PermanentError(f"{action.name} has nothing to print", cause=why)
    ours = [
        film
        for film in job.folder.read_films()
        if (film.action, film.peer, film.updates) == (action.name, str(action.peer), job.flags.updates)
    ]
    printed = {page for film in ours if film.printed for page in film.pages}
    waiting = [page for page in refs if pages.name(page) not in printed]
    if len(waiting) < len(refs):
        job.note(f"{action.name}: {len(refs) - len(waiting)} of {len(refs)} pages were printed before")
    if ours and ours[-1].status is None and not printed.issuperset(ours[-1].pages):
        why = f"{action.peer} was told to print it, and its answer never came"
        job.note(f"{action.name}: a film of {len(ours[-1].pages)} pages may be printed twice: {why}", level="WARN")
    return waiting


def _frames(action: Print, job: Job, tools: Tools) -> list[PageRef]:
    """The frames of the job's DICOM files, which come behind its pages as they do in a Store."""
    found: list[PageRef] = []
    for name in job.payload.objects:
        images = tools.decoder.images(job.path(name))
        found += [PageRef(name, index) for index in range(images.frames)]
        if images.frames == 0:
            why = f"a DICOM file is not printed: {images.sop_class} has no pixels"
            job.note(f"{action.name}: {why}", level="WARN")
    return found


@dataclass
class _Session:
    """A film session on an association."""

    action: Print
    job: Job
    printer: Printer
    transfer_syntax: str
    moment: str
    uid: str | None = None
    lut: str | None = None
    has_annotations: bool = False
    mode: str = ""

    @classmethod
    def begun(cls, action: Print, job: Job, association: OpenAssociation, *, moment: str) -> _Session:
        """One that has asked nothing yet."""
        printer = Printer(association, action.peer, action.meta, job, action.name)
        return cls(
            action,
            job,
            printer,
            association.accepted(action.meta)[0],
            moment,
            has_annotations=bool(association.accepted(ANNOTATION_BOX)),
            mode=action.mode,
        )

    def run(self, refs: Sequence[PageRef], of_job: JobPages, work: Path) -> None:
        """Print these pages on as many films as they need."""
        attributes = FilmAttributes(self.action, self.job)
        pages = FilmPages(self.action, of_job)
        if self.action.resolution is not None and pages.image_size(refs[0], 1) is None:
            why = "FilmSizeId and ImageDisplayFormat do not say how large an image on the film is"
            self.printer.tell(f"pages are not scaled: {why}", level="WARN")
        self.printer.ask()
        wanted = attributes.session()
        self.uid = self.printer.create(FILM_SESSION, self._uid("film session"), wanted, "the film session").sop_instance
        self._create_lut()
        film = self._film(1, refs[0], attributes, pages)
        on_a_film = len(film.boxes)
        boxes = ImageBoxes(
            pages,
            attributes,
            work,
            transfer_syntax=self.transfer_syntax,
            refs=refs,
            on_a_film=on_a_film,
            mode=self.mode,
        )
        with boxes:
            number, done = 1, 0
            while True:
                on_it = refs[done : done + len(film.boxes)]
                for position, (box, page) in enumerate(zip(film.boxes, on_it, strict=False), start=1):
                    self._image(film, box, Order(page, position, on_it[0], self.mode), boxes)
                done += len(on_it)
                last = number + -(-(len(refs) - done) // on_a_film)
                self._print(film, [of_job.name(page) for page in on_it], f"film {number} of {last}")
                if done == len(refs):
                    break
                number += 1
                film = self._film(number, refs[done], attributes, pages)
        self.end()

    def end(self) -> None:
        """Delete the session, if there is one."""
        uid, self.uid = self.uid, None
        if uid is not None:
            self.printer.delete(FILM_SESSION, uid, "the film session")

    def _create_lut(self) -> None:
        if not self.printer.association.accepted(PRESENTATION_LUT):
            return
        try:
            made = self.printer.create(
                PRESENTATION_LUT,
                self._uid("presentation LUT"),
                presentation_lut(),
                "the Presentation LUT",
                context=PRESENTATION_LUT,
            )
        except PermanentError as error:
            if self.printer.is_lost:
                raise
            self.printer.tell(f"goes without a Presentation LUT: {error}", level="WARN", private=error.private)
        else:
            self.lut = made.sop_instance

    def _film(self, number: int, first: PageRef, attributes: FilmAttributes, pages: FilmPages) -> _Film:
        what = f"film {number}"
        wanted = attributes.film_box(
            self.uid or "", pages.orientation(first), lut=self.lut, annotated=self.has_annotations
        )
        response = self.printer.create(FILM_BOX, self._uid("film box", str(number)), wanted, what)
        boxes = _references(response.attributes, "ReferencedImageBoxSequence")
        if not boxes:
            raise PermanentError(
                f"{self.action.peer} has no place for an image on {what}",
                cause="its answer names no image box",
                remedy="choose another ImageDisplayFormat",
            )
        if "AnnotationDisplayFormatID" in wanted:
            self._annotate(_references(response.attributes, "ReferencedBasicAnnotationBoxSequence"), attributes.label())
        return _Film(what, response.sop_instance, boxes)

    def _annotate(self, boxes: Sequence[str], text: str) -> None:
        """Every annotation box gets the session's label; a film without it is better than none."""
        for position, box in enumerate(boxes, start=1):
            try:
                self.printer.set(
                    ANNOTATION_BOX, box, annotation_box(position, text), "an annotation", context=ANNOTATION_BOX
                )
            except PermanentError as error:
                if self.printer.is_lost:
                    raise
                self.printer.tell(f"goes without an annotation: {error}", level="WARN", private=error.private)

    def _image(self, film: _Film, box: str, order: Order, boxes: ImageBoxes) -> None:
        sop_class = COLOUR_IMAGE_BOX if self.action.is_colour else GRAYSCALE_IMAGE_BOX
        what = f"image {order.position} of {film.what}"
        file, notes = boxes.take(order)
        for note in dict.fromkeys(notes):
            self.printer.tell(f"{what}: {note}", level="WARN")
        try:
            self.printer.set(sop_class, box, file, what)
        except PermanentError as error:
            if self.printer.is_lost or self.mode != "Grayscale12":
                raise
            self.mode = "Grayscale8"
            narrow, _ = boxes.make(replace(order, mode=self.mode))
            self.printer.set(sop_class, box, narrow, what)
            self.printer.tell(f"falls back to 8 bits: {error}", level="WARN", private=error.private)
            narrow.unlink()
        file.unlink()

    def _print(self, film: _Film, pages: Sequence[str], what: str) -> None:
        noted = Film(
            self.action.name,
            str(self.action.peer),
            tuple(pages),
            self.job.flags.updates,
            None,
            printed=False,
        )
        self.job.folder.add_film(noted)

        def note(answer: Response) -> None:
            is_printed = answer.status.kind in (Kind.SUCCESS, Kind.WARNING)
            self.job.folder.add_film(replace(noted, status=answer.status.code, printed=is_printed))

        response = self.printer.action(FILM_BOX, film.uid, what, note)
        self._tell(response, what, len(pages), len(film.boxes))
        self.printer.delete(FILM_BOX, film.uid, film.what)

    def _tell(self, response: Response, what: str, pages: int, places: int) -> None:
        would = "would be " if isinstance(response, StandIn) else ""
        box = self.action.film_box
        size = f" of {box.film_size_id}" if box.film_size_id else ""
        self.job.note(
            f"{self.action.name}: {what}{size} {would}printed by {self.action.peer}: "
            f"{box.image_display_format.text}, {pages} of {places} images",
            deeper=2,
            status=f"{response.status.code:04X}",
            peer=str(self.action.peer),
        )

    def _uid(self, *what: str) -> str:
        """Of this session: a printer may still hold what an earlier one left there."""
        return derive_uid(self.job.id, *what, self.moment)


@dataclass(frozen=True)
class _Film:
    """A film that the printer has made room for: its UID and those of its images."""

    what: str
    uid: str
    boxes: tuple[str, ...]


def _references(attributes: Dataset, keyword: str) -> tuple[str, ...]:
    items = attributes.get(keyword) or ()
    found = (str(item.get("ReferencedSOPInstanceUID") or "") for item in items)
    return tuple(filter(is_instance, found))
