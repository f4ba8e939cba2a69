"""DICOM files (PS3.10 7.1)."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite


def write(dataset: Dataset, path: Path) -> None:
    """Write a complete object to a file, in the transfer syntax of its file meta information.

    Values that are files themselves (`dicom.pieces.Stitched`) are copied block by block. Nothing is forced to the disk.

    Raises:
        OSError: the file cannot be written.
    """
    dcmwrite(path, dataset, enforce_file_format=True)
