"""DICOM files: whole or refused, and their frames as native pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydicom.uid import UID

from dicomprinter.dicom.forwarded.decoders import DecodedFrame, decodes
from dicomprinter.dicom.forwarded.frames import decoded_frame, frame_spans, native_frame
from dicomprinter.dicom.forwarded.opening import DEFLATED, Source, TooLargeError, opened
from dicomprinter.dicom.forwarded.original import PIXEL_DATA, Original, header_of, is_uid, original_of, plain
from dicomprinter.dicom.forwarded.structure import Reader, Span, StructureError
from dicomprinter.dicom.forwarded.syntaxes import UNCOMPRESSED
from dicomprinter.errors import InputError, PermanentError, TransientError
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.refusals import check_size, damaged, no_page, too_large

_MEDIA_DIRECTORY: Final = "1.2.840.10008.1.3.10"
# Where the standard has its Storage classes; one that is newer than our dictionary stands there too.
_STORAGE_ROOT: Final = "1.2.840.10008.5.1.4.1.1."
_STANDARD_ROOT: Final = "1.2.840.10008."


@dataclass(frozen=True)
class DicomProbe:
    """What a DICOM file holds.

    Args:
        attributes: the DICOM JSON (PS3.18 F) of `forwarded.header`.
        sop_class_uid: its class.
        transfer_syntax_uid: how it is written.
        frames: 1 where nothing is said, 0 without pixels.
    """

    attributes: dict[str, Any]
    sop_class_uid: str
    transfer_syntax_uid: str
    frames: int


def probe_dicom(path: Path, limits: Limits | None = None) -> DicomProbe:
    """Look through a file; no pixel is decoded and nothing large is read.

    With and without preamble and file meta information, as data sets in implicit or explicit VR.

    Raises:
        InputError: no DICOM file, cut off, damaged, beyond the limits, or no object that can be stored.
        TransientError: the disk or the system fails.
    """
    limits = limits or Limits()
    with _accepted(path, limits) as source:
        sop_class = plain(source, 0x00080016)
        _check_class(sop_class)
        for element in source.elements:
            source.reader.check(element, source.coding)
        original = original_of(source)
        _check_pixels(source, original)
        return DicomProbe(
            header_of(source).to_json_dict(),
            sop_class,
            str(original.transfer_syntax_uid),
            original.frames if original.pixels is not None else 0,
        )


def decode_frame(path: Path, index: int, limits: Limits | None = None) -> DecodedFrame:
    """One frame as native pixels, little endian; colours stay what they are where a native object can hold them.

    What a lossy JPEG or JPEG 2000 has transformed becomes RGB, native subsampled chroma comes at full size (YBR_FULL),
    palettes stay. Cells of one bit become cells of eight.

    Args:
        path: a file that `probe_dicom` has let pass.
        index: the frame, from 0.
        limits: how large a frame may be.

    Raises:
        InputError: the frame is larger than the limits allow.
        PermanentError: there is no such frame, or it cannot be decoded.
        TransientError: the disk or the system fails.
    """
    try:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            source, original, spans = _known(path, stat.st_mtime_ns, stat.st_size)
            if original.pixels is not None:
                check_size(original.pixels.columns, original.pixels.rows, limits or Limits())
            if original.transfer_syntax_uid in DEFLATED:
                with opened(path) as inflated:
                    return _frame(inflated, original, spans, index)
            return _frame(replace(source, reader=Reader(file, stat.st_size)), original, spans, index)
    except OSError as error:
        raise _disk(error) from error
    except (RuntimeError, ValueError) as error:
        raise _undecodable(str(error) if isinstance(error, StructureError) else type(error).__name__) from error


@contextmanager
def _accepted(path: Path, limits: Limits) -> Iterator[Source]:
    try:
        size = path.stat().st_size
        if size == 0:
            raise InputError("the file is empty", remedy="save or copy it again")
        if size > limits.bytes:
            raise too_large(f"{size} bytes; {limits.bytes} are allowed", "MaximumFileSize")
        with opened(path, limits.bytes) as source:
            yield source
    except TooLargeError as error:
        raise too_large(str(error), "MaximumFileSize") from error
    except StructureError as error:
        raise damaged("DICOM file", str(error)) from error
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise InputError("the file cannot be read", cause=error.strerror or "", remedy="check its rights") from error
    except OSError as error:
        raise _disk(error) from error


def _check_class(sop_class: str) -> None:
    if not is_uid(sop_class):
        raise InputError(
            "a DICOM file that does not say what kind of object it holds",
            cause="SOP Class UID (0008,0016) is missing or no UID",
            remedy="export the file again; a DICOMDIR is no object, but lists the files that are",
        )
    if not _may_be_stored(sop_class):
        raise InputError(
            f"a DICOM file of {UID(sop_class).name} is not accepted",
            cause="that is no class of objects that an archive stores",
            remedy="give the images or documents themselves",
        )


def _may_be_stored(sop_class: str) -> bool:
    """PS3.4 B.5; of classes that are not the standard's, the archive decides."""
    uid = UID(sop_class)
    if uid.name != sop_class:
        is_service = "Commitment" in uid.name or uid == _MEDIA_DIRECTORY
        return uid.type == "SOP Class" and "Storage" in uid.name and not is_service
    return not sop_class.startswith(_STANDARD_ROOT) or sop_class.startswith(_STORAGE_ROOT)


def _check_pixels(source: Source, original: Original) -> None:
    layout, element = original.pixels, source.find(PIXEL_DATA)
    if layout is None or element is None:
        return
    syntax = original.transfer_syntax_uid
    if layout.is_encapsulated:
        if syntax in UNCOMPRESSED:
            raise damaged("DICOM file", "its pixels are compressed, but its transfer syntax is not")
        if decodes(syntax, layout) and sum(1 for _ in source.reader.fragments(element)) <= original.frames:
            raise damaged("DICOM file", f"it has fewer frames than the {original.frames} that it tells")
        return
    cells = original.frames * layout.rows * layout.columns * layout.samples
    is_halved = layout.photometric_interpretation.endswith("_422") and layout.samples == 3
    bits = cells * layout.bits_allocated * (2 if is_halved else 3) // 3
    if (bits + 7) // 8 > layout.length:
        raise damaged("DICOM file", "its pixel data is shorter than rows, columns and frames say")


@lru_cache(maxsize=2)
def _known(path: Path, _changed: int, _size: int) -> tuple[Source, Original, Sequence[Sequence[Span]]]:
    """What is the same for every frame, found once; the source's file is closed."""
    with opened(path) as source:
        original = original_of(source)
        element = source.find(PIXEL_DATA)
        if element is None or original.pixels is None or not original.pixels.is_encapsulated:
            return source, original, ()
        return source, original, frame_spans(source.reader, element, original.frames)


def _frame(source: Source, original: Original, spans: Sequence[Sequence[Span]], index: int) -> DecodedFrame:
    if original.pixels is None or not 0 <= index < original.frames:
        raise no_page(index)
    if not original.pixels.is_encapsulated:
        return native_frame(source, original.pixels, index)
    if not decodes(original.transfer_syntax_uid, original.pixels):
        raise _undecodable(f"{original.transfer_syntax_uid.name} is not decoded here")
    return decoded_frame(source, original, spans[index])


def _undecodable(cause: str) -> PermanentError:
    return PermanentError("a frame of the DICOM file cannot be decoded", cause=cause, remedy="export the file again")


def _disk(error: OSError) -> TransientError:
    return TransientError("the file cannot be read now", cause=error.strerror or "", remedy="check the disk")
