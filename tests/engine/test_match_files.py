"""The files by which another program answers a job that waits: `match` and `match.json`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dicomprinter.engine.matches import take_file
from dicomprinter.engine.spool import Spool
from dicomprinter.job.parts import Asked, State
from dicomprinter.program import Program

from .manual import data, drop, parked, runner, told


def test_lines_of_a_file(spool: Spool, asking: Program) -> None:
    job = parked(spool, asking, PatientSex="O")
    drop(
        job,
        "\ufeff(0010,0020)=47=11\r\n\r\n(0010,0010)=Müller^Jürgen\nno tag\n(0010,0030)=19800231\n"
        "(0008,0018)=1.2.3\n(0028,0010)=1\n(0010,0040)=\n(0010,4000)=a\n",
    )
    take_file(job)
    assert job.state is State.QUEUED
    assert job.match == data(PatientID="47=11", PatientName="Müller^Jürgen", PatientSex="", PatientComments="a")
    lines = [line for line in job.folder.history() if str(line["message"]).startswith("match: line")]
    messages = [str(line["message"]) for line in lines]
    assert len(messages) == 4
    for number, text in ((4, "not of the form"), (5, "PatientBirthDate"), (6, "cannot be set"), (7, "cannot be set")):
        assert any(f"line {number}" in message and text in message for message in messages), (number, messages)
    assert not any("19800231" in message for message in messages)
    assert any("19800231" in str(line.get("private")) for line in lines)
    assert not (job.folder.path / "match").exists()


def test_a_file_of_dicom_json(spool: Spool, asking: Program) -> None:
    sequence = {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["C1"]}}]}
    answer = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]},
        "00100020": {"vr": "LO", "Value": ["4711"]},
        "00081032": sequence,
        "00091001": {"vr": "LO", "Value": ["theirs"]},
        "00090010": {"vr": "LO", "Value": ["ACME"]},
        "001021B0": {"vr": "LT", "InlineBinary": "AAAA"},
        "00111001": {"vr": "LO", "Value": ["nobody's"]},
        "00100030": {"vr": "DA", "Value": ["19800231"]},
        "00100040": {"vr": "LO", "Value": ["M"]},
        "00080016": {"vr": "UI", "Value": ["1.2"]},
        "7FE00010": {"vr": "OW", "InlineBinary": "AAAA"},
        "00080050": {"vr": "SH"},
        "0008": {"vr": "SH"},
        "00080090": 5,
    }
    job = parked(spool, asking, AccessionNumber="old")
    ours = job.dataset.private_block(0x0009, "OURS", create=True)
    ours.add_new(1, "LO", "ours")
    job.folder.save(job)
    drop(job, json.dumps(answer), "match.json")
    take_file(job)
    runner(spool, asking).run(job)
    found = spool.load(job.id).dataset
    assert str(found.PatientName) == "Yamada^Tarou=山田^太郎"
    assert found.ProcedureCodeSequence[0].CodeValue == "C1"
    assert not found.AccessionNumber
    assert found.private_block(0x0009, "OURS")[1].value == "ours"
    assert found.private_block(0x0009, "ACME")[1].value == "theirs"
    for keyword in ("PatientBirthDate", "PatientSex", "SOPClassUID", "PixelData", "AdditionalPatientHistory"):
        assert keyword not in found
    assert (0x0011, 0x1001) not in found
    left_out = [message for message in told(job) if message.startswith("match: ")]
    assert len(left_out) == 8
    for text in ("creator (0011,0010)", "PatientBirthDate", "PatientSex (0010,0040) is left out: it is CS", "are made"):
        assert any(text in message for message in left_out), (text, left_out)


@pytest.mark.parametrize("vr", [["LO"], float("nan"), "XX"])
def test_a_representation_that_is_none_is_left_out(spool: Spool, asking: Program, vr: object) -> None:
    creator = {"vr": "LO", "Value": ["ACME"]}
    odd = {"00091001": {"vr": vr, "InlineBinary": "AAAA"}, "00091002": {"vr": vr}, "00091003": {"vr": vr, "Value": [1]}}
    job = parked(spool, asking)
    drop(job, json.dumps({"00100020": {"vr": "LO", "Value": ["4711"]}, "00090010": creator, **odd}), "match.json")
    take_file(job)
    runner(spool, asking).run(job)
    found = spool.load(job.id).dataset
    assert found.PatientID == "4711"
    assert not [element for element in found if element.tag.is_private and not element.tag.is_private_creator]


def test_a_creator_of_several_values_is_none(spool: Spool, asking: Program) -> None:
    job = parked(spool, asking)
    private = {"00090010": {"vr": "LO", "Value": ["A", "B"]}, "00091001": {"vr": "LO", "Value": ["theirs"]}}
    drop(job, json.dumps({"00100020": {"vr": "LO", "Value": ["4711"]}, **private}), "match.json")
    take_file(job)
    runner(spool, asking).run(job)
    found = spool.load(job.id).dataset
    assert found.PatientID == "4711"
    assert (0x0009, 0x1001) not in found


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("match", "", "it sets nothing"),
        ("match", "\n \n", "it sets nothing"),
        ("match", "nonsense", "it sets nothing"),
        ("match", b"(0010,0010)=M\xfcller", "it is not UTF-8"),
        ("match", b"x" * ((1 << 20) + 1), "it is larger than 1 MB"),
        ("match.json", "{", "it is not JSON"),
        ("match.json", "[]", "it is not one object"),
        ("match.json", "{}", "it sets nothing"),
    ],
)
def test_a_file_that_says_nothing_leaves_the_job_waiting(
    spool: Spool, asking: Program, *, name: str, content: str | bytes, why: str
) -> None:
    job = parked(spool, asking)
    drop(job, content, name)
    take_file(job)
    stored = spool.load(job.id)
    assert (stored.state, stored.match, stored.asks) == (State.MANUAL, None, Asked("Ask"))
    assert f"{name} is not used: {why}" in told(job)[-1]
    kept = job.folder.path / f"{name}.refused"
    assert kept.read_bytes() == (content.encode() if isinstance(content, str) else content)
    # The next is kept beside it.
    drop(job, content, name)
    take_file(job)
    assert (job.folder.path / f"{name}.refused.2").exists()


def test_a_link_is_not_followed(spool: Spool, asking: Program, tmp_path: Path) -> None:
    job = parked(spool, asking)
    (tmp_path / "elsewhere").write_text("PatientID=1")
    (job.folder.path / "match").symlink_to(tmp_path / "elsewhere")
    take_file(job)
    assert job.state is State.MANUAL
    assert "it is a link" in told(job)[-1]


def test_a_file_that_may_not_be_read_is_refused_and_asked_for_no_more(
    spool: Spool, asking: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = parked(spool, asking)
    drop(job, "PatientID=1")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        take_file(job)
    assert job.state is State.MANUAL
    assert "match is not used: it cannot be read: Permission denied" in told(job)[-1]
    assert (job.folder.path / "match.refused").exists()
