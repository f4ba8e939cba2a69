"""DICOM files that are forwarded: any Storage object goes on as its own class, with what a job has changed of it.

Nothing large is read into memory, whatever the size of the file.
"""

from __future__ import annotations

from dicomprinter.dicom.forwarded.changes import changed
from dicomprinter.dicom.forwarded.decoders import DecodedFrame
from dicomprinter.dicom.forwarded.forward import forward
from dicomprinter.dicom.forwarded.original import Original, header, read_original
from dicomprinter.dicom.forwarded.syntaxes import syntaxes

__all__ = ["DecodedFrame", "Original", "changed", "forward", "header", "read_original", "syntaxes"]
