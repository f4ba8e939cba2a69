"""A whole file: every mistake in one report, each with its place and the way out; and what a file may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomprinter.config.canonical import canonical
from dicomprinter.config.dtd import validate
from dicomprinter.config.spec import Report
from dicomprinter.config.tree import Node, Position
from dicomprinter.config.xml import parse
from dicomprinter.errors import ConfigError, InputError, Problem
from dicomprinter.program import load, root_spec
from tests.config.help import PEER, PRINT, QUERY, STORE, config, loaded, problems, warnings
from tests.links import ROOT

SEED = (ROOT / "examples" / "seed.xml").read_text("utf-8")

MISTAKES = """<?xml version="1.0" encoding="UTF-8"?>
<DicomPrinter>
  <General>
    <Verbosity>36</Verbosity>
    <SuspenseTime>5</SuspenseTime>
  </General>
  <Actions>
    <Store name="SendToPACS" multiframes="1">
      <ConnectionParameters>
        <PeerAETitle>PACS</PeerAETitle>
        <Host>${PACS_HOST}</Host>
        <Port>104000</Port>
      </ConnectionParameters>
      <Compression type="JPEG_Lossy"/>
      <ColorMode mode="Monochrome12"/>
    </Store>
    <Rotate name="Turn"><Angle>45</Angle></Rotate>
    <SetTag name="Describe">
      <DcmTag tag="PatientsName">#{JobName}</DcmTag>
    </SetTag>
    <ParseJobFileName name="Parse"><DcmTag tag="PatientID">(\\d+</DcmTag></ParseJobFileName>
    <Trim name="Turn"><Top>auto</Top></Trim>
    <Stor name="Other"/>
  </Actions>
  <Workflow>
    <Perform action="SendToPacs" onError="Retry"/>
    <If field="TAG_VALUE" value="(">
      <Perform action="Turn"/>
      <Suspend resumeAction="Describe"/>
    </If>
    <Switch field="QUERY_FOUN"><Case value="1"/></Switch>
    <If field="STORE_SUCCEEDED" tag="SendToBackup" value="maybe"/>
    <Resume/>
  </Workflow>
</DicomPrinter>
"""

REPORT = [
    "4:5: <Verbosity>: 36 is not a whole number from 1 to 35",
    '5:5: <SuspenseTime> is not known inside <General>; did you mean "SuspensionTime"?',
    '8:5: <Store> has no attribute "multiframes"; did you mean "multiframe"?',
    '11:9: the variable "PACS_HOST" is not set;'
    " set it in the environment or in <folder>/.env, or give a default: ${PACS_HOST:-…}",
    "12:9: <Port>: 104000 is not a port from 1 to 65535",
    "14:7: JPEG_Lossy holds 8 bits and cannot go with Monochrome12; choose JPEG_Lossless or Monochrome8",
    '17:25: <Angle>: "45" is not a multiple of 90; write 90, 180, 270 or -90',
    '19:7: <DcmTag>: "#{JobName}" is neither a tag nor a placeholder; did you mean "#{Job.Name}"?',
    '19:7: attribute "tag" of <DcmTag>: "PatientsName" is neither a tag (gggg,eeee) nor a DICOM keyword;'
    ' did you mean "PatientName"?',
    '21:36: <DcmTag>: "(\\d+" is not a regular expression: missing ) at position 4',
    '22:5: the action "Turn" is declared twice; the first stands in line 17; give one of them another name',
    '23:5: <Stor> is not known inside <Actions>; did you mean "Store"?',
    '26:5: action "SendToPacs" is not declared; did you mean "SendToPACS"?',
    '26:5: attribute "onError" of <Perform>: "Retry" is not allowed here; choose one of Hold, Ignore, Suspend, Discard',
    '27:5: <If> TAG_VALUE needs a tag; write field="TAG_VALUE(0010,0020)" or tag="…"',
    '27:5: attribute "value" of <If>: "(" is not a regular expression: missing ) at position 1',
    '29:7: the workflow never performs "Describe", so it cannot go on there; name an action that a <Perform> names',
    '31:5: attribute "field" of <Switch>: "QUERY_FOUN" is not allowed here; did you mean "QUERY_FOUND"?',
    '32:5: STORE_SUCCEEDED: there is no Store "SendToBackup"; did you mean "SendToPACS"?',
    '32:5: attribute "value" of <If>: "maybe" is neither true nor false (true/false, 1/0, yes/no, on/off)',
    '33:5: <Resume> is not supported: a job goes on where its Suspend says; write <Suspend resumeAction="…"/> instead',
]


def test_every_mistake_of_a_file_stands_in_one_report_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert problems(tmp_path, MISTAKES) == [f"config.xml:{line}".replace("<folder>", str(tmp_path)) for line in REPORT]


def test_a_report_names_the_file_as_it_was_given(tmp_path: Path) -> None:
    document = SEED.replace('<Perform action="SendToBackup"', '<Perform action="SendToBackUp"')
    file = tmp_path / "config.xml"
    file.write_text(document, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, environment={})
    (line,) = [number for number, text in enumerate(document.splitlines(), 1) if "SendToBackUp" in text]
    column = document.splitlines()[line - 1].index("<Perform") + 1
    message, hint = 'action "SendToBackUp" is not declared', 'did you mean "SendToBackup"?'
    assert caught.value.problems == [Problem(file, line, column, message, hint)]
    assert str(caught.value) == f"{file}:{line}:{column}: {message}; {hint}"
    assert caught.value.exit_code == 2


def test_the_message_of_a_name_that_is_not_declared(tmp_path: Path) -> None:
    head = config(STORE.replace('"Send"', '"SendToPACS"'), "").removesuffix("</Workflow></DicomPrinter>")
    document = head + "\n" * 40 + '        <Perform action="SendToPacs"/></Workflow></DicomPrinter>'
    assert problems(tmp_path, document) == [
        'config.xml:41:9: action "SendToPacs" is not declared; did you mean "SendToPACS"?'
    ]


def test_warnings_are_sorted_too_and_come_with_the_errors(tmp_path: Path) -> None:
    sections = "\n<General>\n<SpoolDirectory>x</SpoolDirectory>\n<RegistrationKey>x</RegistrationKey></General>"
    assert [line.split(" ")[0] for line in warnings(tmp_path, config(sections=sections))] == [
        "config.xml:3:1:",
        "config.xml:4:1:",
    ]
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, config(STORE.replace("104", "0"), sections=sections))
    assert [problem.line for problem in caught.value.warnings] == [3, 4]


# One mistake, one line.


def store(inner: str = "", attributes: str = "", peer: str = PEER) -> str:
    return f'<Store name="Send" {attributes}>{peer}{inner}</Store>'


LOSSY = '<Compression type="JPEG_Lossy"/><ColorMode mode="Monochrome12"/>'
CHOSEN = "JPEG_Lossy holds 8 bits and cannot go with Monochrome12; choose JPEG_Lossless or Monochrome8"


@pytest.mark.parametrize(
    ("actions", "workflow", "message"),
    [
        (store(LOSSY), "", CHOSEN),
        (store('<ColorMode mode="Monochrome12"/>', 'compression="jpeg_lossy"'), "", CHOSEN),
        (store(peer=""), "", "<Store> needs a <ConnectionParameters>"),
        (store(peer=PEER * 2), "", "<Store> may hold only 1 <ConnectionParameters>; the first stands in line 1"),
        (
            store('<Compression type="JPEG"/>'),
            "",
            '"JPEG" is not allowed here; choose one of RLE, JPEG_Lossless, JPEG_Lo',
        ),
        (
            store('<Compression type="JPG"/>'),
            "",
            '"JPG" is not allowed here; choose one of RLE, JPEG_Lossless, JPEG_Lo',
        ),
        (store('<Compression type="JPEG_Losless"/>'), "", 'did you mean "JPEG_Lossless"?'),
        (store("<Compression/>"), "", '<Compression> needs the attribute "type"'),
        (store('<Compression type="JPEG_Lossy" quality="101"/>'), "", "101 is not a whole number from 1 to 100"),
        (store('<ColorMode mode="Monochrome"/>'), "", '"Monochrome" is not allowed here; choose one of RGB, Mono'),
        (store('<ColourMode mode="RGB"/>'), "", 'did you mean "ColorMode"?'),
        (store('<Document as="Image"/>'), "", 'did you mean "Images"?'),
        (store('<Document dpi="35"/>'), "", "35 is not a whole number from 36 to 1200"),
        (store("<CharacterSet>latin1</CharacterSet>"), "", '"latin1" is not a Specific Character Set'),
        (store("<CharacterSet/>"), "", '<CharacterSet>: "" is not a Specific Character Set; write ISO_IR 100'),
        (store("<CharacterSet>\\</CharacterSet>"), "", '"\\" is not a Specific Character Set'),
        (store("lossless"), "", '<Store> holds the text "lossless", but takes no text'),
        (store("", 'multiframe="maybe"'), "", '"maybe" is neither true nor false'),
        (STORE.replace("104", "1_04"), "", '"1_04" is not a port from 1 to 65535'),
        (STORE.replace("104", "１０４"), "", '"１０４" is not a port from 1 to 65535'),
        (STORE.replace("104", "9" * 5000), "", "is not a port from 1 to 65535"),
        (STORE.replace('name="Send"', ""), "", '<Store> needs the attribute "name"'),
        (STORE.replace('name="Send"', 'name=" "'), "", "must not be empty"),
        (STORE.replace('name="Send"', 'name="Send" NAME="Send"'), "", '<Store> has the attribute "name" twice'),
        ('<SetTag name="A"/>', "", "<SetTag> sets no tag"),
        ('<SetTag name="A">text</SetTag>', "", 'needs the attribute "tag"'),
        ('<SetTag name="A" tag="PatientID" value="a">b</SetTag>', "", "both a value attribute and a text"),
        ('<SetTag name="A" value="a"/>', "", 'needs the attribute "tag"'),
        ('<SetTag name="A" tag="0002,0010">x</SetTag>', "", "group 0002 belongs to the file"),
        ('<SetTag name="A" tag="SOPClassUID">x</SetTag>', "", "made by the Store"),
        ('<SetTag name="A" tag="SOPInstanceUID">x</SetTag>', "", "made by the Store"),
        ('<SetTag name="A" tag="Rows">x</SetTag>', "", "comes from the page"),
        ('<SetTag name="A" tag="PixelData">x</SetTag>', "", "comes from the page"),
        ('<SetTag name="A" tag="PatientID">#{PatientId2}</SetTag>', "", 'did you mean "PatientID"?'),
        ('<SetTag name="A" tag="PatientID">#{Job.Nmae}</SetTag>', "", 'did you mean "#{Job.Name}"?'),
        ('<Rotate name="A"><Angle>91</Angle></Rotate>', "", '"91" is not a multiple of 90'),
        (STORE, "<Perform/>", '<Perform> needs the attribute "action"'),
        (STORE, '<Preform action="Send"/>', '<Preform> is not known inside <Workflow>; did you mean "Perform"?'),
        (STORE, '<If value="1"/>', '<If> needs the attribute "field"'),
        (STORE, '<If field="QUERY_FOUND"/>', '<If> needs the attribute "value"'),
        (STORE, '<If field="QUERY_FOUND" tag="PatientID" value="1"/>', 'QUERY_FOUND takes no attribute "tag"'),
        (STORE, '<If field="QUERY_FOUND" value="2"/>', '"2" is neither true nor false'),
        (STORE, '<If field="TAG_VALUE(PatientIDD)" value="1"/>', 'did you mean "PatientID"?'),
        (STORE, '<If field="TAG_VALUE(PatientID)" tag="PatientName" value=""/>', 'attribute "tag" beside TAG_VALUE'),
        (STORE, '<If field="TAG_VALUE()" value=""/>', '"" is neither a tag (gggg,eeee) nor a DICOM keyword'),
        (STORE, '<If field="TAG_VALUE(PatientID)" value="[a"/>', "is not a regular expression"),
        (STORE, '<If field="QUERY_FOUND" value="1"><Else/><Else/></If>', "may hold only 1 <Else>"),
        (STORE, '<Switch field="TAG_VALUE"/>', "<Switch> TAG_VALUE needs a tag"),
        (STORE, '<Switch field="TAG_VALUE"><Default/></Switch>', "<Switch> TAG_VALUE needs a tag"),
        (STORE, '<Switch field="TAG_VALUE"><Case value="a"/><Case value="b"/></Switch>', "TAG_VALUE needs a tag"),
        (STORE, '<Switch field="CLIENT_HOST_NAME"><Case/></Switch>', '<Case> needs the attribute "value"'),
        (STORE, '<Switch field="QUERY_FOUND"><Case/></Switch>', '<Case> needs the attribute "value"'),
        (STORE, '<Switch field="QUERY_FOUND"><Case val="1"/></Switch>', '<Case> needs the attribute "value"'),
        (STORE, '<Switch field="QUERY_FOUND"><Case value="2"/></Switch>', '"2" is neither true nor false'),
        (STORE, '<Switch field="TAG_VALUE(PatientID)"><Case value="("/></Switch>', "is not a regular expression"),
        (STORE, '<Switch field="CLIENT_HOST_NAME"><Case value=""/><Default/></Switch>', "only 1 <Default>"),
        (STORE, '<Suspend maxRetries="-2"/>', "-2 is not a whole number of at least -1"),
        (STORE, '<Suspend maxRetries="1.5"/>', '"1.5" is not a whole number'),
        (STORE, '<Discard now="1"/>', '<Discard> has no attribute "now"; nothing is allowed here'),
        (STORE, "<Discard>now</Discard>", '<Discard> holds the text "now"'),
        (PRINT, '<Update action="Film" type="Store"/>', '"Store" is not allowed here'),
        (PRINT, '<Update type="Print"/>', '<Update> needs the attribute "action"'),
    ],
)
def test_a_mistake_is_said(tmp_path: Path, actions: str, workflow: str, message: str) -> None:
    said = problems(tmp_path, config(actions, workflow))
    assert any(message in line for line in said), said
    assert len(said) == (2 if "val=" in workflow else 1), said


@pytest.mark.parametrize(
    ("workflow", "message", "way_out"),
    [
        ("<Resume/>", "<Resume> is not supported", "<Suspend resumeAction="),
        ('<If field="QUERY_FOUND" value="1"><Resume action="Send"/></If>', "<Resume> is not supported", "<Suspend"),
        ('<Switch field="QUERY_FOUND"><Default><Resume/></Default></Switch>', "<Resume> is not", "<Suspend"),
        ('<Update field="PatientID" value="X"/>', "<Update field=…> is not supported", "SetTag"),
        ('<Update action="Film" field="PatientID"/>', "<Update field=…> is not supported", "SetTag"),
        ('<If field="VALIDATION_FAILED" value="1"/>', '"VALIDATION_FAILED" is not supported', "onError"),
        ('<If field=" exception_occurred " value="TIMEOUT" tag="Send"/>', "is not supported", "onError"),
        ('<Switch field="EXCEPTION_OCCURRED"><Case value="x"/></Switch>', "is not supported", "onError"),
    ],
)
def test_what_is_refused_is_explained_once(tmp_path: Path, workflow: str, message: str, way_out: str) -> None:
    (line,) = problems(tmp_path, config(STORE + PRINT, workflow))
    assert message in line
    assert way_out in line


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("<General><Verbosity>0</Verbosity></General>", "0 is not a whole number from 1 to 35"),
        ("<General><CheckingInterval>soon</CheckingInterval></General>", '"soon" is not a number'),
        ("<General><CheckingInterval>0</CheckingInterval></General>", "0 is not a number from 0.05"),
        ("<General><SuspensionTime>-1</SuspensionTime></General>", "-1 is not a number from 0"),
        ("<General><SuspensionTime>NaN</SuspensionTime></General>", '"NaN" is not a number'),
        ("<General><ValidityPeriod>1e9</ValidityPeriod></General>", '"1e9" is not a number'),
        ("<General><MaximumLogFileSize>big</MaximumLogFileSize></General>", '"big" is not a size'),
        ("<General><MaximumLogFileSize>50B</MaximumLogFileSize></General>", '"50B" is not a size'),
        ("<General><MaximumLogFileCount>1</MaximumLogFileCount></General>", "1 is not a whole number of at least 2"),
        ("<General/><General/>", "<DicomPrinter> may hold only 1 <General>"),
        ("<DropMonitor><TextFileEncoding>klingon</TextFileEncoding></DropMonitor>", '"klingon" is not an encoding'),
        ("<DropMonitor><TextFileEncoding>hex</TextFileEncoding></DropMonitor>", '"hex" is not an encoding'),
        (
            "<DropMonitor><PdfConversionTimeoutMs>99999999999</PdfConversionTimeoutMs></DropMonitor>",
            "from 1 to 2147483647",
        ),
        ("<DropMonitor><RetryIntervalSeconds>999999999999</RetryIntervalSeconds></DropMonitor>", "from 0 to 86400"),
        ("<DropMonitor><Path/></DropMonitor>", "must not be empty"),
        ("<DropMonitor><Montage>perhaps</Montage></DropMonitor>", '"perhaps" is neither true nor false'),
        ("<Listener/>", "<Listener> is not known inside <DicomPrinter>"),
        ("<ActionsList/>", "<DicomPrinter> may hold only 1 <Actions>"),
    ],
)
def test_a_mistake_in_a_section_is_said(tmp_path: Path, section: str, message: str) -> None:
    (line,) = problems(tmp_path, config(sections=section))
    assert message in line


def test_a_mistake_further_in_hides_none_around_it(tmp_path: Path) -> None:
    workflow = (
        '<If field="QUERY_FOUND" value="x"><If field="TAG_VALUE" value="1">'
        '<Switch field="QUERY_PARTIAL"><Case value="y"><Perform action="Sent"/></Case></Switch></If></If>'
    )
    said = problems(tmp_path, config(STORE.replace("104", "0").replace("</Store>", LOSSY + "</Store>"), workflow))
    assert ["is not a port" in said[0], CHOSEN in said[1]] == [True, True]
    assert ['"x"' in said[2], "needs a tag" in said[3], '"y"' in said[4], '"Sent"' in said[5]] == [True] * 4
    assert len(said) == 6


def test_a_document_of_another_kind_is_one_mistake(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, "<html><body>${A}</body></html>")
    assert line == (
        "config.xml:1:1: the document is a <html>, not a configuration; known here: DicomPrinter, DicomPrinterConfig"
    )
    (line,) = problems(tmp_path, "<DicomPrinters/>")
    assert 'did you mean "DicomPrinter"?' in line


@pytest.mark.parametrize(
    ("query", "change", "message"),
    [
        (QUERY.replace('"Worklist"', '"Study"'), '<Query level="PATIENT"/>', "has no level PATIENT"),
        ('<Query name="Find" type="Manual"/>', '<Query type="Study"/>', "<ConnectionParameters>"),
    ],
)
def test_a_perform_that_contradicts_its_query(tmp_path: Path, query: str, change: str, message: str) -> None:
    (line,) = problems(tmp_path, config(query, f'<Perform action="Find">{change}</Perform>'))
    assert '"Find" as changed by its Perform' in line
    assert message in line


def test_what_must_be_there(tmp_path: Path) -> None:
    assert problems(tmp_path, "<DicomPrinter/>") == [
        "config.xml:1:1: <DicomPrinter> needs a <Actions>; what can be done",
        "config.xml:1:1: <DicomPrinter> needs a <Workflow>; what happens to a job",
    ]


# What a file may be; `test_xml` has more.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "windows-1252"])
def test_a_file_in_any_encoding_gives_the_same(tmp_path: Path, encoding: str) -> None:
    head = "" if encoding.startswith("utf") else f'<?xml version="1.0" encoding="{encoding}"?>'
    document = head + config('<SetTag name="Größe" tag="PatientID">Ä</SetTag>', '<Perform action="Größe"/>')
    program = loaded(tmp_path, document.encode(encoding))
    assert program.actions["Größe"].tags[0].text.source == "Ä"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "1:1: not well-formed XML: the file is empty"),
        (b"<DicomPrinter>", "1:15: not well-formed XML: <DicomPrinter> opened in line 1 is not closed"),
        ('<?xml version="1.0" encoding="klingon"?><DicomPrinter/>', "1:1: the encoding in the XML declaration"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><DicomPrinter/>', "1:52: entities are not allowed"),
        ("<a>" * 101 + "</a>" * 101, "1:301: elements are nested deeper than 100"),
    ],
)
def test_a_file_that_is_no_document_is_one_mistake(tmp_path: Path, document: str | bytes, message: str) -> None:
    (line,) = problems(tmp_path, document)
    assert line.startswith(f"config.xml:{message}")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the configuration .*none\.xml; No such file") as caught:
        load(tmp_path / "none.xml")
    assert caught.value.exit_code == 2
    with pytest.raises(InputError, match="cannot read the configuration"):
        load(tmp_path)


def test_workflows_may_be_nested_deep(tmp_path: Path) -> None:
    # Each If is two levels of the tree that the DTD sees.
    depth = 90
    document = config(STORE, '<If field="QUERY_FOUND" value="1">' * depth + "</If>" * depth)
    assert len(list(loaded(tmp_path, document).workflow.walk())) == depth


# The DTD looks at the canonical tree once more.


def node(name: str, *children: Node, line: int = 1, **texts: str) -> Node:
    return Node(name, Position(line, 7), texts, children=children)


@pytest.mark.parametrize(
    ("tree", "line", "words"),
    [
        (node("DicomPrinter", node("Actions")), 1, "got (Actions)"),
        (node("DicomPrinter", node("Workflow"), node("Actions")), 1, "got (Workflow Actions)"),
        (node("DicomPrinter", node("Actions", node("Perform", line=5)), node("Workflow"), line=2), 1, "got (Perform)"),
        (node("DicomPrinter", node("Actions"), node("Workflow", node("Perform", line=5))), 5, "action"),
        (node("DicomPrinter", node("Actions"), node("Workflow", node("Discard", line=5, x="y"))), 5, "x"),
        (
            node("DicomPrinter", node("Actions"), node("Workflow", node("Perform", line=5, action="A", onError="No"))),
            5,
            '"No"',
        ),
        (node("DicomPrinter", node("Actions"), node("Workflow", node("Jump", line=9))), 9, "Jump"),
    ],
)
def test_the_dtd_refuses_what_the_declarations_would_not_make(tree: Node, line: int, words: str) -> None:
    report = Report()
    validate(tree, root_spec(), report)
    said = [(place, message) for place, message, _ in report.errors]
    assert any(place == Position(line, 7) and words in message for place, message in said), said
    assert all(message.startswith("the DTD refuses this: ") for _, message in said)


def test_the_dtd_finds_the_place_in_a_long_file() -> None:
    # libxml2 keeps a line in 16 bits.
    many = [Node("Discard", Position(line, 7)) for line in range(10, 70_010)]
    many.append(Node("Jump", Position(70_010, 7)))
    report = Report()
    tree = node("DicomPrinter", node("Actions"), Node("Workflow", Position(9, 1), children=tuple(many)))
    validate(tree, root_spec(), report)
    assert Position(70_010, 7) in {place for place, _, _ in report.errors}


def test_the_dtd_takes_what_the_seed_becomes() -> None:
    report = Report()
    tree = canonical(parse(SEED.encode(), Path("seed.xml")), root_spec(), report)
    validate(tree, root_spec(), report)
    assert report.errors == []


def test_a_validity_of_nothing_is_warned_of(tmp_path: Path) -> None:
    (line,) = warnings(tmp_path, config(sections="<General><ValidityPeriod>0</ValidityPeriod></General>"))
    assert "with 0 every job that waits expires at once" in line
    assert "dicomprinter jobs restore" in line
    assert warnings(tmp_path, config(sections="<General><ValidityPeriod>0.5</ValidityPeriod></General>")) == []
