from __future__ import annotations

import json
from datetime import datetime

import pytest
from pydicom import Dataset

from dicomprinter.errors import InputError
from dicomprinter.intake.submission import read_sidecar, set_tags


def sidecar(folder, text):
    file = folder / "scan.pdf.json"
    file.write_bytes(text if isinstance(text, bytes) else json.dumps(text).encode())
    return read_sidecar(file, "scan.pdf", "incoming")


def test_everything_a_sidecar_may_say(tmp_path):
    submission = sidecar(
        tmp_path,
        {
            "title": "ECG JÄNE",
            "user": "drsmith",
            "host": "ecg-1",
            "source": "ecg-queue",
            "copies": 2,
            "priority": 80,
            "submitted": "2026-01-31T10:00:00+01:00",
            "media type": "application/pdf",
            "options": {"sides": "one-sided"},
            "tags": {"PatientID": "4711"},
        },
    )
    assert submission.title == "ECG JÄNE"
    assert (submission.user, submission.host, submission.source) == ("drsmith", "ecg-1", "ecg-queue")
    assert (submission.copies, submission.priority) == (2, 80)
    assert submission.submitted == datetime.fromisoformat("2026-01-31T10:00:00+01:00")
    assert (submission.options, submission.tags) == ({"sides": "one-sided"}, {"PatientID": "4711"})


def test_what_it_does_not_say_comes_from_the_file(tmp_path):
    submission = sidecar(tmp_path, {})
    assert (submission.title, submission.source, submission.copies) == ("scan.pdf", "incoming", 1)
    assert submission.priority == 50


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not JSON: line 1, column 2"),
        (b'{"title": "ECG",\n "tags": {"PatientID" "4711"}}', "not JSON: line 2, column 23; it is damaged"),
        (b"\xff{}", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "not JSON"),
        ({"title": 7}, '"title" is not a text'),
        ({"copies": 0}, '"copies"'),
        ({"copies": True}, '"copies"'),
        ({"priority": 0}, '"priority" is not a number from 1 to 100'),
        ({"priority": 101}, '"priority"'),
        ({"priority": "50"}, '"priority"'),
        ({"tags": ["PatientID"]}, '"tags"'),
        ({"tags": {"PatientID": 4711}}, '"tags"'),
        ({"submitted": "yesterday"}, "not right"),
        (b" " * (2 << 20), "larger than 1 MB"),
        ({"tag": {"PatientID": "1"}}, 'did you mean "tags"'),
        ({"Tags": {"PatientID": "1"}}, 'did you mean "tags"'),
        ({"Muster^Erika": "1"}, "not known; the known ones are title"),
        ({"submitted": "0001-01-01T00:00:00"}, '"submitted"'),
        ({"submitted": 20260131}, '"submitted"'),
    ],
)
def test_a_wrong_sidecar_is_refused(tmp_path, content, words):
    with pytest.raises(InputError, match=words):
        sidecar(tmp_path, content)


def test_tags_are_set_by_keyword_and_number():
    dataset = Dataset()
    chosen, notes = set_tags(dataset, {"patientid": "4711", "(0010,0010)": "Müller^Jürgen", "0008,0060": "ecg"})
    assert (dataset.PatientID, str(dataset.PatientName), dataset.Modality) == ("4711", "Müller^Jürgen", "ECG")
    assert chosen == ["00100020", "00100010", "00080060"]
    assert notes == ["Modality (0008,0060): written in capitals"]


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"PatientIdd": "1"}, 'did you mean "PatientID"'),
        ({"SOPInstanceUID": "1.2"}, "made by the Store"),
        ({"Rows": "7"}, "comes from the page"),
        ({"StudyDate": "20260231"}, "StudyDate"),
        ({"PatientID": "x" * 65}, "PatientID"),
    ],
)
def test_a_wrong_tag_is_refused_without_its_value(tags, words):
    with pytest.raises(InputError, match=words) as caught:
        set_tags(Dataset(), tags)
    assert "x" * 65 not in str(caught.value)


def test_messages_hold_nothing_of_a_patient(tmp_path):
    for content in ({"Muster^Erika": 1}, {"submitted": "Muster^Erika 1970"}, {"title": ["Muster^Erika"]}):
        with pytest.raises(InputError) as caught:
            sidecar(tmp_path, content)
        assert "Muster" not in str(caught.value)
        assert "Muster^Erika" in caught.value.private
    with pytest.raises(InputError) as caught:
        set_tags(Dataset(), {"Muster^Erika": "PatientName"})
    assert "Muster" not in str(caught.value)
    assert caught.value.private == "Muster^Erika"


def test_a_media_type_is_known_in_both_spellings(tmp_path):
    for key in ("media type", "media_type"):
        assert sidecar(tmp_path, {key: "application/pdf"}).title == "scan.pdf"
