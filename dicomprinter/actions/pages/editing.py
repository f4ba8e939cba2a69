"""Performs page actions; imported when the first one is performed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from dicomprinter.actions.objects.ahead import Ahead
from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.pages.naming import digest, unused
from dicomprinter.imaging.edits.registry import edit_to_json
from dicomprinter.imaging.edits.steps import Step, Steps
from dicomprinter.imaging.pool import cores
from dicomprinter.job.parts import Edit, PageRef

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.imaging.decoder import Decoder
    from dicomprinter.imaging.edits.base import PageEdit
    from dicomprinter.job.job import Job


def change_pages(action: str, edit: PageEdit, job: Job, tools: Tools) -> None:
    """Do an edit to every page of a job; the job's payload is replaced when all of it is done.

    Raises:
        PermanentError: a page cannot be decoded or changed.
        TransientError: the decoder cannot be started.
    """
    said = edit_to_json(edit)
    payload = job.payload
    order = JobPages(job, tools.decoder).refs(documents=True)
    changed = _changed_images(action, said, order, job, tools)
    edits = [_of_document(name, said, order) for name in payload.documents]
    job.payload = replace(payload.with_pages(changed), edits=(*payload.edits, *edits))
    if changed:
        job.note(f"{action}: {len(changed)} of {len(order)} pages changed")
    if edits:
        job.note(f"{action}: pages of PDFs are changed when they are rendered")
    if payload.objects:
        number = len(payload.objects)
        what = "the DICOM file stays as it is" if number == 1 else f"{number} DICOM files stay as they are"
        job.note(f"{action}: {what}: page actions change pictures and PDF pages", level="WARN")


def _of_document(name: str, said: tuple[str, str], order: list[PageRef]) -> Edit:
    """What is said of a PDF: its pages keep the numbers that they have now, whatever pages are added later."""
    places = [place for place, page in enumerate(order) if page.file == name]
    after = tuple(index for index, (one, other) in enumerate(pairwise(places)) for _ in range(other - one - 1))
    return Edit(name, *said, places[0] + 1 if places else 1, after)


def _changed_images(
    action: str, said: tuple[str, str], order: list[PageRef], job: Job, tools: Tools
) -> dict[PageRef, PageRef]:
    """The page images that the edit changes, each with its new file; memory does not grow with their number."""
    images = [(number, page) for number, page in enumerate(order, start=1) if page.file not in job.payload.documents]
    if not images:
        return {}
    changed: dict[PageRef, PageRef] = {}
    told: dict[str, None] = {}
    with closing(tools.decoder.branch()) as decoder:
        editor = _Editor(*said, job, decoder)
        with Ahead(images, editor.change, cores(), decoder.close) as made:
            for _, page in images:
                new, notes = made.take()
                told |= dict.fromkeys(notes)
                if new is not None:
                    changed[page] = new
    for text in told:
        job.note(f"{action}: {text}", level="WARN")
    if changed:
        # Before job.json names them.
        job.folder.secure_payload()
    return changed


@dataclass(frozen=True)
class _Editor:
    """Changes page images; several threads may at once."""

    kind: str
    arguments: str
    job: Job
    decoder: Decoder

    def change(self, item: tuple[int, PageRef]) -> tuple[PageRef | None, list[str]]:
        """The page after the edit, None when that leaves it as it is, and what the history should tell."""
        number, page = item
        notes: list[str] = []
        steps = Steps(self.job.folder.path, (Step(self.kind, self.arguments, number),))
        with self.decoder.turn() as turn:
            data = self.decoder.edited(self.job.path(page.file), page.index, steps, note=notes.append, admit=turn.admit)
            if data is None:
                return None, notes
            return PageRef(self.job.folder.add_payload(self._file(page, number), data)), notes

    def _file(self, page: PageRef, number: int) -> str:
        """The same for the same change of the same page: a repetition replaces it, and UIDs stay."""
        stem = f"page-{digest(page.name, self.kind, self.arguments, number)}"
        return unused(self.job.payload, stem, ".png")
