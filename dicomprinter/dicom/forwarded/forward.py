"""A forwarded object on its way out: its own elements, with a job's changes, in the syntax that the archive takes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, cast

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from dicomprinter.dicom.character_sets import is_known
from dicomprinter.dicom.forwarded.context import SPECIFIC_CHARACTER_SET, Context
from dicomprinter.dicom.forwarded.frames import swap_unit
from dicomprinter.dicom.forwarded.opening import DEFLATED, Source, usable
from dicomprinter.dicom.forwarded.original import PIXEL_DATA, Original, context_of, is_uid, original_of
from dicomprinter.dicom.forwarded.original_attributes import Earlier
from dicomprinter.dicom.forwarded.pixels import OFFSETS, FrameOf, Transcoding
from dicomprinter.dicom.forwarded.plan import IDENTITY, ORIGINAL_ATTRIBUTES, REQUEST_ATTRIBUTES, Plan, planned
from dicomprinter.dicom.forwarded.rewriting import Rewriter, has_fragments_inside, holds_fragments
from dicomprinter.dicom.forwarded.structure import Element
from dicomprinter.dicom.forwarded.syntaxes import UNCOMPRESSED, syntaxes
from dicomprinter.dicom.forwarded.terms import new_terms
from dicomprinter.dicom.forwarded.writing import Output
from dicomprinter.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicomprinter.errors import PermanentError

_ICON_IMAGES: Final = 0x00880200
_SIGNATURES: Final = 0xFFFAFFFA
# What writes each element, by its tag.
_Parts = dict[int, Callable[[], None]]


def forward(
    path: Path,
    target: Path,
    *,
    transfer_syntax: str,
    changes: Dataset,
    moment: datetime,
    source: str,
    frame: FrameOf,
    sop_instance_uid: str | None = None,
    study_instance_uid: str | None = None,
    series_instance_uid: str | None = None,
    character_set: str | None = None,
) -> list[str]:
    """Write an object as a DICOM file in a transfer syntax (PS3.10 7.1), with a job's changes.

    In its own syntax and without changes, the data set keeps its bytes. Large values are copied block by block, and
    frames are decoded one at a time.

    Args:
        path: the object's file.
        target: the file to write; it is gone when this fails.
        transfer_syntax: one of `syntaxes`.
        changes: of the job (`changed`); earlier values are kept in OriginalAttributesSequence. A Study Instance UID
            goes into RequestAttributesSequence, other UIDs of the instance nowhere.
        moment: when the object is changed.
        source: the system that changes it, for Modifying System.
        frame: decodes a compressed frame, counted from 0; asked only when frames are to be decoded.
        sop_instance_uid: None keeps the object's own; so do the next two.
        study_instance_uid: see above.
        series_instance_uid: see above.
        character_set: the wished one; None keeps the object's own when that holds the changes, else takes the
            narrowest that holds all.

    Returns:
        What the job's history should say.

    Raises:
        PermanentError: a value cannot be written (names the tag), or the object cannot go in this syntax.
        OSError: a file cannot be read or written.
    """
    given = (sop_instance_uid, study_instance_uid, series_instance_uid)
    identity = {tag: uid for tag, uid in zip(IDENTITY, given, strict=True) if uid is not None}
    with usable(path) as opened:
        original = original_of(opened)
        if transfer_syntax not in syntaxes(original):
            raise PermanentError(
                f"the object cannot be written in {UID(transfer_syntax).name}",
                cause=f"it came in {original.transfer_syntax_uid.name}",
                remedy="let the archive accept the object's own transfer syntax",
            )
        instance = identity.get(IDENTITY[0], original.sop_instance_uid)
        if not is_uid(instance):
            raise PermanentError(
                "the object cannot be written without a valid SOP Instance UID (0008,0018)",
                remedy="export the file again",
            )
        context = context_of(opened)
        plan = planned(opened, context, changes, identity)
        terms = new_terms(opened, context, plan, source, character_set)
        going = _Going(opened, original, context, UID(transfer_syntax), plan, terms, frame, source, moment)
        try:
            with target.open("wb") as file:
                _write_meta(file, original, instance, transfer_syntax)
                return going.write(file)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


@dataclass(frozen=True)
class _Going:
    """One object on its way; `terms` is None when the texts stay as they are."""

    source: Source
    original: Original
    context: Context
    target: UID
    plan: Plan
    terms: tuple[str, ...] | None
    frame: FrameOf
    system: str
    moment: datetime

    @property
    def _keeps_syntax(self) -> bool:
        return self.target == self.original.transfer_syntax_uid

    def write(self, file: BinaryIO) -> list[str]:
        is_unchanged = not self.plan.new and self.plan.request is None and self.terms is None
        if is_unchanged and self._keeps_syntax:
            reader, span = self.source.stored
            for block in reader.blocks(span.start, span.stop):
                file.write(block)
            return list(self.plan.notes)
        if self.target not in DEFLATED:
            return self._write_elements(file)
        deflating = _Deflating(file)
        notes = self._write_elements(cast(BinaryIO, deflating))
        deflating.finish()
        return notes

    def _write_elements(self, file: BinaryIO) -> list[str]:
        notes = list(self.plan.notes)
        # Where the object names a set that there is not, what is new is ASCII.
        own = self.context.terms if is_known("\\".join(self.context.terms)) else ("",)
        implicit = self.context.coding.implicit if self._keeps_syntax else self.target.is_implicit_VR
        out = Output(file, implicit, self.terms or own)
        rewriter = Rewriter(
            self.source.reader, out, new_texts=self.terms is not None, keeps_fragments=self._keeps_syntax
        )
        # Group lengths would be wrong now, and are retired (PS3.5 7.2).
        kept = [element for element in self.source.elements if element.tag & 0xFFFF]
        parts: _Parts = {element.tag: partial(rewriter.write, element, self.context) for element in kept}
        parts |= {int(element.tag): partial(out.element, element) for element in self.plan.new}
        if self.plan.request is not None:
            parts[REQUEST_ATTRIBUTES] = partial(self._write_requests, self.plan.request, out, rewriter)
        if self.plan.coerced or self.plan.corrected:
            parts[ORIGINAL_ATTRIBUTES] = partial(self._write_earlier, out, rewriter)
        if _SIGNATURES in parts:
            notes.append("the object's digital signatures were made for what it was before")
        self._declare_texts(parts, out, notes)
        self._drop_fragments(parts, notes)
        self._redo_pixels(parts, out, rewriter, notes)
        for _, write in sorted(parts.items(), key=lambda part: part[0]):
            write()
        return notes

    def _write_requests(self, request: Dataset, out: Output, rewriter: Rewriter) -> None:
        self._write_own_items(REQUEST_ATTRIBUTES, out, rewriter)
        out.begin_item()
        for element in request:
            out.element(element)
        out.end_item()
        out.end_sequence()

    def _write_earlier(self, out: Output, rewriter: Rewriter) -> None:
        self._write_own_items(ORIGINAL_ATTRIBUTES, out, rewriter)
        for tags, reason in ((self.plan.coerced, "COERCE"), (self.plan.corrected, "CORRECT")):
            if tags:
                earlier = Earlier(tags, reason, self.system, self.moment)
                earlier.write(self.source, self.context, self.plan.new, out, rewriter)
        out.end_sequence()

    def _write_own_items(self, tag: int, out: Output, rewriter: Rewriter) -> None:
        out.begin_sequence(tag)
        own = self.source.find(tag)
        if own is not None:
            rewriter.write_items(own, self.context)

    def _declare_texts(self, parts: _Parts, out: Output, notes: list[str]) -> None:
        if self.terms is None:
            return
        parts.pop(SPECIFIC_CHARACTER_SET, None)
        if any(self.terms):
            value = "\\".join(self.terms).encode()
            parts[SPECIFIC_CHARACTER_SET] = partial(out.value, SPECIFIC_CHARACTER_SET, "CS", value)
        notes.append(f"the texts were written in {' and '.join(filter(None, self.terms)) or 'ASCII'}")
        if any(element.length and self.context.vr(element) == "UN" for element in self.source.elements):
            notes.append("elements of unknown kind (UN) kept their bytes: texts in them are not in that character set")

    def _drop_fragments(self, parts: _Parts, notes: list[str]) -> None:
        """Native objects have no compressed icons (PS3.5 A.4); those are there for convenience only."""
        if self._keeps_syntax or self.original.transfer_syntax_uid in UNCOMPRESSED:
            return
        for element in self.source.elements:
            if not has_fragments_inside(self.source.reader, element, self.context.coding):
                continue
            if element.tag != _ICON_IMAGES:
                raise holds_fragments(element.tag)
            del parts[element.tag]
            notes.append("the compressed icon image was left out")

    def _redo_pixels(self, parts: _Parts, out: Output, rewriter: Rewriter, notes: list[str]) -> None:
        layout, own = self.original.pixels, self.source.find(PIXEL_DATA)
        if layout is None or own is None or self._keeps_syntax:
            return
        if not layout.is_encapsulated and not self.target.is_encapsulated:
            if self.context.coding.big:
                parts[PIXEL_DATA] = partial(_write_swapped, own, layout.bits_allocated, out, rewriter)
            return
        for tag in OFFSETS:
            parts.pop(tag, None)
        transcoding = Transcoding(self.source, self.original, layout, self.target, self.frame)
        first = transcoding.decoded(0)
        parts |= {int(element.tag): partial(out.element, element) for element in transcoding.description(first)}
        parts[PIXEL_DATA] = partial(transcoding.write, first, out)
        verb = "compressed" if self.target.is_encapsulated else "decompressed"
        notes.append(f"the pixels were {verb}, from {self.original.transfer_syntax_uid.name} to {self.target.name}")


def _write_swapped(element: Element, bits_allocated: int, out: Output, rewriter: Rewriter) -> None:
    out.header(element.tag, element.vr, element.length + element.length % 2)
    rewriter.copy_value(element, swap_unit(element.vr, bits_allocated))
    out.file.write(bytes(element.length % 2))


def _write_meta(file: BinaryIO, original: Original, sop_instance_uid: str, transfer_syntax: str) -> None:
    """Preamble and group 0002 (PS3.10 7.1)."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = UID(original.sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = UID(transfer_syntax)
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    buffer = DicomBytesIO()
    write_file_meta_info(buffer, meta, enforce_standard=True)
    file.write(bytes(128) + b"DICM" + buffer.getvalue())


class _Deflating:
    """What is written comes out deflated (PS3.5 A.5)."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._length = 0

    def write(self, data: bytes) -> None:
        self._put(self._stream.compress(data))

    def finish(self) -> None:
        self._put(self._stream.flush())
        self._put(bytes(self._length % 2))

    def _put(self, data: bytes) -> None:
        self._length += len(data)
        self._file.write(data)
