"""What a job itself says may hold `*` and `?`: they must not reach another patient."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.tag import Tag

from dicomprinter.dicom.query.keys import identifier, rejection
from tests.actions.query_help import data, make_job
from tests.actions.test_query_question import STUDY, asked


@pytest.mark.parametrize(
    ("values", "inner", "goes_out", "admitted", "refused"),
    [
        ({"PatientID": "A*"}, "", "A*", ["A*", "a*", " A* "], ["A", "A1", "AB*"]),
        ({"PatientID": "A*"}, "#{PatientID}", "A*", ["A*"], ["A1", "A**"]),
        ({"PatientID": "A?1"}, "#{PatientID}", "A?1", ["A?1"], ["AB1"]),
        ({"PatientID": "A?"}, "X-#{PatientID}*", "X-A?*", ["X-A?", "x-a?9"], ["X-AB", "X-AB9"]),
        ({"PatientID": "A1"}, "#{PatientID}*", "A1*", ["A1", "A12", "anything"], []),
        ({"PatientID": "A1"}, "", "A1", ["A1", "another"], []),
    ],
)
def test_wildcards_in_a_jobs_identifier_reach_no_other_patient(
    tmp_path: Path, *, values: dict[str, str], inner: str, goes_out: str, admitted: list[str], refused: list[str]
) -> None:
    question = asked(make_job(tmp_path, **values), f'<DcmTag tag="PatientID">{inner}</DcmTag>', STUDY)
    assert identifier(question).PatientID == goes_out
    for one in admitted:
        assert rejection(data(PatientID=one), question) is None, one
    for one in refused:
        assert str(rejection(data(PatientID=one), question)) == "PatientID (0010,0020)", one


def test_wildcards_of_a_jobs_identifier_count_in_a_worklist_and_in_its_own_sequences_but_not_in_names(
    tmp_path: Path,
) -> None:
    others = [data(PatientID="B*", TypeOfPatientID="TEXT")]
    job = make_job(tmp_path, AccessionNumber="A*", PatientName="M*", OtherPatientIDsSequence=others)
    worklist = asked(job, "", 'type="Worklist"')
    key = worklist.key(Tag("AccessionNumber"))
    assert key is not None
    assert not key.condition.admits(["A1"])
    assert key.condition.admits(["A*"])
    name = worklist.key(Tag("PatientName"))
    assert name is not None
    assert name.condition.admits(["Muster^Erika"])
    study = asked(job, '<DcmSequence tag="OtherPatientIDsSequence"/>', STUDY)
    found = data(PatientID="B1", TypeOfPatientID="RFID")
    assert rejection(data(OtherPatientIDsSequence=[found]), study) is not None
    assert rejection(data(OtherPatientIDsSequence=[data(PatientID="b*")]), study) is None
