"""DICOM files of a job: objects that go on as they are, with what the job has changed."""

from __future__ import annotations

import filecmp
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, RawDataStorage

from dicomprinter.actions.objects.own import merged, own_key
from dicomprinter.actions.objects.representation import Forwarded, Planned, Representation
from dicomprinter.dicom.forwarded.changes import changed
from dicomprinter.dicom.forwarded.original import header, read_original
from dicomprinter.dicom.forwarded.syntaxes import syntaxes
from dicomprinter.dicom.query.answer import is_of_patient_or_study
from dicomprinter.dicom.tags import refused_in_a_job
from dicomprinter.dicom.uids import derive_uid
from dicomprinter.errors import PermanentError
from dicomprinter.job.job import dataset_text
from dicomprinter.job.parts import Instance

if TYPE_CHECKING:
    from pathlib import Path

    from dicomprinter.actions.objects.own import OwnAttributes
    from dicomprinter.dicom.forwarded.original import Original
    from dicomprinter.job.job import Job

# As `Flags.set_tags` names them.
MODALITY: Final = "00080060"
_STUDY: Final = "0020000D"
_SERIES: Final = "0020000E"


def forwarded(job: Job, representation: Representation, changes: Dataset, own: OwnAttributes) -> list[Planned]:
    """Every DICOM file of a job as an object to be sent, with the job's changes and its own. Its valid UIDs stay."""
    content = json.dumps(["forwarded", representation.character_set or "", dataset_text(changes)])
    key = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    found: list[Planned] = []
    first: dict[str, str] = {}
    for number, file in enumerate(job.payload.objects, start=1):
        alone = own.of(Forwarded(file, None, None))
        planned = _planned(job, own_key(f"{key}/{file}", alone), file, number, merged(changes, alone))
        before = first.setdefault(planned.instance.sop_instance_uid, file)
        if before == file:
            found.append(planned)
        elif filecmp.cmp(job.path(before), job.path(file), shallow=False):
            job.note("a DICOM file is there twice; it is sent once", level="WARN")
        else:
            found.append(replace(planned, fault=_same_uid()))
    return found


def own_attributes(job: Job, changes: Dataset) -> Dataset:
    """What a job's pages and PDFs take of its dataset.

    In a job that holds a DICOM file too, the rest of the dataset describes that file's image.
    """
    if not job.payload.objects:
        return job.dataset
    return Dataset(
        {
            element.tag: element
            for element in job.dataset
            if is_of_patient_or_study(element.tag) or element.tag in changes
        }
    )


def changes_of(job: Job) -> Dataset:
    """What the job has changed of its DICOM files, nothing where it has none.

    An order's modality is not that of images that are there already. What the
    configuration itself has set goes into every file, also where the first has it already.

    Raises:
        PermanentError: the first file is no sound DICOM file, or a patient that a Query gave would be written into the
            files of several patients.
    """
    if not job.payload.objects:
        return Dataset()
    changes = changed(job.dataset, header(job.path(job.payload.objects[0])))
    if "Modality" in changes and MODALITY not in job.flags.set_tags:
        del changes.Modality
    of_a_query = [element for element in changes if f"{int(element.tag):08X}" not in job.flags.set_tags]
    if any(element.tag.group == 0x0010 for element in of_a_query) and len({*map(_patient, _paths(job))}) > 1:
        raise PermanentError(
            "the job holds DICOM files of several patients, and a Query has given one patient for all",
            remedy="give the files of each patient as a job of their own",
        )
    for name in job.flags.set_tags:
        if int(name, 16) in job.dataset and not refused_in_a_job(int(name, 16)):
            changes.add(job.dataset[int(name, 16)])
    return changes


def _paths(job: Job) -> list[Path]:
    return [job.path(file) for file in job.payload.objects]


def _patient(path: Path) -> str:
    return str(header(path).get("PatientID") or "")


def _planned(job: Job, key: str, file: str, number: int, changes: Dataset) -> Planned:
    """One file as an object; what is wrong with it is its own fault."""
    path = job.path(file)
    try:
        original = read_original(path)
    except PermanentError as error:
        instance = Instance(key, RawDataStorage, derive_uid(job.id, "instance", key), "", 0, number)
        return Planned(instance, Forwarded(file, None, None), changes, (ExplicitVRLittleEndian,), error)
    study, series = _study(job, path, original), _series(job, original)
    uid = original.sop_instance_uid
    if "sop_instance_uid" in original.invalid_uids:
        uid = derive_uid(job.id, "instance", key)
    made = Instance(key, original.sop_class_uid, uid, series or original.series_instance_uid, 0, number)
    instance = job.instances.get(key, made)
    return Planned(instance, Forwarded(file, study, series), changes, syntaxes(original))


def _study(job: Job, path: Path, original: Original) -> str | None:
    """The study in place of the file's own; None keeps that. A study is of one patient (PS3.3 A.1.2)."""
    if _STUDY in job.flags.set_tags:
        return job.study_instance_uid
    if "study_instance_uid" not in original.invalid_uids:
        return None
    patient = _patient(path)
    if patient == _patient(job.path(job.payload.objects[0])):
        return job.study_instance_uid
    return derive_uid(job.id, "study", "forwarded", patient)


def _series(job: Job, original: Original) -> str | None:
    """The series in place of the file's own; a series is of one study and one kind of object (PS3.3 A.1.2)."""
    is_alone = not job.payload.pages and not job.payload.documents and len(job.payload.objects) == 1
    if _SERIES in job.flags.set_tags and is_alone:
        return str(job.dataset.get("SeriesInstanceUID") or "") or None
    if "series_instance_uid" not in original.invalid_uids:
        return None
    return derive_uid(job.id, "series", "forwarded", original.study_instance_uid, original.sop_class_uid)


def _same_uid() -> PermanentError:
    return PermanentError(
        "another DICOM file of the job has the same SOP Instance UID and other content",
        cause="an archive would keep one of them",
        remedy="give the files as jobs of their own, or correct the one that was copied",
    )
