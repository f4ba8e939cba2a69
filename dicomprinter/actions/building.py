"""Builds a Store's objects, each as a file of its own; memory does not grow with the number of pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom.uid import UID

from dicomprinter.actions.representation import Document, Forwarded, Frames
from dicomprinter.dicom.encapsulated_pdf import encapsulated_pdf
from dicomprinter.dicom.forwarded.forward import forward
from dicomprinter.dicom.frames import encode_bitstream, encode_page, together
from dicomprinter.dicom.objects import Identity
from dicomprinter.dicom.part10 import write
from dicomprinter.dicom.pieces import FileSlice
from dicomprinter.dicom.secondary_capture import secondary_capture

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.representation import Planned, Representation
    from dicomprinter.dicom.frames import Description, Frame
    from dicomprinter.dicom.pieces import Piece
    from dicomprinter.job.job import Job
    from dicomprinter.job.parts import PageRef

_OBJECT: Final = "object.dcm"
# Who changed a forwarded object (PS3.3 C.12.1.1.9).
_SYSTEM: Final = "dicomprinter"


@dataclass(frozen=True)
class Builder:
    """Makes the objects of one Store of one job.

    Args:
        job: whose objects these are.
        representation: how they are made.
        tools: opens pages.
        work: a folder for files being built.
    """

    job: Job
    representation: Representation
    tools: Tools
    work: Path

    def build(self, item: Planned, syntax: UID) -> tuple[Path, list[str]]:
        """Write an object in a transfer syntax; its file, and the notes for the history.

        Raises:
            PermanentError: a page cannot be decoded, or a value cannot be written.
            TransientError: the decoder cannot be started.
        """
        match item.source:
            case Document():
                return self._document(item, item.source, syntax)
            case Frames():
                return self._frames(item, item.source, syntax)
            case Forwarded():
                return self._forwarded(item, item.source, syntax)
            case page:
                frame = self._frame(page, syntax)
                file, notes = self._image(item, frame.description, [frame.data], syntax)
                return file, [*notes, *frame.notes]

    def _document(self, item: Planned, document: Document, syntax: UID) -> tuple[Path, list[str]]:
        path = self.job.path(document.file)
        with path.open("rb") as file:
            dataset, notes = encapsulated_pdf(
                item.attributes,
                FileSlice(file, 0, path.stat().st_size),
                self._identity(item),
                title=self.job.facts.name,
                transfer_syntax=syntax,
                character_set=self.representation.character_set,
            )
            return self._written(dataset), notes

    def _forwarded(self, item: Planned, source: Forwarded, syntax: UID) -> tuple[Path, list[str]]:
        path, target = self.job.path(source.file), self.work / _OBJECT
        notes = forward(
            path,
            target,
            transfer_syntax=syntax,
            changes=item.attributes,
            moment=self.job.moment(),
            source=_SYSTEM,
            frame=lambda index: self.tools.decoder.frame(path, index),
            sop_instance_uid=item.instance.sop_instance_uid,
            study_instance_uid=source.study_instance_uid,
            series_instance_uid=source.series_instance_uid,
            character_set=self.representation.character_set,
        )
        return target, notes

    def _frames(self, item: Planned, frames: Frames, syntax: UID) -> tuple[Path, list[str]]:
        """The frames wait in a file: what the object says of them is known only when all are there."""
        described: list[Description] = []
        pieces: list[Piece] = []
        notes: dict[str, None] = {}
        with (self.work / "frames").open("w+b") as file:
            for page in frames.pages:
                frame = self._frame(page, syntax)
                pieces.append(FileSlice(file, file.tell(), len(frame.data)))
                file.write(frame.data)
                described.append(frame.description)
                notes |= dict.fromkeys(frame.notes)
            written, more = self._image(item, together(described), pieces, syntax)
        return written, [*more, *notes]

    def _image(
        self, item: Planned, description: Description, frames: list[Piece], syntax: UID
    ) -> tuple[Path, list[str]]:
        dataset, notes = secondary_capture(
            item.attributes,
            description,
            frames,
            self._identity(item),
            sop_class=UID(item.instance.sop_class_uid),
            transfer_syntax=syntax,
            character_set=self.representation.character_set,
        )
        return self._written(dataset), notes

    def _frame(self, page: PageRef, syntax: UID) -> Frame:
        wished, path = self.representation, self.job.path(page.file)
        if wished.lossy_quality is not None:
            bitstream = self.tools.decoder.bitstream(path, wished.mode)
            if bitstream is not None:
                return encode_bitstream(bitstream, syntax)
        opened = self.tools.decoder.page(path, page.index, wished.mode, dpi=wished.dpi)
        return encode_page(opened, syntax, lossy_quality=wished.lossy_quality)

    def _written(self, dataset: Dataset) -> Path:
        file = self.work / _OBJECT
        write(dataset, file)
        return file

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
