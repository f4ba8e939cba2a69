"""What the tests of forwarded objects share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from dicomprinter.dicom.forwarded.forward import forward
from dicomprinter.dicom.forwarded.original import read_original
from dicomprinter.imaging.dicom_file import decode_frame

MOMENT = datetime(2026, 1, 31, 9, 15, 2, tzinfo=UTC)
SAMPLES = Path(pydicom.__file__).parent / "data"


def sample(name: str) -> Path:
    """One of the files that come with pydicom."""
    folder = "charset_files" if name.startswith("chr") else "test_files"
    return SAMPLES / folder / f"{name}.dcm"


def go(
    path: Path, target: Path, syntax: str | None = None, changes: Dataset | None = None, **options: Any
) -> list[str]:
    """Forward a file, in its own syntax unless told otherwise; invalid UIDs are replaced."""
    original = read_original(path)
    replaced = {name: f"1.2.3.{number}" for number, name in enumerate(sorted(original.invalid_uids), start=1)}
    return forward(
        path,
        target,
        transfer_syntax=syntax or original.transfer_syntax_uid,
        changes=changes if changes is not None else Dataset(),
        moment=MOMENT,
        source="DICOMPRINTER",
        frame=lambda index: decode_frame(path, index),
        **{**replaced, **options},
    )


def data_set(path: Path) -> bytes:
    """The bytes behind the file meta information."""
    data = path.read_bytes()
    length = int.from_bytes(data[140:144], "little")
    return data[144 + length :]


def made(path: Path, pixels: np.ndarray | None = None, **attributes: Any) -> Path:
    """A Secondary Capture in Explicit VR Little Endian with some pixels, (frames, rows, columns[, samples])."""
    dataset = Dataset()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.1", "1.2.3.2", "1.2.3.3"
    dataset.PatientName, dataset.PatientID = "Doe^John", "4711"
    if pixels is not None:
        bits = pixels.dtype.itemsize * 8
        dataset.Rows, dataset.Columns = pixels.shape[1:3]
        dataset.SamplesPerPixel = 3 if pixels.ndim == 4 else 1
        dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 4 else "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
        if pixels.ndim == 4:
            dataset.PlanarConfiguration = 0
        if len(pixels) > 1:
            dataset.NumberOfFrames = len(pixels)
        data = pixels.tobytes()
        dataset.add_new("PixelData", "OB" if bits == 8 else "OW", data + bytes(len(data) % 2))
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return saved(dataset, path)


def saved(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)
    return path


def compressed(path: Path, frames: list[bytes], syntax: str, *, fragments: int = 1, table: bool = True) -> Path:
    """Give a file made by `made` compressed frames instead of its own."""
    dataset = pydicom.dcmread(path)
    del dataset.PixelData
    dataset.add_new("PixelData", "OB", encapsulate(frames, fragments_per_frame=fragments, has_bot=table))
    dataset["PixelData"].is_undefined_length = True
    return saved(dataset, path, syntax)
