"""Which objects a Store makes of a job, and the UIDs that each has once and for all.

A SOP Instance UID names one content. The content's key is made of the page or document, of how its pixels are made
(colour mode; the parameters of a lossy compression; the resolution of a PDF's pages), and of the attributes that go
with it; lossless compression changes nothing of it. Every UID follows from the job's id and the key, so a repetition
finds the same one. A DICOM file keeps the UIDs that it came with. What a single page or file has of its own
(`actions.objects.own`) is part of its instance's key, not of its series': that stays one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from pydicom import Dataset
from pydicom.uid import (
    UID,
    EncapsulatedPDFStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from dicomprinter.actions.objects.forwarding import MODALITY, changes_of, forwarded, own_attributes
from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.objects.own import OwnAttributes, merged, own_key
from dicomprinter.actions.objects.representation import UNCOMPRESSED, Document, Frames, Planned, Representation
from dicomprinter.dicom.secondary_capture import multiframe_class
from dicomprinter.dicom.uids import derive_uid
from dicomprinter.errors import PermanentError
from dicomprinter.job.job import dataset_text
from dicomprinter.job.parts import Instance, PageRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicomprinter.dicom.page import Form
    from dicomprinter.imaging.decoder import Decoder
    from dicomprinter.job.job import Job

# Pixel Data has a length of 32 bits whose largest value means something else (PS3.5 7.1.1).
_LARGEST_PIXEL_DATA: Final = 2**32 - 2
# IS (PS3.5 6.2).
_LARGEST_NUMBER: Final = 2**31 - 1
# Pages whose form cannot be told are sent to nobody; their failure has to be told as something's.
_CLASS_OF_NO_FORM: Final = MultiFrameTrueColorSecondaryCaptureImageStorage
# The numbers of the pages have a length of 16 bits (PS3.5 6.2.2).
_MOST_FRAMES: Final = 9_999

_Made = PageRef | Frames | Document


def plan(job: Job, representation: Representation, decoder: Decoder) -> list[Planned]:
    """Every object of a job: the pages are a series, the PDFs another; DICOM files are in their own.

    Raises:
        PermanentError, TransientError: a file cannot be looked into.
    """
    every = JobPages(job, decoder)
    as_pages = () if representation.document == "Pdf" else job.payload.documents
    pages = every.refs(documents=bool(as_pages))
    changes = changes_of(job)
    attributes = own_attributes(job, changes)
    own = OwnAttributes.of_job(job)
    first = _series_number(job, attributes)
    how = representation.changes_pixels(has_pdf_pages=bool(as_pages))
    series = _Series(every, attributes, own, how, representation, first, keeps_series_uid=True)
    images: list[PageRef] | list[Frames] = pages
    if representation.multiframe:
        images = list(_frames(every, pages, representation))
    planned = series.of(images, representation.image_syntaxes())
    if representation.document != "Images":
        number = first + (1 if first < _LARGEST_NUMBER else -1) if pages else first
        attributes = _of_a_document(job, attributes)
        series = _Series(every, attributes, own, "", representation, number, keeps_series_uid=not pages)
        planned += series.of([Document(name) for name in job.payload.documents], UNCOMPRESSED)
    return planned + forwarded(job, representation, changes, own)


def _frames(every: JobPages, pages: Sequence[PageRef], representation: Representation) -> Iterator[Frames]:
    """Runs of pages of one form, so that the order of the pages stays that of the instances and frames."""

    def form(page: PageRef) -> Form | PermanentError:
        try:
            found = every.form(page, representation.mode, dpi=representation.dpi)
        except PermanentError as error:
            # It is nobody's like: the others go without it.
            return error
        # JPEG Baseline leaves 8 bits of a sample.
        return found if representation.lossy_quality is None else replace(found, bits_stored=8)

    for common, run in groupby(pages, form):
        alike = list(run)
        if isinstance(common, PermanentError):
            yield Frames(tuple(alike), _CLASS_OF_NO_FORM, common)
            continue
        most = max(1, min(_MOST_FRAMES, _LARGEST_PIXEL_DATA // common.frame_bytes))
        for start in range(0, len(alike), most):
            yield Frames(tuple(alike[start : start + most]), multiframe_class(common))


@dataclass(frozen=True)
class _Series:
    """A series to be made.

    Args:
        pages: of the job whose objects these are.
        attributes: what goes in.
        own: what goes into single objects besides.
        how: what changes the pixels.
        representation: of the objects.
        number: the series'.
        keeps_series_uid: whether a Series Instance UID in the attributes is this series'.
    """

    pages: JobPages
    attributes: Dataset
    own: OwnAttributes
    how: str
    representation: Representation
    number: int
    keeps_series_uid: bool

    def of(self, sources: Sequence[_Made], syntaxes: tuple[str, ...]) -> list[Planned]:
        """The planned objects of some sources of one kind."""
        if not sources:
            return []
        key, uid = self._identify(sources)
        proposed = tuple(map(UID, syntaxes))
        return [
            Planned(
                self._instance(own_key(f"{key}/{self._name(source)}", own), uid, source, number),
                source,
                merged(self.attributes, own),
                proposed,
                source.fault if isinstance(source, Frames) else None,
            )
            for number, source in enumerate(sources, start=1)
            for own in [self.own.of(source)]
        ]

    def _identify(self, sources: Sequence[_Made]) -> tuple[str, str]:
        job = self.pages.job
        character_set = self.representation.character_set or ""
        names = [type(sources[0]).__name__, *map(self._name, sources)]
        content = json.dumps([names, self.how, character_set, dataset_text(self.attributes)])
        key = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        given = str(self.attributes.get("SeriesInstanceUID") or "") if self.keeps_series_uid else ""
        taken = {one.series_instance_uid for one in job.instances.values() if not one.key.startswith(key + "/")}
        return key, given if given and given not in taken else derive_uid(job.id, "series", key)

    def _instance(self, key: str, series_uid: str, source: _Made, number: int) -> Instance:
        job = self.pages.job
        made = Instance(key, str(_class(source)), derive_uid(job.id, "instance", key), series_uid, self.number, number)
        return job.instances.get(key, made)

    def _name(self, source: _Made) -> str:
        match source:
            case PageRef():
                return self.pages.name(source)
            case Frames():
                pages = " ".join(map(self.pages.name, source.pages))
                return f"{self.pages.name(source.pages[0])}+{hashlib.sha256(pages.encode()).hexdigest()[:16]}"
        return source.file


def _class(source: _Made) -> UID:
    match source:
        case PageRef():
            return SecondaryCaptureImageStorage
        case Frames():
            return source.sop_class
    return EncapsulatedPDFStorage


def _of_a_document(job: Job, attributes: Dataset) -> Dataset:
    """What a PDF takes: it is a document whatever modality the order names."""
    if MODALITY in job.flags.set_tags or "Modality" not in attributes:
        return attributes
    return Dataset({element.tag: element for element in attributes if element.keyword != "Modality"})


def _series_number(job: Job, attributes: Dataset) -> int:
    """The number that the dataset gives, else 1; in a study that an archive knows one that nothing there has.

    That one comes from the moment within the year at which the job was made, in steps that leave room for the PDF's, so
    two jobs of one study have different ones.
    """
    known = job.flags.existing_study
    try:
        given = int(attributes.get("SeriesNumber") or 0)
    except (TypeError, ValueError):
        given = 0
    if given:
        return given
    if not known or known != job.study_instance_uid:
        return 1
    moment = job.moment()
    seconds = int(moment.strftime("%j")) * 86_400 + moment.hour * 3_600 + moment.minute * 60 + moment.second
    return seconds * 60 + moment.microsecond // 33_334 * 2
