"""What the tests of objects and of the association share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    generate_uid,
)

from dicomprinter.dicom.frames import encode_page
from dicomprinter.dicom.network.association import Association, StoreResult
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.objects import Identity
from dicomprinter.dicom.page import Page
from dicomprinter.dicom.secondary_capture import secondary_capture
from dicomprinter.errors import DicomPrinterError
from tests.waiting import PATIENCE

SC = "1.2.840.10008.5.1.4.1.1.7"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
WORKLIST = "1.2.840.10008.5.1.4.31"
STUDY = "1.2.840.10008.5.1.4.1.2.2.1"
Run = Callable[[Any], Any]


def peer(port: int, **settings: Any) -> Peer:
    return Peer("PACS", "127.0.0.1", port, **{"association_timeout": PATIENCE, "dimse_timeout": PATIENCE, **settings})


def with_time_out(association: Association, seconds: float) -> None:
    """From now on; to open it may take as long as a loaded machine needs."""
    association._messages._peer = replace(association.peer, association_timeout=seconds)


def instance(folder: Path, *, syntax: str = ExplicitVRLittleEndian, size: int = 1000) -> tuple[Path, str]:
    dataset = Dataset()
    dataset.SOPClassUID = SC
    dataset.SOPInstanceUID = generate_uid()
    dataset.PatientName = "Doe^John"
    dataset.PixelData = b"\x2a" * size
    dataset["PixelData"].VR = "OB"
    if UID(syntax).is_encapsulated:
        dataset.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\xdd\xe0\x00\x00\x00\x00"
        dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    path = folder / f"{dataset.SOPInstanceUID}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path, str(dataset.SOPInstanceUID)


def send(association: Association, folder: Path, **options: Any) -> StoreResult:
    path, uid = instance(folder, **options)
    syntax = options.get("syntax", ExplicitVRLittleEndian)
    return association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=syntax)


def failure(port: int, folder: Path, **settings: Any) -> DicomPrinterError:
    with (
        pytest.raises(DicomPrinterError) as caught,
        Association.open(peer(port, **settings), [(SC, [ExplicitVRLittleEndian])]) as association,
    ):
        send(association, folder)
    assert caught.value.cause
    assert caught.value.remedy
    return caught.value


def capture(
    attributes: Dataset, page: Page, identity: Identity, syntax: UID, *, quality: int = 90, **options: Any
) -> tuple[Dataset, list[str]]:
    """A Secondary Capture of one page, and the notes for the history."""
    frame = encode_page(page, syntax, lossy_quality=quality if syntax == JPEGBaseline8Bit else None)
    dataset, notes = secondary_capture(
        attributes, frame.description, [frame.data], identity, transfer_syntax=syntax, **options
    )
    return dataset, [*notes, *frame.notes]
