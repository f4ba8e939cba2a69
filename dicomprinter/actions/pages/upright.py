"""Performs AutoRotateText; imported when the first one is performed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dicomprinter.actions.objects.ahead import Ahead
from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.pages.naming import digest, unused
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.edits.registry import edit_to_json
from dicomprinter.imaging.edits.rotate import Rotate
from dicomprinter.imaging.edits.steps import Step, Steps
from dicomprinter.imaging.orientation.hints import MOST_BYTES, Hint, Hints, read_hints
from dicomprinter.imaging.pool import cores
from dicomprinter.job.parts import PageRef
from dicomprinter.job.record import DAMAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.pages.auto_rotate_text import AutoRotateText
    from dicomprinter.imaging.decoder import Decoder
    from dicomprinter.imaging.orientation.finding import Finding, Gates
    from dicomprinter.job.job import Job


def turn_pages(action: AutoRotateText, job: Job, tools: Tools) -> None:
    """Turn the pages of a job; its payload is replaced when all of it is done.

    Raises:
        PermanentError: what cannot be read or turned, where that fails the action.
        TransientError: the decoder cannot be started.
    """
    with closing(tools.decoder.branch()) as decoder:
        _Turner(action, job, decoder, action.gates(), _Hints.of(action, job)).turn()


_Numbered = tuple[int, PageRef]
"""A page and its number in the job, from 1."""


class _Decided(NamedTuple):
    """What becomes of a page: degrees clockwise, and why; `unreadable` says that it could not be looked at."""

    turn: int
    why: str
    unreadable: PermanentError | None = None


@dataclass(frozen=True)
class _Hints:
    """The job's hints, and the names with which its files came."""

    hints: Hints
    names: dict[str, str]

    @classmethod
    def of(cls, action: AutoRotateText, job: Job) -> _Hints:
        nothing = cls(Hints({}), {})
        data = job.folder.read_hints(MOST_BYTES) if action.use_hints else None
        if data is None:
            return nothing
        try:
            hints = read_hints(data)
            names = {entry["to"]: Path(entry["from"]).name for entry in job.folder.arrival()["files"]}
        except InputError as error:
            job.note(f"{action.name}: {error}", level="WARN")
            return nothing
        except (OSError, *DAMAGE):
            # After damage nobody knows any more which file had which name.
            job.note(f"{action.name}: what the hints are about is damaged; they are left out", level="WARN")
            return nothing
        return cls(hints, names)

    def hint(self, page: PageRef) -> Hint | None:
        name = self.names.get(page.file)
        return self.hints.of(name, page.index) if name is not None else None


@dataclass(frozen=True)
class _Turner:
    """Turns the pages of one job; several threads look at pages at once."""

    action: AutoRotateText
    job: Job
    decoder: Decoder
    gates: Gates
    hints: _Hints

    def turn(self) -> None:
        """Turn page images, then PDFs; DICOM files stay."""
        payload = self.job.payload
        every = JobPages(self.job, self.decoder)
        of_documents: dict[str, list[PageRef]] = {}
        for document in payload.documents:
            try:
                of_documents[document] = every.of_document(document)
            except PermanentError as error:
                self._unsupported(error)
        order = every.in_order(page for pages in of_documents.values() for page in pages)
        numbers = {page: number for number, page in enumerate(order, start=1)}
        changed = self._images([(numbers[page], page) for page in payload.pages])
        documents: dict[str, str] = {}
        for document, pages in of_documents.items():
            new = self._document(document, [(numbers[page], page) for page in pages])
            if new is not None:
                documents[document] = new
        if changed or documents:
            # Before job.json names them.
            self.job.folder.secure_payload()
        payload = payload.with_pages(changed)
        for old, new in documents.items():
            payload = payload.with_document(old, new)
        if payload.objects:
            count = len(payload.objects)
            what = "the DICOM file stays as it is" if count == 1 else f"{count} DICOM files stay as they are"
            self._unsupported(
                PermanentError(what, cause="only pictures and PDFs are turned", remedy="turn it where it was made")
            )
        self.job.payload = payload

    def _images(self, pages: Sequence[_Numbered]) -> dict[PageRef, PageRef]:
        changed: dict[PageRef, PageRef] = {}
        with Ahead(pages, self._image, cores(), self.decoder.close) as made:
            for number, page in pages:
                decided, new = made.take()
                self._tell(number, decided)
                if new is not None:
                    changed[page] = new
        return changed

    def _image(self, item: _Numbered) -> tuple[_Decided, PageRef | None]:
        number, page = item
        decided = self._decide(item)
        if not decided.turn:
            return decided, None
        kind, arguments = edit_to_json(Rotate(decided.turn))
        steps = Steps(self.job.folder.path, (Step(kind, arguments, number),))
        with self.decoder.turn() as turn:
            try:
                data = self.decoder.edited(self.job.path(page.file), page.index, steps, admit=turn.admit)
            except PermanentError as error:
                return _Decided(0, "", error), None
            if data is None:
                return decided, None
            name = unused(self.job.payload, f"page-{digest(page.name, arguments)}", ".png")
            return decided, PageRef(self.job.folder.add_payload(name, data))

    def _document(self, document: str, pages: Sequence[_Numbered]) -> str | None:
        """The PDF's new file, None when it stays."""
        if any(edit.document == document for edit in self.job.payload.edits):
            # What it said of left and top would be said of other sides.
            remedy = f'perform "{self.action.name}" before it'
            self._unsupported(
                PermanentError("the PDF stays as it is", cause="an earlier action has changed its pages", remedy=remedy)
            )
            return None
        turns: dict[int, int] = {}
        with Ahead(pages, self._decide, cores(), self.decoder.close) as made:
            for number, page in pages:
                decided = made.take()
                self._tell(number, decided)
                if decided.turn:
                    turns[page.index] = decided.turn
        if not turns:
            return None
        try:
            data, is_signed = self.decoder.turned(self.job.path(document), turns)
        except PermanentError as error:
            self._unsupported(error)
            return None
        if is_signed:
            what = "the PDF is signed: what was signed is still in it, but readers say that it was changed since"
            self.job.note(f"{self.action.name}: {what}", level="WARN")
        return self.job.folder.add_payload(f"upright-{digest(document, sorted(turns.items()))}.pdf", data)

    def _decide(self, item: _Numbered) -> _Decided:
        _, page = item
        hint = self.hints.hint(page)
        if hint is not None and hint.confidence >= self.action.trust_hint_confidence:
            return _Decided(hint.clockwise, f"by a hint of {hint.confidence:.2f}")
        try:
            with self.decoder.turn():
                finding = self.decoder.look(self.job.path(page.file), page.index, self.gates)
        except PermanentError as error:
            return _Decided(0, "", error)
        if hint is not None:
            finding = hint.beside(finding)
        turn = finding.turn(self.gates)
        with_hint = f", with a hint of {hint.clockwise} degrees ({hint.confidence:.2f})" if hint is not None else ""
        return _Decided(turn, _told(finding, turn) + with_hint)

    def _tell(self, number: int, decided: _Decided) -> None:
        if decided.unreadable is not None:
            self._unsupported(decided.unreadable, f"page {number} stays as it is: ")
            return
        what = f"is turned by {decided.turn} degrees clockwise" if decided.turn else "stays as it is"
        self.job.note(f"{self.action.name}: page {number} {what}: {decided.why}")

    def _unsupported(self, error: PermanentError, what: str = "") -> None:
        if self.action.fail_on_unsupported:
            raise error
        self.job.note(f"{self.action.name}: {what}{error}", level="WARN", private=error.private)


def _told(finding: Finding, turn: int) -> str:
    if not finding.lines:
        return "no lines of text"
    sure = f"axis {finding.axis:.2f}, direction {finding.direction:.2f}, {finding.lines} lines"
    return sure if turn == finding.clockwise else f"it may want {finding.clockwise} degrees, not surely: {sure}"
