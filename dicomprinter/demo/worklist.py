"""A modality worklist that answers from given entries (PS3.4 Annex K)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import evt
from pynetdicom.events import Event

from dicomprinter.demo.listener import UNCOMPRESSED, Listener
from dicomprinter.demo.matching import answer, matches

WORKLIST_FIND: Final = "1.2.840.10008.5.1.4.31"

_PENDING: Final = 0xFF00
_CANCELLED: Final = 0xFE00


def worklist_entry(
    *,
    patient_name: str,
    patient_id: str,
    accession_number: str,
    description: str,
    start: datetime,
    modality: str = "OT",
    station_ae_title: str = "DICOM_PRINTER",
    birth_date: str = "",
    sex: str = "",
    study_instance_uid: str = "",
) -> Dataset:
    """A complete entry: all that PS3.4 table K.6-1 wants, one scheduled step.

    Args:
        patient_name: as in DICOM, groups and components included.
        patient_id: of the patient.
        accession_number: of the order; also names the requested procedure and its step.
        description: of the procedure and the step.
        start: when the step is planned.
        modality: of the step.
        station_ae_title: who is to perform it.
        birth_date: `YYYYMMDD` or empty.
        sex: `F`, `M`, `O` or empty.
        study_instance_uid: of the study to be; empty makes a new one.
    """
    step = Dataset()
    step.ScheduledStationAETitle = station_ae_title
    step.ScheduledProcedureStepStartDate = start.strftime("%Y%m%d")
    step.ScheduledProcedureStepStartTime = start.strftime("%H%M%S")
    step.Modality = modality
    step.ScheduledPerformingPhysicianName = ""
    step.ScheduledProcedureStepDescription = description
    step.ScheduledStationName = station_ae_title
    step.ScheduledProcedureStepLocation = ""
    step.PreMedication = ""
    step.ScheduledProcedureStepID = f"S{accession_number}"[:16]
    step.RequestedContrastAgent = ""
    entry = Dataset()
    entry.SpecificCharacterSet = "ISO_IR 192"
    entry.AccessionNumber = accession_number
    entry.ReferringPhysicianName = ""
    entry.ReferencedStudySequence = []
    entry.ReferencedPatientSequence = []
    entry.PatientName = patient_name
    entry.PatientID = patient_id
    entry.PatientBirthDate = birth_date
    entry.PatientSex = sex
    entry.PatientWeight = ""
    entry.MedicalAlerts = ""
    entry.Allergies = ""
    entry.PregnancyStatus = 4
    entry.StudyInstanceUID = study_instance_uid or generate_uid(prefix=None)
    entry.RequestingPhysician = ""
    entry.RequestedProcedureDescription = description
    entry.AdmissionID = ""
    entry.SpecialNeeds = ""
    entry.CurrentPatientLocation = ""
    entry.PatientState = ""
    entry.ScheduledProcedureStepSequence = [step]
    entry.RequestedProcedureID = f"R{accession_number}"[:16]
    entry.RequestedProcedurePriority = "MEDIUM"
    entry.PatientTransportArrangements = ""
    entry.ConfidentialityConstraintOnPatientDataDescription = ""
    return entry


class EmbeddedWorklist(Listener):
    """Answers Modality Worklist queries; `.queries` keeps the identifiers that came, in order.

    Args:
        entries: one data set an entry, with its ScheduledProcedureStepSequence; text is Unicode.
        ae_title: the worklist's.
        port: 0 takes a free one.
    """

    def __init__(self, entries: Sequence[Dataset], ae_title: str = "WORKLIST", port: int = 0) -> None:
        self.entries = tuple(entries)
        self.queries: list[Dataset] = []
        super().__init__(ae_title, port, [(WORKLIST_FIND, UNCOMPRESSED)], [(evt.EVT_C_FIND, self._find)])

    def _find(self, event: Event) -> Iterator[tuple[int, Dataset | None]]:
        keys = event.identifier
        keys.decode()
        self.queries.append(keys)
        for entry in self.entries:
            if event.is_cancelled:
                yield _CANCELLED, None
                return
            if matches(keys, entry):
                found = answer(keys, entry)
                found.SpecificCharacterSet = "ISO_IR 192"
                yield _PENDING, found
