"""The page, where rooms above look for it; it lives below, because DICOM objects are built of it."""

from __future__ import annotations

from dicomprinter.dicom.page import LossySource, Page, Pixels

__all__ = ["LossySource", "Page", "Pixels"]
