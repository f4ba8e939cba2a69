from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from dicomprinter.demo.worklist import WORKLIST_FIND, EmbeddedWorklist, worklist_entry
from dicomprinter.dicom.network.association import Association
from dicomprinter.dicom.network.peer import Peer
from tests.waiting import PATIENCE

ENTRIES = [
    worklist_entry(
        patient_name="Müller^Jürgen",
        patient_id="M1",
        accession_number="A1",
        description="Spirometrie",
        start=datetime(2026, 1, 31, 10, 30),
        modality="OT",
        station_ae_title="SPIRO",
    ),
    worklist_entry(
        patient_name="山田^太郎",
        patient_id="Y1",
        accession_number="A2",
        description="ECG",
        start=datetime(2026, 2, 1, 8, 0),
        modality="ECG",
        station_ae_title="ECG1",
    ),
]


def find(step: dict[str, Any] | None = None, *, entries: Sequence[Dataset] = ENTRIES, **keys: Any) -> list[Dataset]:
    identifier = Dataset()
    item = Dataset()
    for target, values in ((item, step or {}), (identifier, {"AccessionNumber": "", **keys})):
        for keyword, value in values.items():
            setattr(target, keyword, value)
    identifier.ScheduledProcedureStepSequence = [item]
    with EmbeddedWorklist(entries) as worklist:
        peer = Peer(worklist.ae_title, "127.0.0.1", worklist.port, association_timeout=PATIENCE, dimse_timeout=PATIENCE)
        with Association.open(peer, [(WORKLIST_FIND, [ExplicitVRLittleEndian])]) as association:
            found = list(association.find(WORKLIST_FIND, identifier))
        assert len(worklist.queries) == 1
    return found


@pytest.mark.parametrize(
    ("step", "keys", "found"),
    [
        ({}, {}, ["A1", "A2"]),
        ({"ScheduledProcedureStepStartDate": "20260131"}, {}, ["A1"]),
        ({"ScheduledProcedureStepStartDate": "20260201-20260228"}, {}, ["A2"]),
        ({"ScheduledProcedureStepStartTime": "08-09"}, {}, ["A2"]),
        ({"ScheduledProcedureStepStartTime": "-10"}, {}, ["A1", "A2"]),
        ({"Modality": "ECG"}, {}, ["A2"]),
        ({"Modality": "ECG", "ScheduledStationAETitle": "SPIRO"}, {}, []),
        ({"ScheduledStationAETitle": "SPIRO"}, {"PatientName": "müller*"}, ["A1"]),
        ({}, {"PatientName": "山?^*"}, ["A2"]),
        ({}, {"PatientID": "M*"}, ["A1"]),
    ],
)
def test_matching(step: dict[str, Any], keys: dict[str, Any], found: list[str]) -> None:
    assert [entry.AccessionNumber for entry in find(step, **keys)] == found


def test_only_what_was_asked_for_comes_back() -> None:
    (entry,) = find({"ScheduledProcedureStepDescription": ""}, PatientID="M1", PatientName="", AdmissionID="")
    assert str(entry.PatientName) == "Müller^Jürgen"
    assert entry.AdmissionID == ""
    assert "RequestedProcedureID" not in entry
    (step,) = entry.ScheduledProcedureStepSequence
    assert [element.keyword for element in step] == ["ScheduledProcedureStepDescription"]


def test_an_empty_item_asks_for_the_whole_step() -> None:
    (entry,) = find(PatientID="M1")
    assert entry.ScheduledProcedureStepSequence[0].ScheduledStationAETitle == "SPIRO"


def test_only_the_steps_that_match_come_back() -> None:
    entry = deepcopy(ENTRIES[0])
    entry.ScheduledProcedureStepSequence = [
        ENTRIES[0].ScheduledProcedureStepSequence[0],
        ENTRIES[1].ScheduledProcedureStepSequence[0],
    ]
    (found,) = find({"Modality": "ECG"}, entries=[entry])
    assert [step.Modality for step in found.ScheduledProcedureStepSequence] == ["ECG"]
