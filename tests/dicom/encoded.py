"""Small pages, and files of one that is encoded, for programs that decode it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

from dicomprinter.dicom.codecs import Encoded

RANDOM = np.random.default_rng(8)


def page(kind: str, rows: int = 33, columns: int = 131) -> tuple[np.ndarray, int]:
    shape, top, bits = {
        "grey 8": ((rows, columns), 256, 8),
        "grey 12": ((rows, columns), 4096, 12),
        "grey 16": ((rows, columns), 65536, 16),
        "rgb": ((rows, columns, 3), 256, 8),
    }[kind]
    pixels = RANDOM.integers(0, top, shape).astype(np.uint8 if bits == 8 else np.uint16)
    pixels[5:20] = pixels[0, 0]  # runs longer than the 128 of one packet
    return pixels, bits


KINDS = ["grey 8", "grey 12", "grey 16", "rgb"]


def scan_header(data: bytes) -> bytes:
    place = data.index(b"\xff\xda")
    return data[place + 4 : place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")]


def written(path: Path, pixels: np.ndarray, frames: list[Encoded], syntax: str) -> Path:
    dataset = Dataset()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    dataset.NumberOfFrames = len(frames)
    dataset.PhotometricInterpretation = frames[0].photometric_interpretation
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored = frames[0].bits_stored
    dataset.HighBit = frames[0].bits_stored - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = encapsulate([bytes(frame.data) for frame in frames])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path
