"""A page as a Secondary Capture image (PS3.3 A.8.1)."""

from __future__ import annotations

from typing import Final

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, SecondaryCaptureImageStorage
from pydicom.valuerep import format_number_as_ds

from dicomprinter.dicom.codecs import Encoded, encode
from dicomprinter.dicom.objects import Identity, begin, finish
from dicomprinter.dicom.page import LossySource, Page

_PIXEL_DATA: Final = 0x7FE00010


# Measured curves of the whole body: PS3.3 C.7.3.1 asks for a side of paired parts, and validators refuse an empty one.
_WITHOUT_SIDE = frozenset({"ECG", "EPS", "RESP"})


def secondary_capture(
    attributes: Dataset,
    page: Page,
    identity: Identity,
    *,
    transfer_syntax: UID,
    quality: int = 90,
    character_set: str | None = None,
) -> tuple[Dataset, list[str]]:
    """A complete Secondary Capture of one page.

    Args:
        attributes: the job's dataset, Unicode; may be empty; stays as it is.
        page: its pixels.
        identity: which instance this is.
        transfer_syntax: a key of `dicom.codecs.ENCODERS`.
        quality: 1 to 100, for JPEG Baseline.
        character_set: the wished one; None takes the narrowest.

    Returns:
        The object, with its file meta information, and the notes for the job's history.

    Raises:
        PermanentError: a value cannot be written (names the tag), or no encoder for the syntax.
    """
    dataset, notes = begin(
        attributes,
        identity,
        sop_class=SecondaryCaptureImageStorage,
        transfer_syntax=transfer_syntax,
        modality="OT",
    )
    _describe_side(dataset)
    encoded = encode(page.pixels, page.bits_stored, transfer_syntax, quality)
    _describe_pixels(dataset, page, encoded)
    _describe_spacing(dataset, page)
    _describe_losses(dataset, [loss for loss in (page.lossy, encoded.lossy) if loss])
    _put_pixels(dataset, page, encoded, UID(transfer_syntax))
    finish(dataset, character_set)
    return dataset, [*notes, *encoded.notes]


def _describe_side(dataset: Dataset) -> None:
    has_no_side = dataset.get("Modality") in _WITHOUT_SIDE and not dataset.get("Laterality")
    if "ImageLaterality" in dataset or has_no_side:
        # PS3.3 C.7.3.1: Laterality is for series whose images do not tell their side themselves.
        dataset.pop("Laterality", None)
    elif "Laterality" not in dataset:
        dataset.Laterality = ""
    if "PatientOrientation" not in dataset:
        dataset.PatientOrientation = ""


def _describe_pixels(dataset: Dataset, page: Page, encoded: Encoded) -> None:
    """The Image Pixel module (PS3.3 C.7.6.3)."""
    dataset.Rows, dataset.Columns = page.pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if page.is_colour else 1
    dataset.PhotometricInterpretation = encoded.photometric_interpretation
    if page.is_colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 if encoded.bits_stored == 8 else 16
    dataset.BitsStored = encoded.bits_stored
    dataset.HighBit = encoded.bits_stored - 1
    dataset.PixelRepresentation = 0


def _describe_spacing(dataset: Dataset, page: Page) -> None:
    """Millimetres between rows, then between columns (PS3.3 C.8.6.2)."""
    if page.resolution is not None:
        horizontal, vertical = page.resolution
        dataset.NominalScannedPixelSpacing = [
            format_number_as_ds(25.4 / vertical),
            format_number_as_ds(25.4 / horizontal),
        ]


def _describe_losses(dataset: Dataset, losses: list[LossySource]) -> None:
    """Once lossy, always lossy: each step adds its ratio and method (PS3.3 C.7.6.1.1.5)."""
    if losses:
        dataset.LossyImageCompression = "01"
        dataset.LossyImageCompressionRatio = [f"{loss.ratio:.4g}" for loss in losses]
        dataset.LossyImageCompressionMethod = [loss.method for loss in losses]


def _put_pixels(dataset: Dataset, page: Page, encoded: Encoded, transfer_syntax: UID) -> None:
    if transfer_syntax.is_encapsulated:
        element = DataElement(_PIXEL_DATA, "OB", encapsulate([encoded.data]))
        element.is_undefined_length = True
    else:
        # PS3.5 A.1, A.2: Implicit VR knows OW only; Explicit VR takes OB for 8 bits.
        wide = transfer_syntax.is_implicit_VR or page.pixels.dtype == np.uint16
        data = encoded.data if len(encoded.data) % 2 == 0 else encoded.data + b"\0"
        element = DataElement(_PIXEL_DATA, "OW" if wide else "OB", data)
    dataset.add(element)
