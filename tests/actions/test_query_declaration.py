"""What a Query refuses at load, and what a Perform changes of it; `rows_query` has what it reads."""

from __future__ import annotations

from typing import Any

import pytest

from dicomprinter.actions.query.declaration import Model, Select
from dicomprinter.config.tree import Node, Position
from dicomprinter.errors import PermanentError
from tests.actions.query_help import changes, checked, query
from tests.actions.rows_query import DATE, PEER, STEPS, full


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (full(peer=""), "needs <ConnectionParameters>"),
        (full('type="Worklists"'), 'did you mean "Worklist"'),
        (full('type="Study" level="PATIENT"'), 'type="Study" has no level PATIENT'),
        (full('level="STUDIES"'), 'did you mean "STUDY"'),
        (full('order-by="StudyDat"'), 'did you mean "StudyDate"'),
        (full('order-by="StudyDate up"'), "is not a tag with asc or desc"),
        (full('order-by="StudyDate,"'), "is not a tag with asc or desc"),
        (full('select="newest"'), "choose one of first, last"),
        (full('characterSet="latin1"'), "is not a Specific Character Set"),
        (full('characterSet=""'), '"" is not a Specific Character Set'),
        (full(r'characterSet="ISO_IR 100\latin1"'), r'"ISO_IR 100\latin1" is not a Specific Character Set'),
        (full(inner='<DcmTag tag="PatientIDD"/>'), 'did you mean "PatientID"'),
        (full(inner='<DcmTag tag="StudyDate">2026-01-01</DcmTag>'), "neither a DA nor a range"),
        (full(inner='<DcmTag tag="PatientID">^(</DcmTag>'), "not a regular expression"),
        (full(inner='<DcmTag tag="PatientID">A||B</DcmTag>'), "empty alternative"),
        (full(inner='<DcmSequence tag="0040,0100" match="local"/>'), 'no attribute "match"'),
        *(
            (
                full('level="SERIES"', f'<DcmTag tag="StudyInstanceUID" {local}>{text}</DcmTag>'),
                "must be a single value",
            )
            for text, local in (("1.2*", ""), (r"1.2\1.3", ""), ("!1.2", ""), ("1.2|1.3", ""), ("1.2", 'match="local"'))
        ),
        (
            full('type="Patient" level="IMAGE"', '<DcmTag tag="PatientID">P*</DcmTag>'),
            "PatientID (0010,0020) must be a single value",
        ),
        (
            full('type="Worklist"', '<DcmTag tag="StudyDate">!#{Date}</DcmTag>' + STEPS.format("")),
            "StudyDate (0008,0020) excludes dates",
        ),
        (
            full('type="Worklist"', '<DcmTag tag="0040,0002">20260101|!20260102</DcmTag>' + STEPS.format("")),
            "excludes dates",
        ),
    ],
)
def test_what_is_refused_at_load(xml: str, message: str) -> None:
    _, report = checked(xml)
    assert [line for line in report.errors if message in f"{line[1]}; {line[2]}"], report.errors
    assert len(report.errors) == 1


def test_a_date_exclusion_inside_the_sequence_or_alone_is_fine() -> None:
    inside = STEPS.format('<DcmTag tag="0040,0002">!20260101</DcmTag>')
    alone = '<DcmTag tag="StudyDate">!20260101</DcmTag>'
    for inner in (inside, alone):
        assert checked(full('type="Worklist"', inner))[1].errors == []


def test_a_perform_changes_parts() -> None:
    before = query(
        '<DcmTag tag="PatientID">A</DcmTag><DcmTag tag="Modality">US</DcmTag>', 'type="Worklist" forcePeerAe="1"'
    )
    node = changes('<DcmTag tag="PatientID">B</DcmTag><DcmTag tag="AccessionNumber"/>', 'select="last"')
    after = before.overridden(node)
    texts = {int(one.tag): one.text.template.source for one in after.wishes.keys.keys}
    assert texts == {0x00080060: "US", 0x00100020: "B", 0x00080050: ""}
    assert (after.wishes.select, after.force_station, after.wishes.model) == (Select.LAST, True, Model.WORKLIST)
    assert after.peer == before.peer
    assert after == before.overridden(Node("Perform", Position(1, 1), children=(node,)))
    assert before.wishes.select is None


def test_a_perform_changes_the_peer_and_every_attribute() -> None:
    attributes = (
        'type="Patient" level="STUDY" force-assignment="1" order-by="StudyDate" show="0" characterSet="GB18030"'
    )
    after = query().overridden(changes(PEER, attributes))
    assert after.peer is not None
    assert after.peer.host == "ris.local"
    assert (after.wishes.model, after.wishes.level_asked, after.wishes.order) == (
        Model.PATIENT,
        "STUDY",
        ((DATE, False),),
    )
    assert (after.wishes.select, after.show, after.character_set) == (Select.FIRST, False, "GB18030")


def test_a_contradiction_made_by_a_perform_is_an_error() -> None:
    with pytest.raises(PermanentError, match="has no level PATIENT"):
        query("", 'type="Study"').overridden(changes("", 'level="PATIENT"'))


def test_changes_without_a_query_change_nothing() -> None:
    find: Any = query()
    assert find.overridden(Node("Perform", Position(1, 1))) == find
