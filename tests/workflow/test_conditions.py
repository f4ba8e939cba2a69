"""Every field of an If and a Switch, on jobs as the engine has them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomprinter.engine.spool import Spool
from dicomprinter.errors import PermanentError
from dicomprinter.job.parts import Flags
from dicomprinter.workflow.conditions import Condition
from dicomprinter.workflow.interpreter import Held, step
from tests.engine.help import Mark, new_job, program, tools, with_marks
from tests.engine.test_positions import drive


@pytest.fixture
def spool(tmp_path):
    with Spool.open(tmp_path) as opened:
        yield opened


def condition(field, value, *, tag=None, store=None, case_sensitive=True):
    return Condition(field, tag, store, value, case_sensitive)


FOUND = Flags(query_found=True)
STORED = Flags(stores={"A": True, "B": False}, last_store="B")


@pytest.mark.parametrize(
    ("asked", "flags", "expected"),
    [
        (condition("QUERY_FOUND", "true"), FOUND, True),
        (condition("QUERY_FOUND", "1"), FOUND, True),
        (condition("QUERY_FOUND", "0"), Flags(), True),
        (condition("QUERY_FOUND", "false"), FOUND, False),
        (condition("QUERY_PARTIAL", "true"), FOUND, False),
        (condition("QUERY_PARTIAL", "yes"), Flags(query_partial=True), True),
        (condition("STORE_SUCCEEDED", "true", store="A"), STORED, True),
        (condition("STORE_SUCCEEDED", "true", store="B"), STORED, False),
        (condition("STORE_SUCCEEDED", "true"), STORED, False),
        (condition("STORE_SUCCEEDED", "false", store="never ran"), STORED, True),
        (condition("STORE_SUCCEEDED", "false"), Flags(), True),
    ],
)
def test_flags(spool, asked, flags, expected):
    job = new_job(spool)
    job.flags = flags
    assert asked.holds(job, {}) is expected


PATIENT_ID = 0x00100020


@pytest.mark.parametrize(
    ("value", "case_sensitive", "expected"),
    [
        ("47", True, True),
        ("^47$", True, False),
        (r"^\d+-\w$", True, True),
        ("x$", True, False),
        ("x$", False, True),
        ("(?i)x$", True, True),
        ("", True, True),
        ("(?<=4)7", True, True),
    ],
)
def test_a_tag_is_matched_by_an_unanchored_expression(spool, value, case_sensitive, expected):
    job = new_job(spool, PatientID="4711-X")
    asked = condition("TAG_VALUE", value, tag=PATIENT_ID, case_sensitive=case_sensitive)
    assert asked.holds(job, {}) is expected


def test_an_absent_tag_is_the_empty_text(spool):
    assert condition("TAG_VALUE", "^$", tag=PATIENT_ID).holds(new_job(spool), {})


def test_a_runaway_expression_ends_with_a_message(spool, monkeypatch):
    monkeypatch.setattr("dicomprinter.dicom.expressions._SECONDS", 0.05)
    job = new_job(spool, PatientComments="a" * 5000 + "b")
    with pytest.raises(PermanentError, match="took longer"):
        condition("TAG_VALUE", "(a|aa)+$", tag=0x00104000).holds(job, {})


@pytest.mark.parametrize(
    ("field", "value", "case_sensitive", "expected"),
    [
        ("CLIENT_HOST_NAME", "ecg-cart", True, True),
        ("CLIENT_HOST_NAME", "ECG-CART", True, False),
        ("CLIENT_HOST_NAME", "ECG-CART", False, True),
        ("CLIENT_HOST_NAME", "ecg", True, False),
        ("PRINTED_FILE_NAME", "page.png", True, True),
        ("PRINTED_FILE_NAME", "page", True, False),
    ],
)
def test_host_and_name_are_compared_whole(spool, field, value, case_sensitive, expected):
    assert condition(field, value, case_sensitive=case_sensitive).holds(new_job(spool), {}) is expected


def test_what_is_assumed_counts_for_the_value(spool):
    job = new_job(spool, PatientID="1")
    assert condition("QUERY_FOUND", "true").holds(job, {"QUERY_FOUND": "true"})
    assert condition("TAG_VALUE", "^2$", tag=PATIENT_ID).holds(job, {"TAG_VALUE(0010,0020)": "2"})
    assert condition("STORE_SUCCEEDED", "true", store="A").holds(job, {"STORE_SUCCEEDED(A)": "1"})
    job.flags = replace(job.flags, query_found=True)
    assert not condition("QUERY_FOUND", "true").holds(job, {"QUERY_FOUND": "0"})


@given(text=st.text(max_size=20), value=st.text(alphabet="ab.*^$|()[]\\d", max_size=8))
def test_no_expression_that_loads_fails_at_run_time(text, value):
    from dicomprinter.config.kinds import PATTERN  # noqa: PLC0415 - next to its use

    try:
        PATTERN.parse(value)
    except ValueError:
        return
    assert condition("TAG_VALUE", value, tag=PATIENT_ID)._matches(text) in (True, False)


@pytest.mark.parametrize(("sex", "trace"), [("M", "A"), ("F", "B"), ("O", "C"), ("", "C")])
def test_a_switch_takes_exactly_one_branch(spool, tmp_path, monkeypatch, sex, trace):
    with_marks(monkeypatch)
    marks = "".join(f'<Mark name="{name}"/>' for name in "ABC")
    workflow = (
        '<Switch field="TAG_VALUE" tag="PatientSex">'
        '<Case value="M"><Perform action="A"/></Case>'
        '<Case value="F|M"><Perform action="B"/></Case>'
        '<Case value=""><Perform action="C"/></Case></Switch>'
    )
    loaded = program(tmp_path, marks, workflow)
    job = new_job(spool, PatientSex=sex)
    assert drive(spool, job.id, loaded) == trace
    assert Mark.trace == [trace]


def test_a_condition_that_cannot_be_answered_holds_the_job(spool, tmp_path, monkeypatch):
    monkeypatch.setattr("dicomprinter.dicom.expressions._SECONDS", 0.05)
    loaded = program(
        tmp_path, '<SetTag name="S" tag="PatientID">1</SetTag>', '<If field="TAG_VALUE(0010,4000)" value="(a|aa)+$"/>'
    )
    job = new_job(spool, PatientComments="a" * 5000 + "b")
    outcome = step(loaded, job, tools())
    assert isinstance(outcome, Held)
    assert "took longer" in outcome.why
