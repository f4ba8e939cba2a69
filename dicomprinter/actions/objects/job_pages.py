"""The pages of a job, in one way for all who need them: the images of its payload, then its PDFs' rendered pages.

Who wants them asks for the frames of its DICOM files as well, which are opened in the same way.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.decoder import nowhere
from dicomprinter.imaging.edits.steps import Step, Steps
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.process import at_once
from dicomprinter.job.parts import PageRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dicomprinter.dicom.page import Form, Page
    from dicomprinter.imaging.decoder import Decoder
    from dicomprinter.imaging.process import Admit
    from dicomprinter.job.job import Job


@dataclass(frozen=True)
class JobPages:
    """The pages of one job: page images have been changed when an action changed them, PDF pages are when rendered.

    Args:
        job: whose pages these are.
        decoder: opens them.
    """

    job: Job
    decoder: Decoder

    def refs(self, *, documents: bool) -> list[PageRef]:
        """Every page in its order; `documents`: also the pages of the job's PDFs, each named by the PDF's file.

        A page image stands before these, or behind the one that its place in the payload names.

        Raises:
            PermanentError, TransientError: a PDF cannot be looked into.
        """
        payload = self.job.payload
        if not documents:
            return list(payload.pages)
        return self.in_order(page for name in payload.documents for page in self.of_document(name))

    def in_order(self, of_documents: Iterable[PageRef]) -> list[PageRef]:
        """Every page image with these pages of documents, as `refs` has them."""
        payload = self.job.payload
        places = {one.page: PageRef(one.document, one.after) for one in payload.places}
        # A page of a document that is gone, say, stands with the others.
        behind = {page: [page] for page in of_documents}
        first: list[PageRef] = []
        for page in payload.pages:
            behind.get(places.get(page.name, page), first).append(page)
        return first + [page for pages in behind.values() for page in pages]

    def of_document(self, document: str) -> list[PageRef]:
        """The pages of a PDF.

        Raises:
            PermanentError, TransientError: it cannot be looked into.
        """
        try:
            count = self.decoder.probe(self.job.path(document)).frames
        except InputError as error:
            raise PermanentError(error.what, cause=error.cause, remedy=error.remedy, private=error.private) from error
        return [PageRef(document, index) for index in range(count)]

    def edits(self, page: PageRef) -> Steps:
        """What page actions have said of a PDF's page; nothing of an image, which has been changed already."""
        edits = (edit for edit in self.job.payload.edits if edit.document == page.file)
        return Steps(
            self.job.folder.path, tuple(Step(edit.kind, edit.arguments, edit.number(page.index)) for edit in edits)
        )

    def name(self, page: PageRef) -> str:
        """The content of a page: the file, which page of it, and what is done to it when it is rendered."""
        steps = self.edits(page).steps
        if not steps:
            return page.name
        said = json.dumps([[step.kind, step.arguments, step.number] for step in steps])
        return f"{page.name}~{hashlib.sha256(said.encode()).hexdigest()[:16]}"

    def open(
        self,
        page: PageRef,
        mode: ColourMode = ColourMode.AS_IS,
        *,
        dpi: float = 300,
        note: Callable[[str], object] = nowhere,
        admit: Admit = at_once,
    ) -> Page:
        """The pixels of a page, edits and all, or of a frame of a DICOM file as it is to be seen.

        Arguments as `Decoder.page`; a frame has no size but in pixels, and takes no `dpi`.

        Raises:
            PermanentError, TransientError: as `Decoder.page`.
        """
        if page.file in self.job.payload.objects:
            return self.decoder.rendered(self.job.path(page.file), page.index, mode, note=note, admit=admit)
        return self.decoder.page(
            self.job.path(page.file), page.index, mode, dpi=dpi, edits=self.edits(page), note=note, admit=admit
        )

    def form(self, page: PageRef, mode: ColourMode = ColourMode.AS_IS, *, dpi: float = 300) -> Form:
        """What `open` will give.

        Raises:
            PermanentError, TransientError: as `Decoder.form`.
        """
        return self.decoder.form(self.job.path(page.file), page.index, mode, dpi=dpi, edits=self.edits(page))

    def size(self, page: PageRef, *, dpi: float = 300) -> tuple[int, int]:
        """Columns and rows of what `open` will give.

        Raises:
            PermanentError, TransientError: as `Decoder.form`.
        """
        is_frame = page.file in self.job.payload.objects
        found = self.decoder.images(self.job.path(page.file)) if is_frame else self.form(page, dpi=dpi)
        return found.columns, found.rows

    def tell_of_unchanged_documents(self, action: str) -> None:
        """For who takes PDFs as they are: warn where page actions have changed pages that nobody will see."""
        edited = {edit.document for edit in self.job.payload.edits}
        number = sum(name in edited for name in self.job.payload.documents)
        if number:
            what = "the PDF goes" if number == 1 else f"{number} PDFs go"
            self.job.note(
                f"{action}: {what} out unchanged: what was done to the pages shows where they go as images",
                level="WARN",
            )
