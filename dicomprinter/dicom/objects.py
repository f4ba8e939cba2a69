"""What every object of a job shares: patient, study, series, equipment (PS3.3 A.8.1.3, A.45.1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from dicomprinter.dicom.attributes import prepared
from dicomprinter.dicom.character_sets import narrowest, write_in
from dicomprinter.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_TYPE_2: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
    "Manufacturer",
)


@dataclass(frozen=True)
class Identity:
    """Which instance this is; made once by whoever owns the job.

    Args:
        study_instance_uid: the study's UID.
        series_instance_uid: the series' UID.
        sop_instance_uid: the instance's UID.
        series_number: the series' number, from 0.
        instance_number: the instance's number, from 1.
        created: the job's local time.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    series_number: int
    instance_number: int
    created: datetime


def begin(
    attributes: Dataset, identity: Identity, *, sop_class: UID, transfer_syntax: UID, modality: str
) -> tuple[Dataset, list[str]]:
    """An object with its patient, study, series, equipment and instance; the rest is the caller's.

    Args:
        attributes: the job's dataset; stays as it is.
        identity: which instance this is.
        sop_class: the object's class.
        transfer_syntax: how it will be written.
        modality: for a job that knows none.

    Returns:
        The object and the notes for the history.

    Raises:
        PermanentError: a value cannot be written; names the tag.
    """
    dataset, notes = prepared(attributes)
    # Where a query gave the study, what it said of the study's date holds, even when it said nothing.
    given = "StudyInstanceUID" in dataset
    if not ("StudyDate" in dataset and (given or dataset.StudyDate)):
        dataset.StudyDate = day(identity.created)
        if not dataset.get("StudyTime"):
            dataset.StudyTime = time(identity.created)
    for keyword in (*_TYPE_2, "StudyTime"):
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    for keyword, value in (("Modality", modality), ("ConversionType", "WSD")):
        if not dataset.get(keyword):
            setattr(dataset, keyword, value)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = identity.sop_instance_uid
    dataset.StudyInstanceUID = identity.study_instance_uid
    dataset.SeriesInstanceUID = identity.series_instance_uid
    dataset.SeriesNumber = identity.series_number
    dataset.InstanceNumber = identity.instance_number
    for keyword, text in (("ContentDate", day(identity.created)), ("ContentTime", time(identity.created))):
        if not dataset.get(keyword):
            setattr(dataset, keyword, text)
    dataset.InstanceCreationDate = day(identity.created)
    dataset.InstanceCreationTime = time(identity.created)
    dataset.file_meta = _file_meta(sop_class, identity.sop_instance_uid, transfer_syntax)
    return dataset, notes


def finish(dataset: Dataset, character_set: str | None) -> None:
    """Declare the character set, once every text is in.

    Raises:
        PermanentError: a text that the set cannot hold; names the tag.
    """
    write_in(dataset, narrowest(dataset, character_set))


def day(moment: datetime) -> str:
    """A DA."""
    return moment.strftime("%Y%m%d")


def time(moment: datetime) -> str:
    """A TM."""
    return moment.strftime("%H%M%S.%f")


def _file_meta(sop_class: UID, sop_instance_uid: str, transfer_syntax: UID) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = UID(transfer_syntax)
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta
