"""How a Store makes its objects, what each is made of, and in which syntaxes it may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dicomprinter.dicom.syntaxes import (
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
)
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.job.parts import Instance, PageRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom import Dataset
    from pydicom.uid import UID

    from dicomprinter.errors import PermanentError

UNCOMPRESSED: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
# What a peer may take instead, the most widely known first.
_LOSSLESS: Final = (*UNCOMPRESSED, RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless)
_MULTIFRAME: Final = (
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
)


@dataclass(frozen=True)
class Representation:
    """How a Store makes its objects.

    Args:
        compression: of pages; None is uncompressed.
        quality: 1 to 100, for JPEG Baseline.
        mode: the colour mode of pages.
        character_set: the wished one; None takes the narrowest.
        multiframe: whether pages of one form become one object.
        document: what becomes of a PDF: `Pdf`, `Images` or `Both`.
        dpi: the resolution of a PDF's pages.
    """

    compression: str | None = None
    quality: int = 90
    mode: ColourMode = ColourMode.AS_IS
    character_set: str | None = None
    multiframe: bool = False
    document: str = "Pdf"
    dpi: int = 300

    @property
    def lossy_quality(self) -> int | None:
        """The quality when pixels are lost on the way, else None."""
        return self.quality if self.compression == JPEGBaseline8Bit else None

    def image_syntaxes(self) -> tuple[str, ...]:
        """What is proposed for pages, the best first."""
        best = self.compression or ExplicitVRLittleEndian
        return (best, *(syntax for syntax in _LOSSLESS if syntax != best))

    def contexts(self) -> list[tuple[str, Sequence[str]]]:
        """Every class that pages and PDFs may become, with what is proposed for it."""
        classes = _MULTIFRAME if self.multiframe else (SecondaryCaptureImageStorage,)
        found: list[tuple[str, Sequence[str]]] = [(sop_class, self.image_syntaxes()) for sop_class in classes]
        if self.document != "Images":
            found.append((EncapsulatedPDFStorage, UNCOMPRESSED))
        return found

    def changes_pixels(self, *, has_pdf_pages: bool) -> str:
        """What of it changes the pixels, as text."""
        loss = "lossless" if self.lossy_quality is None else f"JPEG {self.lossy_quality}"
        return f"{self.mode.value}/{loss}" + (f"/{self.dpi} dpi" if has_pdf_pages else "")


@dataclass(frozen=True)
class Frames:
    """The pages of one multi-frame object, all of one form; `fault` says why they have none."""

    pages: tuple[PageRef, ...]
    sop_class: UID
    fault: PermanentError | None = None


@dataclass(frozen=True)
class Document:
    """A PDF that goes out as it is."""

    file: str


@dataclass(frozen=True)
class Forwarded:
    """A DICOM file that goes on as the object that it is.

    Args:
        file: where it lies in the job's folder.
        study_instance_uid: in place of its own, None keeps that.
        series_instance_uid: the same.
    """

    file: str
    study_instance_uid: str | None
    series_instance_uid: str | None


Source = PageRef | Frames | Document | Forwarded


@dataclass(frozen=True, eq=False)
class Planned:
    """An object to be.

    Args:
        instance: which it is.
        source: what it is made of.
        attributes: what goes in.
        syntaxes: what to propose, the best first.
        fault: why it cannot be made; the others go all the same.
    """

    instance: Instance
    source: Source
    attributes: Dataset
    syntaxes: tuple[UID, ...]
    fault: PermanentError | None = None
