"""Rows for the whole file and its workflow, in both dialects."""

from __future__ import annotations

from typing import Any

from dicomprinter.actions.base import OnError
from dicomprinter.actions.query.keys import KeyText
from dicomprinter.dicom.tags import parse_tag
from dicomprinter.workflow.nodes import Discard, If, Perform, Suspend, Switch, Update
from tests.actions.row import Row
from tests.actions.rows_print import PEER

CONNECTION = PEER.format("")
ACTIONS = (
    f'<Query name="Find">{CONNECTION}</Query><Store name="Send">{CONNECTION}</Store>'
    f'<Print name="Film">{CONNECTION}</Print><SetTag name="Two words" tag="PatientID">X</SetTag>'
)
SEND = '<Perform action="Send"/>'
TWO = '<Perform action="Two words"/>'


def flow(inner: str) -> str:
    return f"<DicomPrinter><Actions>{ACTIONS}</Actions><Workflow>{inner}</Workflow></DicomPrinter>"


def field_flow(inner: str) -> str:
    """The same in the field dialect, sections the other way round."""
    inside = f"<Workflow>{inner}</Workflow><ActionsList>{ACTIONS}</ActionsList>"
    return f"<DicomPrinterConfig>{inside}</DicomPrinterConfig>"


def both(covers: str, inner: str, path: str, value: Any, *warnings: str) -> list[Row]:
    return [Row(covers, wrap(inner), f"workflow.root.{path}", value, warnings) for wrap in (flow, field_flow)]


def condition(attributes: str) -> str:
    return f"<If {attributes}>{SEND}</If>"


def branches(inner: str, attributes: str = 'field="CLIENT_HOST_NAME"') -> str:
    return f"<Switch {attributes}>{inner}</Switch>"


FIND = '<Perform action="Find">{}</Perform>'
NODES: dict[str, tuple[str, type]] = {
    "Perform": (SEND, Perform),
    "If": ('<If field="QUERY_FOUND" value="1"/>', If),
    "Switch": ('<Switch field="CLIENT_HOST_NAME"/>', Switch),
    "Suspend": ("<Suspend/>", Suspend),
    "Discard": ("<Discard/>", Discard),
    "Update": ('<Update action="Film"/>', Update),
}
# Where nodes stand: the element, what is around it, and the way to it in what was read.
BODIES = (
    ("Workflow", "{}", "0"),
    ("Statements", '<If field="QUERY_FOUND" value="1">{}</If>', "0.then.0"),
    ("Statements", '<If field="QUERY_FOUND" value="1"><Statements>{}</Statements></If>', "0.then.0"),
    ("Statements", '<If field="QUERY_FOUND" value="1">{}<Else/></If>', "0.then.0"),
    ("Else", '<If field="QUERY_FOUND" value="1"><Else>{}</Else></If>', "0.otherwise.0"),
    (
        "Else",
        f'<If field="QUERY_FOUND" value="1"><Else>{{}}</Else><Statements>{SEND}</Statements></If>',
        "0.otherwise.0",
    ),
    ("Case", branches('<Case value="ward">{}</Case>'), "0.cases.0.1.0"),
    ("Case", branches('<Case value="ward"><Statements>{}</Statements></Case>'), "0.cases.0.1.0"),
    ("Default", branches("<Default>{}</Default>"), "0.default.0"),
    ("Default", branches("<Default><Statements>{}</Statements></Default>"), "0.default.0"),
    ("Default", branches('<Case value=" ">{}</Case>'), "0.default.0"),
)

IN_BODIES = [
    row
    for element, around, path in BODIES
    for name, (xml, kind) in NODES.items()
    for row in both(f"{element}/{name}", around.format(xml), f"{path}.__class__", kind)
]

PERFORM = [
    *both("Workflow/Perform", SEND + TWO, "#", 2),
    *both("Perform@action", TWO, "0.action", "Two words"),
    *both("Perform@action", '<perform ACTION=" Send "/>', "0.action", "Send"),
    *both("Perform@onError", '<Perform action="Send" onError="SUSPEND"/>', "0.on_error", OnError.SUSPEND),
    *both("Perform@onError", '<Perform action="Send" onerror="discard"/>', "0.on_error", OnError.DISCARD),
    *both("no Perform@onError", SEND, "0.on_error", None),
    *both(
        "Perform@defaultQuery",
        '<Perform action="Find" defaultQuery="Find"/>',
        "0.default_query",
        "Find",
    ),
    *both("no Perform@defaultQuery", '<Perform action="Find"/>', "0.default_query", None),
    *both("Perform/Query", FIND.format("<Query/>"), "0.changes.#", 1),
    *(
        row
        for attribute, value in (
            ("level", "SERIES"),
            ("select", "last"),
            ("show", False),
            ("forcePeerAe", True),
            ("force-assignment", True),
            ("characterSet", "ISO_IR 100"),
        )
        for row in both(
            f"Query@{attribute}",
            FIND.format(f'<Query {attribute}="{str(value).lower() if value in (True, False) else value}"/>'),
            f"0.changes.0.values.{attribute}",
            value,
        )
    ),
    *both("Query@type", FIND.format('<Query type="Patient"/>'), "0.changes.0.values.type", "Patient"),
    *both(
        "Query@order-by",
        FIND.format('<Query order-by="StudyDate desc"/>'),
        "0.changes.0.values.order-by",
        ((parse_tag("StudyDate"), True),),
    ),
    *both(
        "Query/ConnectionParameters",
        FIND.format(f"<Query>{CONNECTION}</Query>"),
        "0.changes.0.children.0.children.#",
        3,
    ),
    *both(
        "Query/DcmTag",
        FIND.format('<Query><DcmTag tag="PatientID">B</DcmTag></Query>'),
        "0.changes.0.children.0.value",
        KeyText.parse("B"),
    ),
    *both(
        "Query/DcmSequence",
        FIND.format('<Query><DcmSequence tag="0040,0100"><DcmItem/></DcmSequence></Query>'),
        "0.changes.0.children.0.children.#",
        1,
    ),
]

CONDITIONS = [
    *(
        row
        for field in ("QUERY_FOUND", "QUERY_PARTIAL", "STORE_SUCCEEDED", "CLIENT_HOST_NAME", "PRINTED_FILE_NAME")
        for row in both("If@field", condition(f'field="{field.lower()}" value="true"'), "0.condition.field", field)
    ),
    *both("If@field", condition('field="TAG_VALUE(0010,0020)" value="^P"'), "0.condition.field", "TAG_VALUE"),
    *both(
        "If@field",
        condition('field="tag_value( PatientID )" value="^P"'),
        "0.condition.tag",
        0x00100020,
    ),
    *both("If@tag", condition('field="TAG_VALUE(10,20)" value=""'), "0.condition.tag", 0x00100020),
    *both(
        "If@tag",
        condition('field="TAG_VALUE" tag="(0010,0020)" value=""'),
        "0.condition.tag",
        0x00100020,
    ),
    *both("If@tag", condition('field="STORE_SUCCEEDED" tag=" Send " value="1"'), "0.condition.store", "Send"),
    *both("no If@tag", condition('field="STORE_SUCCEEDED" value="0"'), "0.condition.store", None),
    *both("If@value", condition('field="CLIENT_HOST_NAME" value=" ward-3 "'), "0.condition.value", "ward-3"),
    *both("If@value", condition('field="TAG_VALUE(PatientID)" value="^(A|B)$"'), "0.condition.value", "^(A|B)$"),
    *both(
        "If@caseSensitive",
        condition('field="CLIENT_HOST_NAME" value="x" caseSensitive="0"'),
        "0.condition.case_sensitive",
        False,
    ),
    *both("no If@caseSensitive", condition('field="CLIENT_HOST_NAME" value="x"'), "0.condition.case_sensitive", True),
    *both("If/Statements", condition('field="QUERY_FOUND" value="1"') + TWO, "0.then.#", 1),
    *both("If/Statements", '<If field="QUERY_FOUND" value="1"/>', "0.then.#", 0),
    *both("If/Else", f'<If field="QUERY_FOUND" value="1">{SEND}<Else>{TWO}{SEND}</Else></If>', "0.otherwise.#", 2),
    *both("If/Else", f'<If field="QUERY_FOUND" value="1"><Else>{TWO}</Else>{SEND}</If>', "0.then.0.action", "Send"),
    *both("no If/Else", condition('field="QUERY_FOUND" value="1"'), "0.otherwise", ()),
]

SWITCHES = [
    *both("Switch@field", branches(""), "0.field", "CLIENT_HOST_NAME"),
    *both("Switch@field", branches("", 'field="printed_file_name"'), "0.field", "PRINTED_FILE_NAME"),
    *both(
        "Switch@field",
        branches('<Case value="1"/>', 'field="TAG_VALUE(PatientSex)"'),
        "0.cases.0.0.tag",
        int(parse_tag("PatientSex")),
    ),
    *both(
        "Switch@tag",
        branches('<Case value="1"/>', 'field="STORE_SUCCEEDED" tag="Send"'),
        "0.cases.0.0.store",
        "Send",
    ),
    *both(
        "Switch@caseSensitive",
        branches('<Case value="a"/>', 'field="CLIENT_HOST_NAME" caseSensitive="false"'),
        "0.cases.0.0.case_sensitive",
        False,
    ),
    *both("Switch/Case", branches('<Case value="a"/><Case value="b"/>'), "0.cases.#", 2),
    *both("Switch/Case", branches(f'<Default/><Case value="a">{SEND}</Case>'), "0.cases.0.1.#", 1),
    *both("Case@value", branches('<case VALUE=" a "/>'), "0.cases.0.0.value", "a"),
    *both("Switch/Default", branches(f'<Default>{SEND}</Default><Case value="a"/>'), "0.default.#", 1),
    *both("Switch/Default", branches(f'<Case value="">{SEND}</Case><Case value="a"/>'), "0.default.#", 1),
    *both("no Switch/Default", branches('<Case value="a"/>'), "0.default", ()),
]

OTHERS = [
    *both("Suspend@resumeAction", SEND + '<Suspend resumeAction="Send"/>', "1.resume_action", "Send"),
    *both("no Suspend@resumeAction", "<Suspend/>", "0.resume_action", None),
    *both("Suspend@maxRetries", '<Suspend maxRetries="3"/>', "0.most", 3),
    *both("Suspend@maxRetries", '<Suspend maxRetries="0"/>', "0.most", 0),
    *both("Suspend@maxRetries", '<Suspend maxRetries="-1"/>', "0.most", None),
    *both("no Suspend@maxRetries", "<Suspend/>", "0.most", None),
    *both("Suspend@onError", '<Suspend onError="Hold"/>', "0.most", None, 'attribute "onError" of <Suspend>'),
    *both("Update@action", '<Update action="Film"/>', "0.action", "Film"),
    *both("Update@type", '<Update action="Film" type="print"/>', "0.changes", ()),
    *(
        row
        for name, child in (
            ("BasicFilmSessionAttributes", "<NumberOfCopies>2</NumberOfCopies>"),
            ("BasicFilmBoxAttributes", "<FilmSizeId>A4</FilmSizeId>"),
            ("BasicImageBoxAttributes", "<Polarity>REVERSE</Polarity>"),
        )
        for row in both(
            f"Update/{name}", f'<Update action="Film"><{name}>{child}</{name}></Update>', "0.changes.0.children.#", 1
        )
    ),
]

FILE = [
    Row("DicomPrinter/Actions", flow(""), "actions.#", 4),
    Row("DicomPrinter/Actions", field_flow(""), "actions.#", 4),
    Row("DicomPrinter/Actions", flow("").replace("Actions>", "ActionsList>"), "actions.#", 4),
    Row("DicomPrinter/Workflow", flow(""), "workflow.root", ()),
    Row("DicomPrinter/Workflow", field_flow(SEND), "workflow.root.#", 1),
]

ROWS = [*IN_BODIES, *PERFORM, *CONDITIONS, *SWITCHES, *OTHERS, *FILE]
