"""The directory records of an instance (PS3.3 F.5): patient, study, series, and its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from pydicom.dataset import Dataset
from pydicom.fileset import DIRECTORY_RECORDERS
from pydicom.uid import UID

_ROOT: Final = "1.2.840.10008.5.1.4.1.1."
# By the beginning of the SOP class (PS3.4 B.5); the first that fits. What has rows is an image whatever its class.
_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        f"{_ROOT}104.": "ENCAP DOC",
        f"{_ROOT}88.59": "KEY OBJECT DOC",
        f"{_ROOT}88.": "SR DOCUMENT",
        f"{_ROOT}11.": "PRESENTATION",
        f"{_ROOT}9.": "WAVEFORM",
        f"{_ROOT}481.3": "RT STRUCTURE SET",
        f"{_ROOT}481.5": "RT PLAN",
        f"{_ROOT}481.8": "RT PLAN",
        f"{_ROOT}481.2": "RT DOSE",
        f"{_ROOT}66.1": "REGISTRATION",
        f"{_ROOT}66.2": "FIDUCIAL",
        f"{_ROOT}66.3": "REGISTRATION",
        f"{_ROOT}66.5": "SURFACE",
        f"{_ROOT}66": "RAW DATA",
    }
)


@dataclass(frozen=True)
class Filled:
    """The records of an instance, and the keywords of the keys that have a value only because a record needs one."""

    records: tuple[Dataset, Dataset, Dataset, Dataset]
    invented: tuple[str, ...]


def directory_records(header: Dataset, file_id: tuple[str, ...], moment: datetime) -> Filled:
    """The four records of an instance.

    Keys of type 1 that the instance does not have get a value that nobody takes for a true one: `NO_ID_` and digits
    that follow from the study, for Patient ID and Study ID; for the study's date and time those of the object's own
    creation, else `moment`.

    Args:
        header: the instance, with its file meta information; nothing large is needed.
        file_id: the components of its File ID.
        moment: when the job was made.

    Raises:
        ValueError: its class has no record, or it lacks what only it can know.
    """
    invented: dict[str, None] = {}

    def value(keyword: str, otherwise: str | int, *sources: str) -> object:
        for name in (keyword, *sources):
            found = header.get(name)
            if found not in (None, ""):
                if name != keyword:
                    invented[keyword] = None
                return found
        invented[keyword] = None
        return otherwise

    meta = header.file_meta
    uids = {name: str(header.get(name) or "") for name in ("StudyInstanceUID", "SeriesInstanceUID")}
    if not all(uids.values()):
        raise ValueError("it has no study or series")
    no_id = "NO_ID_" + hashlib.sha256(uids["StudyInstanceUID"].encode()).hexdigest()[:8].upper()
    patient = _record(
        header, "PATIENT", PatientName=header.get("PatientName") or "", PatientID=value("PatientID", no_id)
    )
    study = _record(
        header,
        "STUDY",
        StudyDate=value("StudyDate", f"{moment:%Y%m%d}", "ContentDate", "InstanceCreationDate"),
        StudyTime=value("StudyTime", f"{moment:%H%M%S}", "ContentTime", "InstanceCreationTime"),
        StudyDescription=header.get("StudyDescription") or "",
        StudyInstanceUID=uids["StudyInstanceUID"],
        StudyID=value("StudyID", no_id),
        AccessionNumber=header.get("AccessionNumber") or "",
    )
    series = _record(
        header,
        "SERIES",
        Modality=value("Modality", "OT"),
        SeriesInstanceUID=uids["SeriesInstanceUID"],
        SeriesNumber=value("SeriesNumber", 1),
    )
    kind = record_type(header)
    whole = Dataset()
    whole.update(header)
    whole.InstanceNumber = value("InstanceNumber", 1)
    if kind == "ENCAP DOC" and not whole.get("MIMETypeOfEncapsulatedDocument"):
        whole.MIMETypeOfEncapsulatedDocument = "application/pdf"
    leaf = DIRECTORY_RECORDERS[kind](whole)
    _finish(leaf, header, kind)
    leaf.ReferencedFileID = list(file_id)
    leaf.ReferencedSOPClassUIDInFile = meta.MediaStorageSOPClassUID
    leaf.ReferencedSOPInstanceUIDInFile = meta.MediaStorageSOPInstanceUID
    leaf.ReferencedTransferSyntaxUIDInFile = meta.TransferSyntaxUID
    return Filled((patient, study, series, leaf), tuple(invented))


def record_type(header: Dataset) -> str:
    """The type of an instance's own record (PS3.3 F.4).

    Raises:
        ValueError: its class has none here.
    """
    sop_class = str(header.file_meta.MediaStorageSOPClassUID)
    if "Rows" in header and not sop_class.startswith(f"{_ROOT}481.2"):
        return "IMAGE"
    kind = next((kind for beginning, kind in _KINDS.items() if sop_class.startswith(beginning)), None)
    if kind is None:
        raise ValueError(f"there is no directory record for {UID(sop_class).name}")
    return kind


def _record(header: Dataset, kind: str, **keys: object) -> Dataset:
    record = Dataset()
    for keyword, value in keys.items():
        setattr(record, keyword, value)
    _finish(record, header, kind)
    return record


def _finish(record: Dataset, header: Dataset, kind: str) -> None:
    record.DirectoryRecordType = kind
    if header.get("SpecificCharacterSet"):
        record.SpecificCharacterSet = header.SpecificCharacterSet
