"""What of an answer goes into the job's dataset, and in which order answers stand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomprinter.dicom.query.answer import copied, copied_from_worklist, in_order
from dicomprinter.dicom.query.keys import quiet_element
from dicomprinter.dicom.tags import dictionary_vr
from tests.actions.query_help import data, entry

CODE = {"CodeValue": "C1", "CodingSchemeDesignator": "99X", "CodeMeaning": "one"}


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientName", "Doe^Jane"),
        ("PatientBirthDate", "19700101"),
        ("PatientComments", ""),
        ("AccessionNumber", ""),
        ("StudyInstanceUID", "1.2.3"),
        ("StudyID", "S"),
        ("StudyDate", "20260101"),
        ("StudyDescription", "d"),
        ("ReferringPhysicianName", "Ref"),
        ("RequestingPhysician", "Req"),
        ("RequestedProcedurePriority", "HIGH"),
        ("AdmissionID", "adm"),
        ("ClinicalTrialProtocolID", "t"),
        ("InstitutionName", "clinic"),
    ],
)
def test_copied(keyword: str, value: str) -> None:
    result = copied(data(PatientID="P0"), data(**{keyword: value}))
    assert keyword in result
    assert str(result[keyword].value or "") == value


@pytest.mark.parametrize(
    "values",
    [
        {"SpecificCharacterSet": "ISO_IR 192"},
        {"SOPClassUID": "1.2"},
        {"SOPInstanceUID": "1.2"},
        {"QueryRetrieveLevel": "STUDY"},
        {"RetrieveAETitle": "PACS"},
        {"InstanceAvailability": "ONLINE"},
        {"ModalitiesInStudy": ["CT", "MR"]},
        {"SeriesInstanceUID": "1.2"},
        {"InstanceNumber": "1"},
        {"NumberOfPatientRelatedStudies": "3"},
        {"NumberOfStudyRelatedInstances": "3"},
        {"NumberOfSeriesRelatedInstances": "3"},
        {"Rows": 3},
        {"PixelData": b"\0\0"},
        {"ReferencedPatientSequence": [data(PatientID="1")]},
    ],
)
def test_never_copied_even_when_asked_for(values: dict[str, Any]) -> None:
    answer = data(**values)
    assert copied(data(), answer, asked=[element.tag for element in answer]) == Dataset()


def test_what_speaks_of_a_series_is_copied_only_when_the_query_names_it() -> None:
    answer = data(SeriesDescription="s", BodyPartExamined="CHEST")
    assert copied(data(), answer) == Dataset()
    assert copied(data(), answer, asked=[Tag("SeriesDescription")]) == data(SeriesDescription="s")


def test_sequences_that_persist() -> None:
    answer = data(ReferencedPatientSequence=[data(PatientID="1")], PersonIdentificationCodeSequence=[data(**CODE)])
    result = copied(data(), answer, persist=[Tag("ReferencedPatientSequence")])
    assert result.ReferencedPatientSequence[0].PatientID == "1"
    assert "PersonIdentificationCodeSequence" not in result


def test_private_elements_keep_their_creator() -> None:
    answer = Dataset()
    answer.private_block(0x0011, "ACME", create=True).add_new(1, "LO", "v")
    asked = [Tag(0x0011, 0x1001)]
    assert copied(data(), answer) == Dataset()
    assert copied(data(), answer, asked=asked).private_block(0x0011, "ACME")[1].value == "v"
    job = Dataset()
    job.private_block(0x0011, "OTHER", create=True).add_new(1, "LO", "mine")
    result = copied(job, answer, asked=asked)
    assert result.private_block(0x0011, "OTHER")[1].value == "mine"
    assert result.private_block(0x0011, "ACME")[1].value == "v"


def test_a_single_modality_in_study() -> None:
    assert copied(data(), data(ModalitiesInStudy="CT")).Modality == "CT"
    assert copied(data(Modality="OT"), data(ModalitiesInStudy="CT")).Modality == "OT"
    assert "Modality" not in copied(data(), data(ModalitiesInStudy=["CT", "SR"]))


def test_the_jobs_dataset_stays_as_it_was() -> None:
    job = data(PatientID="P0", ProcedureCodeSequence=[data(**CODE)])
    copied_from_worklist(job, entry())
    assert job == data(PatientID="P0", ProcedureCodeSequence=[data(**CODE)])


def test_a_worklist_match_fills_what_an_object_needs() -> None:
    study = {"ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1", "ReferencedSOPInstanceUID": "1.2.9"}
    answer = entry(
        RequestedProcedureCodeSequence=[data(**CODE, CodingSchemeVersion="")],
        ReferencedStudySequence=[data(**study)],
        step_ScheduledProtocolCodeSequence=[data(**{**CODE, "CodeValue": "P"})],
        step_ScheduledProcedureStepStartTime="1015",
        step_ScheduledPerformingPhysicianName="Doc",
        step_ScheduledProcedureStepDescription="Abdomen upper",
    )
    second = data(ScheduledProcedureStepID="S2", Modality="CT")
    answer.ScheduledProcedureStepSequence.append(second)
    result = copied_from_worklist(data(Modality="OT", StudyDate="20200101"), answer)
    assert (result.StudyDate, result.StudyTime, result.Modality) == ("20260314", "1015", "US")
    assert str(result.PerformingPhysicianName) == "Doc"
    assert (result.StudyDescription, result.StudyID, result.AccessionNumber) == ("Abdomen upper", "R1", "A1")
    assert "RequestedProcedureID" not in result
    assert "ScheduledProcedureStepSequence" not in result
    assert result.ProcedureCodeSequence[0].CodeValue == "C1"
    assert "CodingSchemeVersion" not in result.ProcedureCodeSequence[0]
    assert result.ReferencedStudySequence[0].ReferencedSOPInstanceUID == "1.2.9"
    first, other = result.RequestAttributesSequence
    assert (first.ScheduledProcedureStepID, other.ScheduledProcedureStepID) == ("S1", "S2")
    assert (first.RequestedProcedureID, first.AccessionNumber, first.StudyInstanceUID) == ("R1", "A1", "1.2.3")
    assert first.RequestedProcedureDescription == "Abdomen"
    assert first.ScheduledProcedureStepDescription == "Abdomen upper"
    assert first.RequestedProcedureCodeSequence[0].CodeMeaning == "one"
    assert first.ScheduledProtocolCodeSequence[0].CodeValue == "P"
    assert "ScheduledProtocolCodeSequence" not in other


@pytest.mark.filterwarnings("error")
def test_nothing_tells_the_log_of_a_bad_value() -> None:
    answer = entry()
    for keyword in ("ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime", "Modality"):
        tag = Tag(keyword)
        answer.ScheduledProcedureStepSequence[0].add(quiet_element(tag, dictionary_vr(tag) or "", "bad"))
    assert copied_from_worklist(data(), answer).StudyDate == "bad"


def test_shells_of_return_keys_are_no_codes() -> None:
    shell = data(CodeValue="", CodingSchemeDesignator="", CodeMeaning="")
    answer = entry(
        RequestedProcedureCodeSequence=[shell],
        ReferencedStudySequence=[data(ReferencedSOPClassUID="", ReferencedSOPInstanceUID="")],
    )
    result = copied_from_worklist(data(), answer)
    assert "ProcedureCodeSequence" not in result
    assert "ReferencedStudySequence" not in result
    assert "RequestedProcedureCodeSequence" not in result.RequestAttributesSequence[0]


def test_an_earlier_match_goes() -> None:
    earlier = copied_from_worklist(
        data(), entry(PatientID="P0", RequestedProcedureCodeSequence=[data(**CODE)], RequestedProcedureID="R0")
    )
    result = copied_from_worklist(earlier, entry())
    assert "ProcedureCodeSequence" not in result
    assert [one.RequestedProcedureID for one in result.RequestAttributesSequence] == ["R1"]
    assert result.PatientID == "P1"


@pytest.mark.parametrize(
    ("job", "planned", "ordered", "expected"),
    [
        ({}, "planned", "ordered", "planned"),
        ({}, "", "ordered", "ordered"),
        ({"StudyDescription": "mine"}, "planned", "ordered", "ordered"),
        ({"StudyDescription": "mine"}, "planned", "", "mine"),
        ({"StudyDescription": "mine"}, "", "", "mine"),
        ({}, "", "", None),
    ],
)
def test_the_study_description(job: dict[str, str], planned: str, ordered: str, expected: str | None) -> None:
    answer = entry(step_ScheduledProcedureStepDescription=planned, RequestedProcedureDescription=ordered)
    assert copied_from_worklist(data(**job), answer).get("StudyDescription") == expected


def test_what_the_job_has_already() -> None:
    job = data(PerformingPhysicianName="mine", AccessionNumber="A0")
    answer = entry(step_ScheduledPerformingPhysicianName="Doc")
    result = copied_from_worklist(job, answer)
    assert (str(result.PerformingPhysicianName), result.AccessionNumber) == ("mine", "A0")
    assert copied_from_worklist(job, answer, asked=[Tag("AccessionNumber")]).AccessionNumber == "A1"
    empty = entry(AccessionNumber="")
    assert not copied_from_worklist(job, empty, asked=[Tag("AccessionNumber")]).AccessionNumber


def test_an_answer_without_steps() -> None:
    answer = entry()
    del answer.ScheduledProcedureStepSequence
    result = copied_from_worklist(data(Modality="OT"), answer)
    assert result.Modality == "OT"
    assert result.RequestAttributesSequence[0].RequestedProcedureID == "R1"


def test_what_the_query_names_is_copied_into_the_root_too() -> None:
    result = copied_from_worklist(data(), entry(), asked=[Tag("RequestedProcedureID")])
    assert result.RequestedProcedureID == "R1"


def test_order_by_a_tag_of_the_step() -> None:
    early, late = entry(step_ScheduledProcedureStepStartDate="20260101"), entry()
    assert in_order([late, early], [(Tag("StudyDate"), False)]) == [early, late]
    assert in_order([early, late], [(Tag("ScheduledProcedureStepStartDate"), True)]) == [late, early]


def test_numbers_are_sorted_as_numbers() -> None:
    answers = [data(SeriesNumber=number) for number in ("10", "9", "", "100")]
    ordered = [one.SeriesNumber for one in in_order(answers, [(Tag("SeriesNumber"), True)])]
    assert ordered[:3] == [100, 10, 9]
    assert not ordered[3]


rows = st.lists(
    st.tuples(
        st.sampled_from(["", None, "20260101", "20260102", "20260103"]), st.sampled_from(["", None, "08", "0930", "12"])
    )
)


@given(rows, st.booleans(), st.booleans())
def test_sorting_is_stable_and_puts_what_lacks_a_value_last(
    table: list[tuple[str | None, str | None]], date_falls: bool, time_falls: bool
) -> None:
    answers = []
    for number, (day, time) in enumerate(table):
        answer = data(PatientID=str(number))
        if day is not None:
            answer.StudyDate = day
        if time is not None:
            answer.StudyTime = time
        answers.append(answer)
    ordered = in_order(answers, [(Tag("StudyDate"), date_falls), (Tag("StudyTime"), time_falls)])
    assert sorted(int(one.PatientID) for one in ordered) == list(range(len(table)))

    def rank(answer: Dataset, keyword: str, falls: bool) -> tuple[bool, float]:
        text = answer.get(keyword) or ""
        number = float((text or "0").ljust(8, "0"))
        return (not text, -number if falls else number)

    ranks = [
        (rank(one, "StudyDate", date_falls), rank(one, "StudyTime", time_falls), int(one.PatientID)) for one in ordered
    ]
    assert ranks == sorted(ranks)
