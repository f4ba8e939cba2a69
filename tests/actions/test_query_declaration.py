"""One row for each attribute and child of Query, in both dialects: the XML, and the value that is read back."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.tag import Tag

from dicomprinter.actions.base import OnError
from dicomprinter.actions.keys import KeyText
from dicomprinter.actions.query import Query
from dicomprinter.actions.query.declaration import Model, Select
from dicomprinter.config.dtd import validate, write_dtd
from dicomprinter.config.spec import Child, Report, Spec
from dicomprinter.config.tree import Node, Position
from dicomprinter.errors import PermanentError
from tests.actions.query_help import changes, checked, query
from tests.actions.row import Row, pick

PEER = (
    "<ConnectionParameters><PeerAETitle>RIS</PeerAETitle><Host>ris.local</Host><Port>104</Port></ConnectionParameters>"
)
DATE, TIME = Tag("StudyDate"), Tag("StudyTime")
STEPS = '<DcmSequence tag="0040,0100"><DcmItem>{}</DcmItem></DcmSequence>'


def full(attributes: str = "", inner: str = "", peer: str = PEER) -> str:
    return f'<Query name="A" {attributes}>{peer}{inner}</Query>'


def connection(child: str) -> str:
    return full(peer=PEER.replace("</Conn", f"{child}</Conn"))


def key(path: str) -> str:
    return f"wishes.keys.keys.{path}"


def sequence(path: str) -> str:
    return f"wishes.keys.sequences.{path}"


ROWS = [
    Row("Query@name", full(), "name", "A"),
    Row("Query@onError", full('onError="Suspend"'), "on_error", OnError.SUSPEND, ("<Perform",)),
    Row("Query@type", full(), "wishes.model", Model.STUDY),
    Row("Query@type", full('type="worklist"'), "wishes.model", Model.WORKLIST),
    Row("Query@type", full('TYPE="PATIENT"'), "wishes.model", Model.PATIENT),
    Row("Query@type", full('type="Manual"', peer=""), "wishes.model", Model.MANUAL),
    Row("Query@type", full('type="Manual"', peer=""), "peer", None),
    Row("Query@level", full(), "wishes.level_asked", "STUDY"),
    Row("Query@level", full('type="Patient"'), "wishes.level_asked", "PATIENT"),
    Row("Query@level", full('level="series"'), "wishes.level_asked", "SERIES"),
    Row("Query@level", full('type="Patient" level="Image"'), "wishes.level_asked", "IMAGE"),
    Row("Query@level", full('type="Worklist" level="STUDY"'), "wishes.level_asked", "", ("level has no effect",)),
    Row("Query@select", full(), "wishes.select", None),
    Row("Query@select", full('select="First"'), "wishes.select", Select.FIRST),
    Row("Query@select", full('select="last"'), "wishes.select", Select.LAST),
    Row("Query@force-assignment", full('force-assignment="1"'), "wishes.select", Select.FIRST),
    Row("Query@force-assignment", full('force-assignment="0"'), "wishes.select", None),
    Row("Query@force-assignment", full('forceAssignment="yes"'), "wishes.select", Select.FIRST, ("older spelling",)),
    Row("Query@force-assignment", full('force-assignment="1" select="first"'), "wishes.select", Select.FIRST),
    Row(
        "Query@force-assignment",
        full('force-assignment="1" select="last"'),
        "wishes.select",
        Select.LAST,
        ("force-assignment has no effect",),
    ),
    Row("Query@order-by", full(), "wishes.order", ()),
    Row(
        "Query@order-by",
        full('select="first" order-by="StudyDate desc, StudyTime desc"'),
        "wishes.order",
        ((DATE, True), (TIME, True)),
    ),
    Row(
        "Query@order-by",
        full('select="first" order-by="(0008,0020) ASC , 8,30 Desc"'),
        "wishes.order",
        ((DATE, False), (TIME, True)),
    ),
    Row(
        "Query@order-by", full('select="last" orderBy="studydate"'), "wishes.order", ((DATE, False),), ("older spell",)
    ),
    Row("Query@order-by", full('order-by="StudyDate"'), "wishes.order", ((DATE, False),), ("without select",)),
    Row("Query@forcePeerAe", full('type="Worklist"'), "force_station", False),
    Row("Query@forcePeerAe", full('type="Worklist" forcePeerAe="1"'), "force_station", True),
    Row("Query@forcePeerAe", full('type="Worklist" forcePeerAE="true"'), "force_station", True),
    Row("Query@forcePeerAe", full('forcePeerAe="1"'), "force_station", True, ('type="Worklist" alone',)),
    Row("Query@show", full(), "show", True),
    Row("Query@show", full('show="0"'), "show", False),
    Row("Query@characterSet", full(), "character_set", ""),
    Row("Query@characterSet", full('characterSet="ISO_IR 100"'), "character_set", "ISO_IR 100"),
    Row("Query@characterSet", full(r'characterSet="\ISO 2022 IR 87"'), "character_set", r"\ISO 2022 IR 87"),
    Row("Query/ConnectionParameters", full(), "peer.ae_title", "RIS"),
    Row("Query/ConnectionParameters", full(peer=PEER.replace("AETitle", "AeTitle")), "peer.ae_title", "RIS"),
    Row("Query/ConnectionParameters", full(peer=PEER.replace("PeerAETitle", "peerAeTitle")), "peer.ae_title", "RIS"),
    Row("Query/ConnectionParameters", full(), "peer.calling_ae_title", "DICOM_PRINTER"),
    Row("Query/ConnectionParameters", connection("<MyAETitle>ME</MyAETitle>"), "peer.calling_ae_title", "ME"),
    Row("Query/ConnectionParameters", connection("<MyAeTitle>ME</MyAeTitle>"), "peer.calling_ae_title", "ME"),
    Row(
        "Query/ConnectionParameters",
        full('calledAE="OLD" callingAE="ME" host="h" port="11112"', peer=""),
        "peer.ae_title",
        "OLD",
        ("calledAE", "callingAE", "host", "port"),
    ),
    Row(
        "Query/ConnectionParameters",
        full('calledAE="OLD" callingAE="ME" host="h" port="11112"', peer=""),
        "peer.port",
        11112,
        ("calledAE", "callingAE", "host", "port"),
    ),
    Row("Query/DcmTag", full(inner='<DcmTag tag="(0010,0020)">#{PatientID}</DcmTag>'), key("0.tag"), Tag(0x00100020)),
    Row("Query/DcmTag", full(inner='<DcmTag tag="PatientID" value="X"/>'), key("0.text"), KeyText.parse("X")),
    Row("Query/DcmTag", full(inner='<DcmTag tag="PatientID"/>'), key("0.text"), KeyText.parse("")),
    Row("Query/DcmTag", full(inner='<DcmTag tag="Modality">!SR|!KO</DcmTag>'), key("0.text.is_pattern"), True),
    Row("Query/DcmTag", full(inner='<DcmTag tag="PatientID" match="local">X</DcmTag>'), key("0.local"), True),
    Row("Query/DcmTag", full(inner='<DcmElement tag="PatientID"/>'), key("#"), 1, ("today it is <DcmTag>",)),
    Row("Query/DcmTag", full(inner='<DcmTag tag="QueryRetrieveLevel"/>'), key("#"), 1, ("the query sets it",)),
    Row(
        "Query/DcmSequence",
        full('type="Worklist"', STEPS.format('<DcmTag tag="Modality">US</DcmTag>')),
        sequence("0.items.0.keys.0.tag"),
        Tag("Modality"),
    ),
    Row(
        "Query/DcmSequence",
        full('type="Worklist"', '<DcmSequence tag="0040,0100" persist="1"/>'),
        sequence("0.persist"),
        True,
    ),
    Row(
        "Query/DcmSequence",
        full(
            'type="Worklist"',
            '<DcmTag tag="0040,0100"><DcmSequence><DcmTag tag="0040,0002">#{Date}</DcmTag></DcmSequence></DcmTag>',
        ),
        sequence("0.items.#"),
        1,
        ("stands around", "without a <DcmItem>"),
    ),
    Row(
        "Query/DcmSequence",
        full(
            'type="Worklist"',
            '<DcmTag tag="Modality">US</DcmTag>' + STEPS.format('<DcmTag tag="Modality">CT</DcmTag>'),
        ),
        sequence("#"),
        1,
        ("Modality (0008,0060) has no effect",),
    ),
]


def label(row: Row) -> str:
    return f"{row.covers}-{row.path}"


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_the_value_is_read_back(row: Row) -> None:
    node, report = checked(row.xml)
    assert report.errors == []
    assert pick(Query.read(node), row.path) == row.value
    said = [f"{message}; {suggestion}" for _, message, suggestion in report.warnings]
    assert len(said) == len(row.warnings), said
    assert all(words in line for words, line in zip(row.warnings, said, strict=True)), said


def test_every_attribute_and_child_has_a_row() -> None:
    declared = {f"Query@{attribute.name}" for attribute in Query.spec.attributes}
    declared |= {f"Query/{child.spec.name}" for child in Query.spec.children}
    assert declared == {row.covers for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_the_canonical_tree_is_valid(row: Row, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = Spec("All", children=(Child(Query.spec), Child(Spec("Perform", children=(Child(Query.overriding()[0]),)))))
    file = tmp_path_factory.getbasetemp() / "query.dtd"
    file.write_text(write_dtd(root), encoding="utf-8")
    report = Report()
    validate(Node("All", Position(1, 1), children=(checked(row.xml)[0],)), file, report)
    assert report.errors == []


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
        (full('characterSet="latin1"'), "is not a character set"),
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
