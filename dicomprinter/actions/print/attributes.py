"""The data sets that a Print sends: what is always sent, and the rest where the file sets it (PS3.4 H.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom import Dataset

from dicomprinter.actions.print.classes import FILM_SESSION, PRESENTATION_LUT
from dicomprinter.actions.print.film import LABEL
from dicomprinter.config.placeholders import Template
from dicomprinter.dicom.dictionary import keywords, vr
from dicomprinter.dicom.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomprinter.actions.print.action import Print
    from dicomprinter.actions.print.film import FilmBox, FilmSession, ImageBox
    from dicomprinter.job.job import Job

# Keyword -> field. Those that are always sent, or only where the printer has what they need, stand in the functions.
_SESSION: Final = {
    "PrintPriority": "print_priority",
    "MediumType": "medium_type",
    "FilmDestination": "film_destination",
    "MemoryAllocation": "memory_allocation",
    "OwnerID": "owner_id",
}
_FILM_BOX: Final = {
    "FilmSizeID": "film_size_id",
    "MagnificationType": "magnification_type",
    "SmoothingType": "smoothing_type",
    "Trim": "trim",
    "BorderDensity": "border_density",
    "EmptyImageDensity": "empty_image_density",
    "MinDensity": "min_density",
    "MaxDensity": "max_density",
    "ConfigurationInformation": "configuration_information",
    "RequestedResolutionID": "requested_resolution_id",
}
_WITH_LUT: Final = {"Illumination": "illumination", "ReflectedAmbientLight": "reflected_ambient_light"}
_IMAGE_BOX: Final = {
    "MagnificationType": "magnification_type",
    "SmoothingType": "smoothing_type",
    "BorderDensity": "border_density",
    "RequestedImageSize": "requested_image_size",
    "RequestedDecimateCropBehavior": "requested_decimate_crop_behavior",
}
_GREY_IMAGE_BOX: Final = {
    "MinDensity": "min_density",
    "MaxDensity": "max_density",
    "ConfigurationInformation": "configuration_information",
}


@dataclass(frozen=True)
class FilmAttributes:
    """The attributes of one Print of one job.

    Args:
        action: the Print, with the changes of the job's Updates.
        job: fills in placeholders.
    """

    action: Print
    job: Job

    def session(self) -> Dataset:
        """Basic Film Session, N-CREATE (PS3.4 H.4.1.2.1).

        Raises:
            PermanentError: a text with placeholders cannot be such a value.
        """
        made = self._given(self.action.session, _SESSION)
        made.NumberOfCopies = self.action.session.number_of_copies
        made.FilmSessionLabel = self.label()
        return made

    def label(self) -> str:
        """The session's label; one that comes to nothing is the default."""
        return self._text("FilmSessionLabel", self.action.session.film_session_label) or LABEL.source

    def film_box(self, session: str, orientation: str, *, lut: str | None, annotated: bool) -> Dataset:
        """Basic Film Box, N-CREATE (PS3.4 H.4.2.2.1).

        Args:
            session: the film session's SOP Instance UID.
            orientation: PORTRAIT or LANDSCAPE.
            lut: the Presentation LUT's SOP Instance UID, None where the printer has none.
            annotated: whether the printer has annotation boxes.

        Raises:
            PermanentError: as `session`.
        """
        box = self.action.film_box
        made = self._given(box, _FILM_BOX)
        made.ImageDisplayFormat = box.image_display_format.text
        made.FilmOrientation = orientation
        made.ReferencedFilmSessionSequence = [_reference(FILM_SESSION, session)]
        if lut is not None:
            made.update(self._given(box, _WITH_LUT))
            made.ReferencedPresentationLUTSequence = [_reference(PRESENTATION_LUT, lut)]
        if annotated and box.annotation_display_format_id is not None:
            made.AnnotationDisplayFormatID = box.annotation_display_format_id
        return made

    def image_box(self, position: int) -> Dataset:
        """Basic Grayscale or Color Image Box, N-SET, without the image (PS3.4 H.4.3.1.2 and H.4.3.2.2).

        Raises:
            PermanentError: as `session`.
        """
        box = self.action.image_box
        made = self._given(box, _IMAGE_BOX if self.action.is_colour else {**_IMAGE_BOX, **_GREY_IMAGE_BOX})
        made.ImageBoxPosition = position
        made.Polarity = box.polarity
        return made

    def _given(self, part: FilmSession | FilmBox | ImageBox, names: Mapping[str, str]) -> Dataset:
        """What the file sets of a part, by keyword."""
        made = Dataset()
        for keyword, field in names.items():
            value = getattr(part, field)
            if isinstance(value, Template):
                value = self._text(keyword, value) or None
            if value is not None:
                setattr(made, keyword, value)
        return made

    def _text(self, keyword: str, template: Template) -> str:
        tag = keywords()[keyword]
        text, notes = clean(tag, vr(tag) or "LO", self.job.expand(template, self.action.name))
        for note in notes:
            self.job.note(f"{self.action.name}: {note}", level="WARN")
        return text


def presentation_lut() -> Dataset:
    """A Presentation LUT, N-CREATE: the pixels are P-Values as they are (PS3.4 H.4.9, PS3.3 C.11.6)."""
    made = Dataset()
    made.PresentationLUTShape = "IDENTITY"
    return made


def annotation_box(position: int, text: str) -> Dataset:
    """Basic Annotation Box, N-SET (PS3.4 H.4.4)."""
    made = Dataset()
    made.AnnotationPosition = position
    made.TextString = text
    return made


def _reference(sop_class: str, sop_instance: str) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID = sop_class
    made.ReferencedSOPInstanceUID = sop_instance
    return made
