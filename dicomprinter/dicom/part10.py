"""DICOM files (PS3.10 7.1)."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite

_LARGE: Final = (0x7FE00010, 0x00420011)  # Pixel Data, Encapsulated Document


def write(dataset: Dataset, path: Path) -> None:
    """Write a complete object to a file, in the transfer syntax of its file meta information.

    The large element goes straight from memory to the file, without a copy. Nothing is forced to the disk.

    Raises:
        OSError: the file cannot be written.
    """
    outgoing = Dataset()
    for element in dataset:
        outgoing.add(_as_stream(element) if element.tag in _LARGE else element)
    outgoing.file_meta = dataset.file_meta
    dcmwrite(path, outgoing, enforce_file_format=True)


def _as_stream(element: DataElement) -> DataElement:
    if not isinstance(element.value, bytes):
        return element
    # BytesIO shares the bytes it is given until somebody writes to it.
    stream = DataElement(element.tag, element.VR, BytesIO(element.value))
    stream.is_undefined_length = element.is_undefined_length
    return stream
