"""What a Query asks for one job: values, conditions, worklist steps, levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomprinter.actions.query.question import Asker
from dicomprinter.dicom.query.keys import QueryItem, identifier, rejection
from dicomprinter.errors import PermanentError
from dicomprinter.job.job import Job
from tests.actions.query_help import data, entry, make_job, messages, query

STUDY = 'type="Study"'
STEP = '<DcmSequence tag="0040,0100"><DcmItem>{}</DcmItem></DcmSequence>'


def asked(job: Job, inner: str = "", attributes: str = 'type="Worklist"') -> QueryItem:
    find = query(inner, attributes)
    return Asker(find.name, find.wishes, find.force_station, job).question()


def sent(job: Job, inner: str = "", attributes: str = 'type="Worklist"') -> Dataset:
    return identifier(asked(job, inner, attributes))


def step(keys: Dataset) -> Dataset:
    (one,) = keys.ScheduledProcedureStepSequence
    return one


@pytest.mark.parametrize(
    ("inner", "goes_out"),
    [
        ('<DcmTag tag="PatientComments">own</DcmTag>', "own"),
        ('<DcmTag tag="PatientComments"/>', "the job's"),
        ('<DcmTag tag="PatientComments">#{PatientID}-#{Job.User}</DcmTag>', "P1-anna"),
        ('<DcmTag tag="PatientComments">#{EthnicGroup}</DcmTag>', "the job's"),
        ('<DcmTag tag="PatientComments">a*</DcmTag>', "a*"),
        ('<DcmTag tag="PatientComments">!a</DcmTag>', None),
        ('<DcmTag tag="PatientComments">a|b</DcmTag>', None),
        ('<DcmTag tag="PatientComments">^a</DcmTag>', None),
        ('<DcmTag tag="PatientComments" match="local">a</DcmTag>', None),
        ('<DcmTag tag="PatientComments" match="local"/>', None),
        ('<DcmTag tag="PatientBirthDate">2026*</DcmTag>', None),
        ('<DcmTag tag="PatientBirthDate">#{Date,-7,7}</DcmTag>', "20260301-20260315"),
        ('<DcmTag tag="StudyInstanceUID">1.2.*</DcmTag>', None),
        (r'<DcmTag tag="StudyInstanceUID">1.2\1.3</DcmTag>', ["1.2", "1.3"]),
        ('<DcmTag tag="PatientSex"/>', None),
        ('<DcmTag tag="PatientSize">1-2</DcmTag>', None),
        ('<DcmTag tag="SeriesNumber">1-5</DcmTag>', None),
        ('<DcmTag tag="StudyTime">0800-1200</DcmTag>', "0800-1200"),
    ],
)
def test_what_goes_out(tmp_path: Path, inner: str, goes_out: Any) -> None:
    job = make_job(tmp_path, PatientID="P1", PatientComments="the job's")
    keys = sent(job, inner, STUDY)
    tag = query(inner, STUDY).wishes.keys.keys[0].tag
    value = keys[tag].value
    assert (list(value) if isinstance(goes_out, list) else value or None) == goes_out


@pytest.mark.parametrize(
    ("inner", "admitted", "refused"),
    [
        ('<DcmTag tag="PatientID">p1</DcmTag>', "P1", "P2"),
        ('<DcmTag tag="PatientID">P?</DcmTag>', "P2", "P10"),
        ('<DcmTag tag="PatientID">P1|P2</DcmTag>', "P2", "P3"),
        ('<DcmTag tag="PatientID">!P1|!P2</DcmTag>', "P3", "P2"),
        ('<DcmTag tag="PatientID">P*|!P2</DcmTag>', "P3", "P2"),
        ('<DcmTag tag="PatientID">^p(1|2)$</DcmTag>', "P2", "P21"),
        ('<DcmTag tag="PatientID">!^p[12]</DcmTag>', "P3", "P21"),
        ('<DcmTag tag="PatientID">^#{PatientComments}$</DcmTag>', "a.c", "abc"),
        ('<DcmTag tag="PatientID">!#{PatientComments}</DcmTag>', "abc", "A.C"),
        ('<DcmTag tag="PatientID" match="local">#{PatientComments}</DcmTag>', "a.c", "b"),
        ('<DcmTag tag="PatientID" match="local"/>', "MINE", "other"),
        ('<DcmTag tag="PatientID">P1</DcmTag><DcmTag tag="PatientID">!P2</DcmTag>', "P1", "P2"),
    ],
)
def test_what_is_checked(tmp_path: Path, inner: str, admitted: str, refused: str) -> None:
    question = asked(make_job(tmp_path, PatientComments="a.c", PatientID="mine"), inner, STUDY)
    assert rejection(data(PatientID=admitted), question) is None
    reason = rejection(data(PatientID=refused), question)
    assert reason is not None
    assert str(reason) == "PatientID (0010,0020)"


@pytest.mark.parametrize(
    ("inner", "goes_out", "admitted"),
    [
        ('<DcmTag tag="StudyDate">2026.01.31</DcmTag>', "20260131", {"StudyDate": "20260131"}),
        ('<DcmTag tag="StudyDate">2026.01.01-</DcmTag>', "20260101-", {"StudyDate": "20270101"}),
        ('<DcmTag tag="StudyTime">08:00-09:30</DcmTag>', "0800-0930", {"StudyTime": "093015"}),
    ],
)
def test_dates_and_times_go_out_in_the_form_of_today(
    tmp_path: Path, inner: str, goes_out: str, admitted: dict[str, str]
) -> None:
    question = asked(make_job(tmp_path), inner, STUDY)
    (keyword,) = admitted
    assert identifier(question)[keyword].value == goes_out
    assert rejection(data(**admitted), question) is None


def test_a_runaway_expression_of_a_key_is_named_without_the_answers_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicomprinter.dicom.expressions._SECONDS", 0.05)
    inner = '<DcmTag tag="PatientID">^#{PatientComments}(a|aa|a?b?)+$</DcmTag>'
    question = asked(make_job(tmp_path, PatientComments="secret"), inner, STUDY)
    with pytest.raises(PermanentError, match=r'PatientID \(0010,0020\) in "Find" took longer') as caught:
        rejection(data(PatientID="secret" + "a" * 40 + "c"), question)
    assert "aaa" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_range_of_numbers_is_checked(tmp_path: Path) -> None:
    question = asked(make_job(tmp_path), '<DcmTag tag="SeriesNumber">1-5</DcmTag>', STUDY)
    assert rejection(data(SeriesNumber="5"), question) is None
    assert rejection(data(SeriesNumber="6"), question) is not None


def test_a_missing_key_does_not_match_and_is_named(tmp_path: Path) -> None:
    question = asked(make_job(tmp_path), '<DcmTag tag="PatientID">P1</DcmTag>', STUDY)
    assert str(rejection(Dataset(), question)) == "PatientID (0010,0020) is missing"
    excluding = asked(make_job(tmp_path / "b"), '<DcmTag tag="PatientID">!P1</DcmTag>', STUDY)
    assert str(rejection(Dataset(), excluding)) == "PatientID (0010,0020) is missing"
    assert rejection(data(PatientID=""), excluding) is None


def test_parts_that_the_job_cannot_fill_say_nothing(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    inner = '<DcmTag tag="PatientID">!#{PatientComments}|!P2|^#{EthnicGroup}</DcmTag>'
    assert rejection(data(PatientID="P2"), asked(job, inner, STUDY)) is not None
    assert (
        rejection(data(PatientID="P3"), asked(job, '<DcmTag tag="PatientID">^#{EthnicGroup}</DcmTag>', STUDY)) is None
    )
    assert any("#{PatientComments}" in line for line in messages(job))


def test_the_jobs_values_are_sent_as_they_are_and_not_checked(tmp_path: Path) -> None:
    job = make_job(tmp_path, OtherPatientIDs=["A", "B"], PatientName="Yamada^Tarou=山田^太郎")
    question = asked(job, '<DcmTag tag="OtherPatientIDs"/><DcmTag tag="PatientName"/>', STUDY)
    keys = identifier(question)
    assert list(keys.OtherPatientIDs) == ["A", "B"]
    assert str(keys.PatientName) == "Yamada^Tarou=山田^太郎"
    assert rejection(Dataset(), question) is None


@pytest.mark.filterwarnings("error")
def test_numbers_and_values_of_the_wrong_kind(tmp_path: Path) -> None:
    keys = sent(make_job(tmp_path), r'<DcmTag tag="Rows">1\2</DcmTag><DcmTag tag="SeriesNumber">7</DcmTag>', STUDY)
    assert list(keys.Rows) == [1, 2]
    assert keys.SeriesNumber == 7
    job = make_job(tmp_path / "b", PatientID="secret")
    with pytest.raises(PermanentError, match=r"SeriesNumber \(0020,0011\)") as caught:
        sent(job, '<DcmTag tag="SeriesNumber">#{PatientID}</DcmTag>', STUDY)
    assert "secret" not in str(caught.value)


def test_sequences_are_sent_and_checked(tmp_path: Path) -> None:
    inner = """
    <DcmSequence tag="RequestAttributesSequence">
      <DcmItem><DcmTag tag="RequestedProcedureID">R1</DcmTag>
        <DcmSequence tag="ScheduledProtocolCodeSequence"><DcmItem><DcmTag tag="CodeValue">!X</DcmTag></DcmItem>
        </DcmSequence></DcmItem>
      <DcmItem><DcmTag tag="RequestedProcedureID">R2</DcmTag></DcmItem>
    </DcmSequence>"""
    question = asked(make_job(tmp_path), inner, STUDY)
    first, second = identifier(question).RequestAttributesSequence
    assert (first.RequestedProcedureID, second.RequestedProcedureID) == ("R1", "R2")
    assert not first.ScheduledProtocolCodeSequence[0].CodeValue

    def answer(*items: Dataset) -> Dataset:
        return data(RequestAttributesSequence=list(items))

    good = data(RequestedProcedureID="r1", ScheduledProtocolCodeSequence=[data(CodeValue="Y")])
    bad = data(RequestedProcedureID="R1", ScheduledProtocolCodeSequence=[data(CodeValue="X")])
    other = data(RequestedProcedureID="R2")
    assert rejection(answer(other, good), question) is None
    sequence = "in RequestAttributesSequence (0040,0275)"
    assert str(rejection(answer(good), question)) == f"RequestedProcedureID (0040,1001) {sequence}"
    assert str(rejection(answer(bad, other), question)).startswith("CodeValue (0008,0100) in ScheduledProtocolCode")
    assert str(rejection(answer(), question)) == f"RequestedProcedureID (0040,1001) {sequence} is missing"


def test_a_jobs_own_sequence_is_sent_only_when_declared(tmp_path: Path) -> None:
    job = make_job(tmp_path, ProcedureCodeSequence=[data(CodeValue="C1", CodeMeaning="one")])
    assert "ProcedureCodeSequence" not in sent(job, "", STUDY)
    (item,) = sent(job, '<DcmSequence tag="ProcedureCodeSequence"/>', STUDY).ProcedureCodeSequence
    assert (item.CodeValue, item.CodeMeaning) == ("C1", "one")
    declared = (
        '<DcmSequence tag="ProcedureCodeSequence"><DcmItem><DcmTag tag="CodeValue"/>'
        '<DcmTag tag="CodeMeaning">x</DcmTag></DcmItem></DcmSequence>'
    )
    (item,) = sent(job, declared, STUDY).ProcedureCodeSequence
    assert (item.CodeValue, item.CodeMeaning) == ("C1", "x")


def test_a_worklist_asks_for_all_that_an_object_needs(tmp_path: Path) -> None:
    keys = sent(make_job(tmp_path))
    for keyword in (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "AccessionNumber",
        "StudyInstanceUID",
        "RequestedProcedureID",
    ):
        assert keys[keyword].is_empty
    assert keys["RequestedProcedureDescription"].is_empty
    assert {one.keyword for one in keys.RequestedProcedureCodeSequence[0]} >= {"CodeValue", "CodeMeaning"}
    assert len(keys.ReferencedStudySequence) == 1
    assert "QueryRetrieveLevel" not in keys
    inside = step(keys)
    assert inside.ScheduledProcedureStepStartDate == "20260301-20260315"
    for keyword in ("ScheduledProcedureStepID", "ScheduledProcedureStepDescription", "ScheduledStationAETitle"):
        assert inside[keyword].is_empty
    assert inside.ScheduledProtocolCodeSequence[0]["CodeValue"].is_empty


def test_the_jobs_patient_and_order_are_keys_of_a_worklist(tmp_path: Path) -> None:
    keys = sent(make_job(tmp_path, PatientID="P1", AccessionNumber="A1", StudyInstanceUID="1.2"))
    assert (keys.PatientID, keys.AccessionNumber) == ("P1", "A1")
    assert keys["StudyInstanceUID"].is_empty


@pytest.mark.parametrize(
    ("root", "inside"),
    [
        ("StudyDate", "ScheduledProcedureStepStartDate"),
        ("StudyTime", "ScheduledProcedureStepStartTime"),
        ("Modality", "Modality"),
        ("ScheduledStationAETitle", "ScheduledStationAETitle"),
        ("StationName", "ScheduledStationName"),
        ("PerformingPhysicianName", "ScheduledPerformingPhysicianName"),
        ("ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartDate"),
        ("ScheduledProcedureStepStartTime", "ScheduledProcedureStepStartTime"),
        ("ScheduledProcedureStepDescription", "ScheduledProcedureStepDescription"),
        ("ScheduledProcedureStepID", "ScheduledProcedureStepID"),
        ("ScheduledProcedureStepLocation", "ScheduledProcedureStepLocation"),
        ("ScheduledProcedureStepStatus", "ScheduledProcedureStepStatus"),
    ],
)
def test_root_tags_that_mean_the_step_are_moved(tmp_path: Path, root: str, inside: str) -> None:
    value = {"DA": "20260102", "TM": "0800"}.get(data(**{root: ""})[root].VR, "X")
    job = make_job(tmp_path)
    question = asked(job, f'<DcmTag tag="{root}">{value}</DcmTag>')
    keys = identifier(question)
    assert root not in keys
    assert step(keys)[inside].value == value
    assert str(rejection(data(ScheduledProcedureStepSequence=[Dataset()]), question)).startswith(inside)
    # A value of the step's own tag wins, also an empty one.
    explicit = sent(job, f'<DcmTag tag="{root}">{value}</DcmTag>' + STEP.format(f'<DcmTag tag="{inside}">*</DcmTag>'))
    assert step(explicit)[inside].value != value


def test_moved_keys_join_an_explicit_sequence(tmp_path: Path) -> None:
    keys = sent(
        make_job(tmp_path), '<DcmTag tag="Modality">US</DcmTag>' + STEP.format('<DcmTag tag="0040,0007">D</DcmTag>')
    )
    assert (step(keys).Modality, step(keys).ScheduledProcedureStepDescription) == ("US", "D")


@pytest.mark.parametrize(
    ("values", "inner", "date"),
    [
        ({}, "", "20260301-20260315"),
        ({"StudyDate": "20260310"}, "", "20260310"),
        ({}, '<DcmTag tag="StudyDate"/>', "20260301-20260315"),
        ({"StudyDate": "20260310"}, '<DcmTag tag="StudyDate"/>', "20260310"),
        ({"StudyDate": "20260310"}, '<DcmTag tag="StudyDate">20260311</DcmTag>', "20260311"),
        ({"StudyDate": "20260310"}, '<DcmTag tag="0040,0002">20260311</DcmTag>', "20260311"),
        ({}, STEP.format('<DcmTag tag="0040,0002"/>'), "20260301-20260315"),
        ({}, STEP.format('<DcmTag tag="0040,0002">20260311</DcmTag>'), "20260311"),
        ({}, '<DcmTag tag="StudyDate">!20260310</DcmTag>', ""),
        ({}, '<DcmTag tag="StudyDate">*</DcmTag>', ""),
        ({}, '<DcmTag tag="StudyDate" match="local">20260310</DcmTag>', ""),
    ],
)
def test_the_worklists_date(tmp_path: Path, values: dict[str, str], inner: str, date: str) -> None:
    assert (step(sent(make_job(tmp_path, **values), inner)).ScheduledProcedureStepStartDate or "") == date


def test_the_dates_of_an_answer_are_checked(tmp_path: Path) -> None:
    question = asked(make_job(tmp_path))
    assert rejection(entry(), question) is None
    reason = rejection(entry(step_ScheduledProcedureStepStartDate="20260101"), question)
    assert str(reason).startswith("ScheduledProcedureStepStartDate (0040,0002) in ScheduledProcedureStepSequence")


@pytest.mark.parametrize(
    ("values", "attributes", "inner", "station"),
    [
        ({"ScheduledStationAETitle": "MINE"}, "", "", ""),
        ({"ScheduledStationAETitle": "MINE"}, "", '<DcmTag tag="ScheduledStationAETitle"/>', ""),
        ({"ScheduledStationAETitle": "MINE"}, 'forcePeerAe="1"', "", "MINE"),
        ({"ScheduledStationAETitle": "MINE"}, 'forcePeerAe="1"', '<DcmTag tag="0040,0001"/>', "MINE"),
        ({"ScheduledStationAETitle": "MINE"}, 'forcePeerAe="1"', STEP.format('<DcmTag tag="0040,0001"/>'), "MINE"),
        ({"ScheduledStationAETitle": "MINE"}, 'forcePeerAe="1"', '<DcmTag tag="0040,0001">OTHER</DcmTag>', "OTHER"),
        ({}, 'forcePeerAe="1"', "", ""),
    ],
)
def test_the_station(tmp_path: Path, values: dict[str, str], attributes: str, inner: str, station: str) -> None:
    keys = sent(make_job(tmp_path, **values), inner, f'type="Worklist" {attributes}')
    assert (step(keys).ScheduledStationAETitle or "") == station


@pytest.mark.parametrize(
    ("attributes", "values", "expected"),
    [
        ('type="Study"', {}, {"StudyInstanceUID": "", "PatientID": "", "PatientName": ""}),
        (
            'type="Study" level="SERIES"',
            {"StudyInstanceUID": "1.2"},
            {"StudyInstanceUID": "1.2", "SeriesInstanceUID": ""},
        ),
        (
            'type="Study" level="IMAGE"',
            {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.3"},
            {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.3", "SOPInstanceUID": ""},
        ),
        ('type="Patient"', {}, {"PatientID": "", "PatientName": ""}),
        ('type="Patient" level="STUDY"', {"PatientID": "P1"}, {"PatientID": "P1", "StudyInstanceUID": ""}),
    ],
)
def test_the_unique_keys_of_each_level(
    tmp_path: Path, attributes: str, values: dict[str, str], expected: dict[str, str]
) -> None:
    keys = sent(make_job(tmp_path, **values), "", attributes)
    assert {keyword: keys[keyword].value or "" for keyword in expected} == expected
    assert "PatientName" in keys or "PatientName" not in expected


@pytest.mark.parametrize(
    ("attributes", "values", "inner", "named"),
    [
        ('type="Study" level="SERIES"', {}, "", "StudyInstanceUID"),
        ('type="Study" level="SERIES"', {}, '<DcmTag tag="StudyInstanceUID">#{PatientID}</DcmTag>', "StudyInstanceUID"),
        ('type="Study" level="IMAGE"', {"StudyInstanceUID": "1.2"}, "", "SeriesInstanceUID"),
        ('type="Patient" level="STUDY"', {"PatientID": "P*"}, "", "PatientID"),
    ],
)
def test_a_level_above_without_its_unique_key(
    tmp_path: Path, attributes: str, values: dict[str, str], inner: str, named: str
) -> None:
    with pytest.raises(PermanentError, match=f"{named} .* has no single value"):
        sent(make_job(tmp_path, **values), inner, attributes)


def test_tags_to_sort_by_are_asked_for(tmp_path: Path) -> None:
    keys = sent(make_job(tmp_path), "", 'type="Study" select="first" order-by="NumberOfStudyRelatedInstances desc"')
    assert keys["NumberOfStudyRelatedInstances"].is_empty
    keys = sent(make_job(tmp_path / "b"), "", 'type="Worklist" select="first" order-by="StationName"')
    assert "StationName" not in keys
    assert step(keys)["ScheduledStationName"].is_empty


def test_a_private_key_goes_out_with_its_creator(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    job.dataset.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "v")
    keys = sent(job, '<DcmTag tag="0009,1001" vr="LO"/>', STUDY)
    assert keys[Tag(0x0009, 0x0010)].value == "ACME"
    assert keys[Tag(0x0009, 0x1001)].value == "v"
