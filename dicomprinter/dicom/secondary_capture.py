"""Pages as Secondary Capture images, one frame an object or many (PS3.3 A.8.1, A.8.3 to A.8.5)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)
from pydicom.valuerep import format_number_as_ds

from dicomprinter.dicom.encapsulation import encapsulated, padded
from dicomprinter.dicom.frames import Description
from dicomprinter.dicom.objects import Identity, begin, finish
from dicomprinter.dicom.page import Form, LossySource
from dicomprinter.dicom.pieces import Piece, Stitched

_PIXEL_DATA: Final = 0x7FE00010
# Measured curves of the whole body: PS3.3 C.7.3.1 asks for a side of paired parts, and validators refuse an empty one.
_WITHOUT_SIDE = frozenset({"ECG", "EPS", "RESP"})


def multiframe_class(form: Form) -> UID:
    """The Multi-frame Secondary Capture class that holds pages of this form (PS3.3 A.8.3 to A.8.5)."""
    if form.samples == 3:
        return MultiFrameTrueColorSecondaryCaptureImageStorage
    if form.bits_stored == 8:
        return MultiFrameGrayscaleByteSecondaryCaptureImageStorage
    return MultiFrameGrayscaleWordSecondaryCaptureImageStorage


def secondary_capture(
    attributes: Dataset,
    description: Description,
    frames: Sequence[Piece],
    identity: Identity,
    *,
    sop_class: UID = SecondaryCaptureImageStorage,
    transfer_syntax: UID,
    character_set: str | None = None,
) -> tuple[Dataset, list[str]]:
    """A complete Secondary Capture.

    Args:
        attributes: the job's dataset, Unicode; may be empty; stays as it is.
        description: what the frames have in common.
        frames: each frame's bytes as `dicom.frames` makes them; one alone for a class of one frame.
        identity: which instance this is.
        sop_class: Secondary Capture, or `multiframe_class` of the description's form.
        transfer_syntax: of the frames.
        character_set: the wished one; None takes the narrowest.

    Returns:
        The object, with its file meta information, and the notes for the job's history.

    Raises:
        PermanentError: a value cannot be written; names the tag.
    """
    dataset, notes = begin(attributes, identity, sop_class=sop_class, transfer_syntax=transfer_syntax, modality="OT")
    _describe_side(dataset)
    _describe_pixels(dataset, description)
    is_multiframe = sop_class != SecondaryCaptureImageStorage
    if is_multiframe:
        _describe_frames(dataset, len(frames))
    # PS3.3 C.8.6.3 wants the spacing in multi-frame objects of scanned film and documents only.
    if not is_multiframe or dataset.ConversionType in ("DF", "SD", "SI"):
        _describe_spacing(dataset, description.resolution)
    else:
        _describe_ratio(dataset, description.resolution)
    _describe_losses(dataset, description.losses)
    _put_pixels(dataset, frames, UID(transfer_syntax))
    finish(dataset, character_set)
    return dataset, notes


def _describe_side(dataset: Dataset) -> None:
    has_no_side = dataset.get("Modality") in _WITHOUT_SIDE and not dataset.get("Laterality")
    if "ImageLaterality" in dataset or has_no_side:
        # PS3.3 C.7.3.1: Laterality is for series whose images do not tell their side themselves.
        dataset.pop("Laterality", None)
    elif "Laterality" not in dataset:
        dataset.Laterality = ""
    if "PatientOrientation" not in dataset:
        dataset.PatientOrientation = ""


def _describe_pixels(dataset: Dataset, description: Description) -> None:
    """The Image Pixel module (PS3.3 C.7.6.3)."""
    form = description.form
    dataset.Rows, dataset.Columns = form.rows, form.columns
    dataset.SamplesPerPixel = form.samples
    dataset.PhotometricInterpretation = description.photometric_interpretation
    if form.samples == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 if form.bits_stored == 8 else 16
    dataset.BitsStored = form.bits_stored
    dataset.HighBit = form.bits_stored - 1
    dataset.PixelRepresentation = 0


def _describe_frames(dataset: Dataset, count: int) -> None:
    """The SC Multi-frame Image and Vector modules (PS3.3 C.8.6.3, C.8.6.4), and Multi-frame (C.7.6.6)."""
    dataset.NumberOfFrames = count
    if count > 1:
        dataset.FrameIncrementPointer = Tag("PageNumberVector")
        dataset.PageNumberVector = list(range(1, count + 1))
    if not dataset.get("BurnedInAnnotation"):
        dataset.BurnedInAnnotation = "YES"
    if dataset.SamplesPerPixel == 1:
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
        dataset.PresentationLUTShape = "IDENTITY"


def _describe_spacing(dataset: Dataset, resolution: tuple[float, float] | None) -> None:
    """Millimetres between rows, then between columns (PS3.3 C.8.6.2)."""
    if resolution is not None:
        horizontal, vertical = resolution
        dataset.NominalScannedPixelSpacing = [
            format_number_as_ds(25.4 / vertical),
            format_number_as_ds(25.4 / horizontal),
        ]


def _describe_ratio(dataset: Dataset, resolution: tuple[float, float] | None) -> None:
    """The height of a pixel to its width, where they differ (PS3.3 C.7.6.3.1.7)."""
    if resolution is not None and resolution[0] != resolution[1]:
        ratio = Fraction(resolution[0] / resolution[1]).limit_denominator(1000)
        dataset.PixelAspectRatio = [ratio.numerator, ratio.denominator]


def _describe_losses(dataset: Dataset, losses: Sequence[LossySource]) -> None:
    """Once lossy, always lossy: each step adds its ratio and method (PS3.3 C.7.6.1.1.5)."""
    if losses:
        dataset.LossyImageCompression = "01"
        dataset.LossyImageCompressionRatio = [f"{loss.ratio:.4g}" for loss in losses]
        dataset.LossyImageCompressionMethod = [loss.method for loss in losses]


def _put_pixels(dataset: Dataset, frames: Sequence[Piece], transfer_syntax: UID) -> None:
    if transfer_syntax.is_encapsulated:
        element = DataElement(_PIXEL_DATA, "OB", Stitched(encapsulated(frames)))
        element.is_undefined_length = True
    else:
        # PS3.5 A.1, A.2: Implicit VR knows OW only; Explicit VR takes OB for 8 bits.
        wide = transfer_syntax.is_implicit_VR or dataset.BitsAllocated > 8
        element = DataElement(_PIXEL_DATA, "OW" if wide else "OB", Stitched(padded(frames)))
    dataset.add(element)
