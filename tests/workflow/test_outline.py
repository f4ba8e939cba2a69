"""A workflow in words and as a flowchart: every node, every way, and texts that could break the chart."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomprinter.program import Program, load
from dicomprinter.workflow.mermaid import _quoted, flowchart
from dicomprinter.workflow.outline import Entry, outline
from tests.links import ROOT
from tests.system.service import configuration, connection

EXAMPLES = sorted((ROOT / "examples").glob("*.xml"))
PEER = connection(104, "PACS", host="pacs")
STORE = f'<Store name="Send">{PEER}</Store>'
TAG = '<SetTag name="Tag"><DcmTag tag="InstitutionName">X</DcmTag></SetTag>'
ASK = f'<Query name="Ask" type="Worklist">{PEER}<DcmTag tag="PatientID">#{{PatientID}}</DcmTag></Query>'


def program(folder: Path, actions: str, workflow: str, suspension: float = 900) -> Program:
    file = folder / "config.xml"
    file.write_text(configuration(actions, workflow, suspension=suspension), encoding="utf-8")
    return load(file, environment={})


def flat(entries: tuple[Entry, ...]) -> list[Entry]:
    return [one for entry in entries for one in (entry, *(i for b in entry.branches for i in flat(b.entries)))]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_every_node_of_an_example_is_told_once_with_its_position(file: Path) -> None:
    loaded = load(file, environment={})
    told = [(entry.path, entry.node) for entry in flat(outline(loaded))]
    assert told == [(node.path, node.label) for node in loaded.workflow.walk()]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("Hold", "if it fails: the job is held, until an operator resumes it here"),
        ("Suspend", "if it fails: the job waits 15 min and tries again, here"),
        ("Ignore", "if it fails: that is noted, and the next node runs"),
        ("Discard", "if it fails: the job ends and its files go"),
    ],
)
def test_what_a_failure_leads_to(policy: str, said: str, tmp_path: Path) -> None:
    (entry,) = outline(program(tmp_path, STORE, f'<Perform action="Send" onError="{policy}"/>'))
    assert entry.title == "Send: Store at PACS@pacs:104, as DICOM_PRINTER"
    assert entry.notes[-1] == said


def test_what_a_program_may_wish_is_told(tmp_path: Path) -> None:
    run = '<Run name="Tool"><Command>tool</Command><Arguments>-a|#{PatientID}</Arguments></Run>'
    (entry,) = outline(program(tmp_path, run, '<Perform action="Tool"/>'))
    assert entry.notes[:3] == ("command: tool", "arguments: -a, #{PatientID}", "timeout: 3000")
    assert entry.notes[3] == "exit code -2: the job ends and its files go; -3: it waits 15 min and goes on here"


def test_a_zero_is_told_and_where_an_expression_stands_is_not(tmp_path: Path) -> None:
    text = '<PrintText name="T"><Text>x</Text><X>5</X><Y>0</Y><Width>50</Width><Height>5</Height></PrintText>'
    name = '<ParseJobFileName name="N"><DcmTag tag="PatientID">(.*)</DcmTag></ParseJobFileName>'
    first, second = outline(program(tmp_path, text + name, '<Perform action="T"/><Perform action="N"/>'))
    assert {"rectangle: x 5.0, y 0.0, width 50.0, height 5.0", "colour: 0, 0, 255, 255"} <= set(first.notes)
    (told,) = (note for note in second.notes if note.startswith("expressions: "))
    assert told == r"expressions: tag PatientID, vr LO, pattern (.*), replacement \1, transform None"


def test_what_an_update_changes_is_told(tmp_path: Path) -> None:
    film = f'<Print name="Film">{PEER}</Print>'
    box = "<FilmSizeId>A4</FilmSizeId><ImageDisplayFormat>STANDARD\\2,2</ImageDisplayFormat>"
    update = f'<Update action="Film" type="Print"><BasicFilmBoxAttributes>{box}</BasicFilmBoxAttributes></Update>'
    first, _ = outline(program(tmp_path, film, update + '<Perform action="Film"/>'))
    assert first.notes == (r"ImageDisplayFormat: STANDARD\2,2", "FilmSizeId: A4")


def test_no_password_is_told(tmp_path: Path) -> None:
    mail = "<To>a@b.c</To><From>d@e.f</From><SmtpHost>smtp</SmtpHost><User>u</User><Password>secret</Password>"
    hook = "<Url>https://host:8443/services/secret?key=secret</Url><Token>secret</Token>"
    actions = "".join(
        f'<Notify name="{kind}" type="{kind}"><Message>m</Message>{inner}</Notify>'
        for kind, inner in (("Email", mail), ("Webhook", hook))
    )
    workflow = '<Perform action="Email"/><Perform action="Webhook"/>'
    first, second = outline(program(tmp_path, actions, workflow))
    assert "secret" not in str((first, second))
    assert "webhook: server host:8443" in second.notes


def test_an_older_file_s_policy_is_the_action_s(tmp_path: Path) -> None:
    actions = STORE.replace('"Send"', '"Send" onError="Ignore"')
    (entry,) = outline(program(tmp_path, actions, '<Perform action="Send"/>'))
    assert "the next node runs" in entry.notes[-1]


def test_a_query_that_its_perform_changes(tmp_path: Path) -> None:
    other = connection(105, "RIS", host="other")
    workflow = (
        '<Perform action="Ask"/><Perform action="Ask"><Query select="last" order-by="StudyDate desc">'
        f'{other}<DcmTag tag="Modality">US</DcmTag></Query></Perform>'
    )
    plain, changed = outline(program(tmp_path, ASK, workflow))
    assert plain.title == "Ask: Query of a worklist at PACS@pacs:104, as DICOM_PRINTER"
    assert plain.notes[:2] == ("asks by PatientID = #{PatientID}", "of several answers none is taken (QUERY_PARTIAL)")
    assert changed.title == "Ask: Query of a worklist at RIS@other:105, as DICOM_PRINTER"
    assert changed.notes[:3] == (
        "changed for this node alone",
        "asks by PatientID = #{PatientID}, Modality = US",
        "of several answers the last is taken, sorted by StudyDate desc",
    )


def test_the_query_that_operators_use(tmp_path: Path) -> None:
    actions = ASK + '<Query name="AskOperator" type="Manual"/>'
    (entry,) = outline(program(tmp_path, actions, '<Perform action="AskOperator" defaultQuery="Ask"/>'))
    assert entry.title == "AskOperator: Query by an operator"
    assert entry.notes[:2] == ("waits for an operator's answer", "operators use the query of Ask")


@pytest.mark.parametrize(
    ("suspend", "title", "notes"),
    [
        (
            '<Suspend resumeAction="Send" maxRetries="3"/>',
            "wait 90 s, then go on at Send (at 0)",
            (
                "dataset, files and flags go back to what they were when Send was first run",
                "3 times at most; after that the job goes on below",
            ),
        ),
        (
            '<Suspend maxRetries="1"/>',
            "wait 90 s, then go on at the first node",
            (
                "dataset, files and flags go back to what they were when the job came in",
                "once at most; after that the job goes on below",
            ),
        ),
        (
            '<Suspend resumeAction="Tag"/>',
            "wait 90 s, then go on at Tag (at 2)",
            ("as often as it takes: only ValidityPeriod ends it",),
        ),
        ('<Suspend maxRetries="0"/>', "suspend, but with no retry: the job goes on at once", ()),
    ],
)
def test_a_suspend(suspend: str, title: str, notes: tuple[str, ...], tmp_path: Path) -> None:
    workflow = f'<Perform action="Send"/>{suspend}<Perform action="Tag"/>'
    entry = outline(program(tmp_path, STORE + TAG, workflow, suspension=90))[1]
    assert (entry.title, entry.notes) == (title, notes)


def test_conditions_in_words(tmp_path: Path) -> None:
    workflow = (
        '<If field="TAG_VALUE" tag="0010,0020" value="^47" caseSensitive="0"><Discard/></If>'
        '<If field="STORE_SUCCEEDED" tag="Send" value="1"><Discard/></If>'
        '<Switch field="CLIENT_HOST_NAME" caseSensitive="0"><Case value="ECG">'
        '<Perform action="Send"/></Case><Case value="CT"/></Switch>'
    )
    first, second, switch = outline(program(tmp_path, STORE, workflow))
    assert first.title == 'if PatientID matches "^47", in capital or small letters'
    assert second.title == "if STORE_SUCCEEDED(Send) is true"
    assert (switch.title, switch.notes) == ("by CLIENT_HOST_NAME", ("capital and small letters are alike",))
    assert [branch.answer for branch in switch.branches] == ['"ECG"', '"CT"', "otherwise"]
    assert [len(branch.entries) for branch in switch.branches] == [1, 0, 0]


# Flowcharts

# One line of the part of Mermaid's language that we write.
TEXT = r'"(?:[^"#`<>]|#[0-9]+;|<br/>)*"'
SHAPE = re.compile(rf"    (\w+)(?:\[{TEXT}\]|\{{{TEXT}\}}|\(\[{TEXT}\]\)|\[/{TEXT}/\])")
EDGE = re.compile(rf"    (\w+) (?:-->|-\.->)(?:\|{TEXT}\|)? (\w+)")


def parts(chart: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The names of the nodes and the edges; every line is one or the other."""
    head, *lines = chart.splitlines()
    assert head == "flowchart TD"
    nodes, edges = [], []
    for line in lines:
        if edge := EDGE.fullmatch(line):
            edges.append((edge[1], edge[2]))
        else:
            shape = SHAPE.fullmatch(line)
            assert shape, line
            nodes.append(shape[1])
    return nodes, edges


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_a_flowchart_has_each_node_once_and_each_edge_leads_somewhere(file: Path) -> None:
    loaded = load(file, environment={})
    nodes, edges = parts(flowchart(loaded))
    assert max(Counter(nodes).values()) == 1
    assert sum(name.startswith("n") for name in nodes) == len(list(loaded.workflow.walk()))
    assert {end for edge in edges for end in edge} == set(nodes)


def test_the_edges_of_a_flowchart(tmp_path: Path) -> None:
    workflow = (
        '<Perform action="Ask" onError="Suspend"/>'
        '<If field="QUERY_FOUND" value="false"><Suspend resumeAction="Ask" maxRetries="2"/><Else><Discard/></Else></If>'
        '<Switch field="CLIENT_HOST_NAME"><Case value="a"><Perform action="Tag" onError="Discard"/></Case></Switch>'
        '<Perform action="Send" onError="Ignore"/>'
    )
    chart = flowchart(program(tmp_path, ASK + TAG + STORE, workflow))
    nodes, edges = parts(chart)
    assert {end for edge in edges for end in edge} == set(nodes)
    arrows = [line.strip() for line in chart.splitlines() if "->" in line]
    assert arrows == [
        "start --> n0",
        "n0 --> n1",
        'n0 -.->|"fails: Suspend, again after 15 min"| n0',
        'n1 -->|"yes"| n2',
        'n1 -->|"no"| n3',
        'n2 -->|"try again, 2 times at most"| n0',
        'n2 -->|"no retry left"| n4',
        'n4 -->|"#34;a#34;"| n5',
        'n4 -->|"otherwise"| n6',
        "n5 --> n6",
        'n5 -.->|"fails: Discard"| discarded',
        "n6 --> done",
        'n6 -.->|"fails: Ignore"| done',
    ]


@pytest.mark.parametrize(
    "name",
    [
        '"quoted"',
        "[x] {y} (z)",
        "#quot; #35;",
        "<b>&amp;",
        "end",
        "`code`",
        "患者 Überprüfung",
        "%%{init}%%; -->",
        "1. a",
    ],
)
def test_any_name_stays_a_text_of_the_chart(name: str, tmp_path: Path) -> None:
    actions = TAG.replace('"Tag"', quoteattr(name))
    chart = flowchart(program(tmp_path, actions, f"<Perform action={quoteattr(name)}/>"))
    nodes, _ = parts(chart)
    assert nodes == ["start", "n0", "done", "held"]
    label = re.search(r'n0\["(.*)<br/>SetTag"\]', chart)
    assert label
    # What Mermaid shows: the codes are characters again.
    assert re.sub(r"#([0-9]+);", lambda code: chr(int(code[1])), label[1]) == name


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_a_label_never_ends_early(text: str) -> None:
    assert re.fullmatch(TEXT, _quoted(text))


def test_a_line_that_begins_like_a_list_is_no_list() -> None:
    assert _quoted("1. Query") == '"#49;#46; Query"'
    assert _quoted("- Query") == '"#45; Query"'
    assert _quoted("10.0.0.1:104") == '"#49;#48;#46;0.0.1:104"'


def test_a_workflow_without_a_node(tmp_path: Path) -> None:
    loaded = program(tmp_path, "", "")
    assert outline(loaded) == ()
    assert parts(flowchart(loaded)) == (["start", "done"], [("start", "done")])
