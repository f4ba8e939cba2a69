"""Builds a Store's objects, each as a file of its own; memory does not grow with the number of pages."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydicom.uid import UID

from dicomprinter.actions.objects.ahead import Ahead
from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.objects.representation import Document, Forwarded, Frames
from dicomprinter.dicom.encapsulated_pdf import encapsulated_pdf
from dicomprinter.dicom.forwarded.forward import forward
from dicomprinter.dicom.frames import encode_bitstream, encode_page, together
from dicomprinter.dicom.objects import Identity
from dicomprinter.dicom.part10 import write
from dicomprinter.dicom.pieces import FileSlice
from dicomprinter.dicom.secondary_capture import secondary_capture
from dicomprinter.imaging.pool import cores

if TYPE_CHECKING:
    from pydicom import Dataset

    from dicomprinter.actions.objects.representation import Planned, Representation
    from dicomprinter.dicom.frames import Description, Frame
    from dicomprinter.dicom.pieces import Piece
    from dicomprinter.imaging.decoder import Decoder
    from dicomprinter.imaging.room import Turn
    from dicomprinter.job.job import Job
    from dicomprinter.job.parts import PageRef

Built = tuple[Path, list[str]]
"""An object's file, and the notes for the history."""
# Who changed a forwarded object (PS3.3 C.12.1.1.9).
_SYSTEM: Final = "dicomprinter"


@dataclass(frozen=True)
class Order:
    """An object to be built: the number that its files have, what it is, and the transfer syntax."""

    number: int
    item: Planned
    syntax: UID


@dataclass(frozen=True)
class Builder:
    """Makes the objects of one Store of one job; several threads may build at once.

    Args:
        job: whose objects these are.
        representation: how they are made.
        decoder: opens pages.
        work: a folder for files being built.
    """

    job: Job
    representation: Representation
    decoder: Decoder
    work: Path

    def build(self, order: Order) -> Built:
        """Write an object.

        Raises:
            PermanentError: a page cannot be decoded, or a value cannot be written.
            TransientError: the decoder cannot be started.
        """
        match order.item.source:
            case Document() as document:
                return self._document(order, document)
            case Frames() as frames:
                return self._frames(order, frames)
            case Forwarded() as forwarded:
                return self._forwarded(order, forwarded)
            case page:
                with self.decoder.turn() as turn:
                    frame = self._frame(page, order.syntax, self.decoder, turn)
                    file, notes = self._image(order, frame.description, [frame.data])
                    return file, [*notes, *frame.notes]

    def _document(self, order: Order, document: Document) -> Built:
        path = self.job.path(document.file)
        with path.open("rb") as file:
            dataset, notes = encapsulated_pdf(
                order.item.attributes,
                FileSlice(file, 0, path.stat().st_size),
                self._identity(order.item),
                title=self.job.facts.name,
                transfer_syntax=order.syntax,
                character_set=self.representation.character_set,
            )
            return self._written(order, dataset), notes

    def _forwarded(self, order: Order, source: Forwarded) -> Built:
        path, target, item = self.job.path(source.file), self._target(order), order.item
        with self.decoder.turn() as turn:
            notes = forward(
                path,
                target,
                transfer_syntax=order.syntax,
                changes=item.attributes,
                moment=self.job.moment(),
                source=_SYSTEM,
                frame=lambda index: self.decoder.frame(path, index, admit=turn.admit),
                sop_instance_uid=item.instance.sop_instance_uid,
                study_instance_uid=source.study_instance_uid,
                series_instance_uid=source.series_instance_uid,
                character_set=self.representation.character_set,
            )
        return target, notes

    def _frames(self, order: Order, frames: Frames) -> Built:
        """The frames wait in a file: what the object says of them is known only when all are there."""
        described: list[Description] = []
        pieces: list[Piece] = []
        notes: dict[str, None] = {}
        waiting = self._target(order).with_suffix(".frames")
        with (
            waiting.open("w+b") as file,
            # Its own: when one page fails, those of other objects are still wanted.
            closing(self.decoder.branch()) as decoder,
        ):
            lock = threading.Lock()

            def kept(page: PageRef) -> tuple[FileSlice, Description, tuple[str, ...]]:
                """One frame, written where the file ends by now; they need not lie in their order."""
                with decoder.turn() as turn:
                    frame = self._frame(page, order.syntax, decoder, turn)
                    with lock:
                        piece = FileSlice(file, file.tell(), len(frame.data))
                        file.write(frame.data)
                    return piece, frame.description, frame.notes

            with Ahead(frames.pages, kept, cores(), decoder.close) as made:
                for _ in frames.pages:
                    piece, description, more = made.take()
                    pieces.append(piece)
                    described.append(description)
                    notes |= dict.fromkeys(more)
            written, told = self._image(order, together(described), pieces)
        waiting.unlink()
        return written, [*told, *notes]

    def _image(self, order: Order, description: Description, frames: list[Piece]) -> Built:
        dataset, notes = secondary_capture(
            order.item.attributes,
            description,
            frames,
            self._identity(order.item),
            sop_class=UID(order.item.instance.sop_class_uid),
            transfer_syntax=order.syntax,
            character_set=self.representation.character_set,
        )
        return self._written(order, dataset), notes

    def _frame(self, page: PageRef, syntax: UID, decoder: Decoder, turn: Turn) -> Frame:
        wished = self.representation
        if wished.lossy_quality is not None:
            # None of a PDF: one whose pages are changed is no exception.
            bitstream = decoder.bitstream(self.job.path(page.file), wished.mode, admit=turn.admit)
            if bitstream is not None:
                return encode_bitstream(bitstream, syntax)
        notes: list[str] = []
        opened = JobPages(self.job, decoder).open(
            page, wished.mode, dpi=wished.dpi, note=notes.append, admit=turn.admit
        )
        frame = encode_page(opened, syntax, lossy_quality=wished.lossy_quality)
        return replace(frame, notes=(*notes, *frame.notes))

    def _written(self, order: Order, dataset: Dataset) -> Path:
        file = self._target(order)
        write(dataset, file)
        return file

    def _target(self, order: Order) -> Path:
        return self.work / f"{order.number}.dcm"

    def _identity(self, item: Planned) -> Identity:
        instance = item.instance
        return Identity(
            self.job.study_instance_uid,
            instance.series_instance_uid,
            instance.sop_instance_uid,
            instance.series_number,
            instance.instance_number,
            self.job.moment(),
        )
