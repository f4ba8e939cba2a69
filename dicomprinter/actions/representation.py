"""Which objects a Store makes of a job, and the UIDs that each has once and for all.

A SOP Instance UID names one content. The content's key is made of the page or document, of how its pixels are made
(colour mode; the parameters of a lossy compression), and of the attributes that go with it; lossless compression
changes nothing of it. Every UID follows from the job's id and the key, so a repetition finds the same one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom import Dataset
from pydicom.uid import (
    UID,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
)

from dicomprinter.dicom.uids import derive_uid
from dicomprinter.imaging.colour import ColourMode
from dicomprinter.job.job import dataset_text
from dicomprinter.job.parts import Instance, PageRef

if TYPE_CHECKING:
    from dicomprinter.job.job import Job

UNCOMPRESSED = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
_MODALITY = "00080060"


@dataclass(frozen=True)
class Representation:
    """How a Store makes its objects; `compression` None is uncompressed, `quality` counts for JPEG Baseline."""

    compression: UID | None
    quality: int
    mode: ColourMode
    character_set: str | None

    @property
    def is_lossy(self) -> bool:
        """Whether pixels change on the way."""
        return self.compression == JPEGBaseline8Bit

    def syntaxes(self, sop_class: str) -> tuple[UID, ...]:
        """What is proposed for a class, the best first; a lossy object has no other way."""
        if sop_class != SecondaryCaptureImageStorage or self.compression is None:
            return UNCOMPRESSED
        return (self.compression,) if self.is_lossy else (self.compression, *UNCOMPRESSED)

    def changes_pixels(self) -> str:
        """What of it changes the pixels, as text."""
        return f"{self.mode.value}/{f'JPEG {self.quality}' if self.is_lossy else 'lossless'}"


@dataclass(frozen=True)
class Planned:
    """An object to be: its instance, the page or document, and the attributes that go in."""

    instance: Instance
    source: PageRef | str
    attributes: Dataset


def plan(job: Job, representation: Representation) -> list[Planned]:
    """Every object of the job: the pages form a series, the PDFs another (PS3.3 A.8.1, A.45.1)."""
    pages, documents = job.payload.pages, job.payload.documents
    first = _series_number(job.dataset)
    objects = _series(
        job,
        representation.changes_pixels() + "/" + (representation.character_set or ""),
        SecondaryCaptureImageStorage,
        [(f"{page.file}#{page.index}", page) for page in pages],
        first,
        keeps_series_uid=True,
    )
    return objects + _series(
        job,
        representation.character_set or "",
        EncapsulatedPDFStorage,
        [(document, document) for document in documents],
        first + 1 if pages else first,
        keeps_series_uid=not pages,
    )


def _series(
    job: Job,
    how: str,
    sop_class: UID,
    sources: list[tuple[str, PageRef | str]],
    number: int,
    *,
    keeps_series_uid: bool,
) -> list[Planned]:
    attributes = _attributes(job, sop_class)
    content = json.dumps([sop_class, how, dataset_text(attributes)])
    series_key = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    given = str(job.dataset.get("SeriesInstanceUID") or "") if keeps_series_uid else ""
    taken = {i.series_instance_uid for i in job.instances.values() if not i.key.startswith(series_key + "/")}
    series_uid = given if given and given not in taken else derive_uid(job.id, "series", series_key)
    objects = []
    for index, (name, source) in enumerate(sources, start=1):
        key = f"{series_key}/{name}"
        made = Instance(key, str(sop_class), derive_uid(job.id, "instance", key), series_uid, number, index)
        objects.append(Planned(job.instances.get(key, made), source, attributes))
    return objects


def _attributes(job: Job, sop_class: UID) -> Dataset:
    """The job's dataset as this class takes it: a PDF is a document whatever modality the order names."""
    if sop_class != EncapsulatedPDFStorage or _MODALITY in job.flags.set_tags or "Modality" not in job.dataset:
        return job.dataset
    return Dataset({element.tag: element for element in job.dataset if element.keyword != "Modality"})


def _series_number(dataset: Dataset) -> int:
    try:
        return int(dataset.get("SeriesNumber") or 1)
    except (TypeError, ValueError):
        return 1
