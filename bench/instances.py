"""Pages as the program's own objects."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit, generate_uid

from dicomprinter.dicom.frames import encode_page
from dicomprinter.dicom.objects import Identity
from dicomprinter.dicom.page import Page, Pixels
from dicomprinter.dicom.part10 import write
from dicomprinter.dicom.secondary_capture import secondary_capture


def write_instance(
    path: Path, pixels: Pixels, bits: int = 8, syntax: UID = ExplicitVRLittleEndian, *, quality: int = 90
) -> str:
    """Encode a page and write it as a Secondary Capture; its SOP instance UID."""
    page = Page(pixels, bits, (300, 300))
    frame = encode_page(page, syntax, lossy_quality=quality if syntax == JPEGBaseline8Bit else None)
    identity = Identity(generate_uid(), generate_uid(), generate_uid(), 1, 1, datetime.now().astimezone())
    dataset, _ = secondary_capture(_patient(), frame.description, [frame.data], identity, transfer_syntax=syntax)
    write(dataset, path)
    return identity.sop_instance_uid


def _patient() -> Dataset:
    dataset = Dataset()
    dataset.PatientName = "Bench^Page"
    dataset.PatientID = "BENCH"
    return dataset
