"""DICOM files of a job: objects that go on as they are, with what the job has changed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from pydicom import Dataset

from dicomprinter.actions.representation import Forwarded, Planned, Representation
from dicomprinter.dicom.forwarded.changes import changed
from dicomprinter.dicom.forwarded.original import header, read_original
from dicomprinter.dicom.forwarded.syntaxes import syntaxes
from dicomprinter.dicom.query_answer import is_of_patient_or_study
from dicomprinter.dicom.uids import derive_uid
from dicomprinter.job.job import dataset_text
from dicomprinter.job.parts import Instance

if TYPE_CHECKING:
    from dicomprinter.dicom.forwarded.original import Original
    from dicomprinter.job.job import Job

# As `Flags.set_tags` names them.
MODALITY: Final = "00080060"
_STUDY: Final = "0020000D"
_SERIES: Final = "0020000E"


def forwarded(job: Job, representation: Representation) -> list[Planned]:
    """Every DICOM file of a job as an object to be sent. Its valid UIDs stay.

    Raises:
        PermanentError: a file is no sound DICOM file.
    """
    if not job.payload.objects:
        return []
    changes = _changes(job)
    content = json.dumps(["forwarded", representation.character_set or "", dataset_text(changes)])
    key = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    found = []
    for number, file in enumerate(job.payload.objects, start=1):
        original = read_original(job.path(file))
        instance = _instance(job, f"{key}/{file}", original, number)
        found.append(Planned(instance, _source(job, file, original), changes, syntaxes(original)))
    return found


def own_attributes(job: Job) -> Dataset:
    """What a job's pages and PDFs take of its dataset.

    In a job that holds a DICOM file too, the rest of the dataset describes that file's image.
    """
    if not job.payload.objects:
        return job.dataset
    changes = _changes(job)
    return Dataset(
        {
            element.tag: element
            for element in job.dataset
            if is_of_patient_or_study(element.tag) or element.tag in changes
        }
    )


def _changes(job: Job) -> Dataset:
    """What the job has changed; an order's modality is not that of images that are there already."""
    changes = changed(job.dataset, header(job.path(job.payload.objects[0])))
    if "Modality" in changes and MODALITY not in job.flags.set_tags:
        del changes.Modality
    return changes


def _source(job: Job, file: str, original: Original) -> Forwarded:
    """What replaces the file's own UIDs: what the configuration itself has set, and where the file has no valid one."""
    study = series = None
    if _STUDY in job.flags.set_tags or "study_instance_uid" in original.invalid_uids:
        study = job.study_instance_uid
    if _SERIES in job.flags.set_tags:
        series = str(job.dataset.get("SeriesInstanceUID") or "") or None
    if series is None and "series_instance_uid" in original.invalid_uids:
        series = derive_uid(job.id, "series", "forwarded")
    return Forwarded(file, study, series)


def _instance(job: Job, key: str, original: Original, number: int) -> Instance:
    uid = original.sop_instance_uid
    if "sop_instance_uid" in original.invalid_uids:
        uid = derive_uid(job.id, "instance", key)
    made = Instance(key, original.sop_class_uid, uid, original.series_instance_uid, 0, number)
    return job.instances.get(key, made)
