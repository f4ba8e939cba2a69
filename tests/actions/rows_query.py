"""Rows for Query; `rows_tags` has those of its keys, and `rows_workflow` those of a Query inside a Perform."""

from __future__ import annotations

from dicomprinter.actions.query.declaration import Model, Select
from dicomprinter.actions.query.keys import KeyText
from dicomprinter.dicom.tags import Tag, parse_tag
from tests.actions.row import Row

PEER = (
    "<ConnectionParameters><PeerAETitle>RIS</PeerAETitle><Host>ris.local</Host><Port>104</Port></ConnectionParameters>"
)
DATE, TIME = parse_tag("StudyDate"), parse_tag("StudyTime")
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
    Row("no Query@type", full(), "wishes.model", Model.STUDY),
    Row("Query@type", full('type="worklist"'), "wishes.model", Model.WORKLIST),
    Row("Query@type", full('TYPE="PATIENT"'), "wishes.model", Model.PATIENT),
    Row("Query@type", full('type="Manual"', peer=""), "wishes.model", Model.MANUAL),
    Row("Query@type", full('type="Manual"', peer=""), "peer", None),
    Row("no Query@level", full(), "wishes.level_asked", "STUDY"),
    Row("no Query@level", full('type="Patient"'), "wishes.level_asked", "PATIENT"),
    Row("Query@level", full('level="series"'), "wishes.level_asked", "SERIES"),
    Row("Query@level", full('type="Patient" level="Image"'), "wishes.level_asked", "IMAGE"),
    Row("Query@level", full('type="Worklist" level="STUDY"'), "wishes.level_asked", "", ("level has no effect",)),
    Row("no Query@select", full(), "wishes.select", None),
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
    Row("no Query@order-by", full(), "wishes.order", ()),
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
    Row("no Query@forcePeerAe", full('type="Worklist"'), "force_station", False),
    Row("Query@forcePeerAe", full('type="Worklist" forcePeerAe="1"'), "force_station", True),
    Row("Query@forcePeerAe", full('type="Worklist" forcePeerAE="true"'), "force_station", True),
    Row("Query@forcePeerAe", full('forcePeerAe="1"'), "force_station", True, ('type="Worklist" alone',)),
    Row("no Query@show", full(), "show", True),
    Row("Query@show", full('show="0"'), "show", False),
    Row("no Query@characterSet", full(), "character_set", ""),
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
        parse_tag("Modality"),
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
