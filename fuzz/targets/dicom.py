"""DICOM files: looked through, a frame decoded and rendered, forwarded with changes, and what came out read again."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pydicom
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from dicomprinter.dicom.forwarded.forward import forward
from dicomprinter.dicom.forwarded.original import header, read_original
from dicomprinter.errors import DicomPrinterError, InputError, PermanentError
from dicomprinter.imaging.decoder import nowhere
from dicomprinter.imaging.dicom_file import decode_frame, probe_dicom
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.rendering.frame import images_of, render_frame
from dicomprinter.job.job import dataset_text, read_dataset
from fuzz.drawing import CANARY, check_public
from fuzz.files import Scratch
from fuzz.target import Target

_LIMITS: Final = Limits(pixels=1 << 18, side=4096, pages=8, bytes=1 << 20)
_SCRATCH: Final = Scratch()
_MOMENT: Final = datetime(2026, 1, 31, 9, 15, 2, tzinfo=UTC)
_PREAMBLE: Final = bytes(128) + b"DICM"


def _run(data: bytes) -> None:
    file = _SCRATCH.file(data)
    try:
        found = probe_dicom(file, _LIMITS)
    except (InputError, PermanentError) as error:
        check_public(error)
        return
    # A job keeps it so.
    dataset = read_dataset(found.attributes)
    assert Dataset.from_json(dataset_text(dataset)) == dataset
    header(file)
    if found.frames:
        try:
            frame = decode_frame(file, 0, _LIMITS)
            assert frame.pixels.size * frame.bits_allocated // 8 == memoryview(frame.data).nbytes
        except (InputError, PermanentError) as error:
            check_public(error)
    _render(file)
    for syntax in (found.transfer_syntax_uid, ExplicitVRLittleEndian):
        _forward(file, syntax)


def _render(file: Path) -> None:
    try:
        images = images_of(file, _LIMITS)
        for mode in (ColourMode.RGB, ColourMode.MONOCHROME12) if images.frames else ():
            page = render_frame(file, images.frames - 1, mode, nowhere, _LIMITS)
            assert page.pixels.shape[:2] == (images.rows, images.columns)
            assert page.is_colour == (mode is ColourMode.RGB)
            assert page.pixels.max() >> page.bits_stored == 0
    except PermanentError as error:
        check_public(error)


def _forward(file: Path, syntax: str) -> None:
    changes = Dataset()
    changes.PatientName, changes.PatientID = "Muster^Mia", "4711"
    original = read_original(file)
    uids = {name: f"1.2.3.{number}" for number, name in enumerate(sorted(original.invalid_uids), start=1)}
    target = _SCRATCH.folder / "target.dcm"
    target.unlink(missing_ok=True)
    try:
        forward(
            file,
            target,
            transfer_syntax=syntax,
            changes=changes,
            moment=_MOMENT,
            source="DICOMPRINTER",
            frame=lambda index: decode_frame(file, index, _LIMITS),
            **uids,
        )
    except DicomPrinterError as error:
        check_public(error)
        assert not target.exists()
        return
    probe_dicom(target, Limits(bytes=8 << 20))
    if not _is_readable(file):
        return
    again = pydicom.dcmread(target, force=False)
    assert again.PatientID == "4711"
    assert again.file_meta.TransferSyntaxUID == syntax


def _is_readable(file: Path) -> bool:
    """Whether pydicom takes a file as it came: what we leave as it is may be too much for it, a character set say."""
    try:
        pydicom.dcmread(file, force=True)
    except Exception:  # noqa: BLE001 - it raises whatever a wrong byte leads to
        return False
    return True


def secondary_capture() -> Dataset:
    """An object without pixels, full of a patient's values."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.2", "1.2.3.3"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = f"{CANARY}^Mia", CANARY, "19640812"
    code = Dataset()
    code.CodeValue, code.CodeMeaning = "1", CANARY
    dataset.ProcedureCodeSequence = [code]
    dataset.private_block(0x0009, "ACME", create=True).add_new(1, "LO", CANARY)
    return dataset


def _with_pixels(dataset: Dataset, bits: int, data: bytes, frames: int = 1) -> Dataset:
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 4, 4, 1
    dataset.PhotometricInterpretation = dataset.get("PhotometricInterpretation", "MONOCHROME2")
    dataset.PixelRepresentation = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.NumberOfFrames = frames
    dataset.add_new("PixelData", "OB" if bits == 8 else "OW", data)
    return dataset


def saved(dataset: Dataset, syntax: str) -> bytes:
    """It as a file."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if syntax in (RLELossless, JPEGBaseline8Bit):
        dataset["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _seeds() -> Iterator[bytes]:
    import simplejpeg  # noqa: PLC0415 - for one seed

    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        yield saved(_with_pixels(secondary_capture(), 8, bytes(32), 2), syntax)
    yield saved(_with_pixels(secondary_capture(), 16, bytes(32)), ExplicitVRBigEndian)
    yield saved(secondary_capture(), ExplicitVRLittleEndian)
    # Without preamble and file meta information.
    yield saved(secondary_capture(), ImplicitVRLittleEndian)[128 + 4 + 200 :]
    segment = struct.pack("<16L", 1, 64, *[0] * 14) + b"\x07abcdefgh\x07ijklmnop"
    yield saved(_with_pixels(secondary_capture(), 8, encapsulate([segment])), RLELossless)
    jpeg = simplejpeg.encode_jpeg(np.zeros((4, 4, 1), np.uint8), colorspace="GRAY")
    yield saved(_with_pixels(secondary_capture(), 8, encapsulate([jpeg])), JPEGBaseline8Bit)
    yield _PREAMBLE + _meta(ExplicitVRLittleEndian) + _nested(20)
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        yield from (saved(_with_pixels(dataset, 16, bytes(range(64)), 2), syntax) for dataset in _with_looks())


def _with_looks() -> Iterator[Dataset]:
    """Objects that say how they are to be seen: windows, tables, a palette, frames with windows of their own."""
    for looks in ("tables", "groups", "palette", "segments"):
        dataset, item = secondary_capture(), Dataset()
        dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = ["40", "2"], ["400", "3"], "SIGMOID"
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.PixelPaddingValue = "2", "-1024", 7
        dataset.PixelSpacing = ["0.2", "0.1"]
        if looks == "tables":
            item.add_new("LUTDescriptor", "US", [4, 0, 12])
            item.add_new("LUTData", "OW", bytes(8))
            dataset.ModalityLUTSequence = dataset.VOILUTSequence = [item]
        elif looks == "groups":
            item.FrameVOILUTSequence = [Dataset()]
            item.FrameVOILUTSequence[0].WindowCenter, item.FrameVOILUTSequence[0].WindowWidth = "1", "2"
            dataset.SharedFunctionalGroupsSequence, dataset.PerFrameFunctionalGroupsSequence = [item], [item]
        else:
            dataset.PhotometricInterpretation = "PALETTE COLOR"
            kind = "Segmented" if looks == "segments" else ""
            for colour in ("Red", "Green", "Blue"):
                dataset.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [4, 0, 16])
                dataset.add_new(
                    f"{kind}{colour}PaletteColorLookupTableData", "OW", struct.pack("<6H", 0, 1, 9, 1, 3, 7)
                )
        yield dataset


def _meta(syntax: str) -> bytes:
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    return struct.pack("<HH2sH", 2, 0x10, b"UI", len(value)) + value


def _nested(depth: int) -> bytes:
    """Sequences of undefined length in each other."""
    class_uid = b"1.2.840.10008.5.1.4.1.1.7\0"
    head = struct.pack("<HH2sH", 8, 0x16, b"UI", len(class_uid)) + class_uid
    begin = struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    end = struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    return head + begin * depth + end * depth


def _inputs() -> st.SearchStrategy[bytes]:
    tags = st.sampled_from(
        [
            *(0x00080005, 0x00080016, 0x00080018, 0x00081140, 0x00090010, 0x00091001, 0x00100010, 0x00100020),
            *(0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00400275),
            *(0x00281050, 0x00281051, 0x00281052, 0x00281053, 0x00281101, 0x00281201, 0x00283002, 0x00283006),
            *(0x00283000, 0x00283010, 0x00289132, 0x52009229, 0x52009230, 0x00280103, 0x00280120, 0x00280030),
            *(0x7FE00010, 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0x04000561, 0x00080000, 0x00020010),
        ]
    )
    vrs = st.sampled_from([b"UI", b"CS", b"PN", b"LO", b"US", b"SQ", b"UN", b"OB", b"OW", b"DS", b"UT", b"AT", b"??"])
    lengths = st.sampled_from([0, 1, 2, 4, 0xFFFF, 0xFFFFFFFE, 0xFFFFFFFF])
    values = st.sampled_from(
        [b"", b"\4\0", b"\1\0", b"ISO_IR 192", b"\\ISO 2022 IR 87", b"1.2.840.10008.5.1.4.1.1.7\0", b"MONOCHROME2 "]
    ) | st.binary(max_size=12)

    def element(tag: int, vr: bytes, value: bytes, length: int | None) -> bytes:
        count = len(value) if length is None else length
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        if tag >> 16 == 0xFFFE:
            return head + struct.pack("<L", count) + value
        if vr in (b"SQ", b"UN", b"OB", b"OW", b"UT"):
            return head + vr + struct.pack("<HL", 0, count) + value
        return head + vr + struct.pack("<H", count & 0xFFFF) + value

    elements = st.lists(st.builds(element, tags, vrs, values, st.none() | lengths), max_size=14)
    in_order = elements.map(sorted) | elements
    syntaxes = st.sampled_from(
        [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless]
    )
    own = b"\x08\x00\x16\x00UI\x1a\x00" + b"1.2.840.10008.5.1.4.1.1.7\0"

    def whole(syntax: str, parts: list[bytes]) -> bytes:
        body = own + b"".join(parts)
        if syntax == DeflatedExplicitVRLittleEndian:
            packer = zlib.compressobj(wbits=-15)
            body = packer.compress(body) + packer.flush()
        return _PREAMBLE + _meta(syntax) + body

    return st.builds(whole, syntaxes, in_order)


def _more() -> Iterator[Path]:
    """What comes with pydicom."""
    yield from (Path(pydicom.__file__).parent / "data").rglob("*.dcm")


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=12_000,
    structured=2_000,
    words=(
        b"\xfe\xff\x00\xe0",
        b"\xfe\xff\x0d\xe0",
        b"\xfe\xff\xdd\xe0",
        b"\xff\xff\xff\xff",
        b"SQ",
        b"UN",
        b"OB",
        b"\x28\x00\x10\x00",
    ),
    longest=4096,
    more=_more,
)
