"""Every name in a workflow is that of a declared action, of the right kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomprinter.config.spec import Report
from dicomprinter.config.tree import Element, Node, Position
from dicomprinter.workflow.references import check_references
from tests.config.help import PEER, PRINT, QUERY, STORE, config, loaded, problems, warnings

ALL = STORE + QUERY + PRINT
FLOW = len(config(ALL, "").removesuffix("</Workflow></DicomPrinter>")) + 1


def only(folder: Path, workflow: str, actions: str = ALL) -> str:
    (problem,) = problems(folder, config(actions, workflow))
    return problem.partition(": ")[2]


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        ('<Perform action="Sent"/>', 'action "Sent" is not declared; did you mean "Send"?'),
        ('<Perform action="SEND"/>', 'action "SEND" is not declared; did you mean "Send"?'),
        ('<Perform action="xyz"/>', 'action "xyz" is not declared; known here: Send, Find, Film'),
        ('<Update action="Flim"/>', 'action "Flim" is not declared; did you mean "Film"?'),
        ('<Suspend resumeAction="Fin"/>', 'action "Fin" is not declared; did you mean "Find"?'),
        (
            '<Perform action="Send"/><Suspend resumeAction="Find"/>',
            'the workflow never performs "Find", so it cannot go on there; name an action that a <Perform> names',
        ),
        (
            '<Perform action="Find" defaultQuery="Fnd"/>',
            'action "Fnd" is not declared; did you mean "Find"?',
        ),
        ('<Perform action="Find" defaultQuery="Send"/>', 'defaultQuery: "Send" is a Store, not a Query; name a Query'),
        ('<Update action="Send"/>', '"Send" is not a Print and cannot be updated'),
        ('<Perform action="Send"><Query/></Perform>', '<Query> cannot change "Send", which is a Store'),
        (
            '<If field="STORE_SUCCEEDED" tag="Sent" value="1"/>',
            'STORE_SUCCEEDED: there is no Store "Sent"; did you mean "Send"?',
        ),
        (
            '<If field="STORE_SUCCEEDED" tag="Find" value="1"/>',
            'STORE_SUCCEEDED: there is no Store "Find"; known here: Send',
        ),
        (
            '<Switch field="STORE_SUCCEEDED" tag="Sent"><Case value="1"/></Switch>',
            'STORE_SUCCEEDED: there is no Store "Sent"; did you mean "Send"?',
        ),
    ],
)
def test_a_wrong_name_is_refused(tmp_path: Path, workflow: str, message: str) -> None:
    assert only(tmp_path, workflow) == message


@pytest.mark.parametrize(
    "around",
    [
        '<If field="QUERY_FOUND" value="1">{}</If>',
        '<If field="QUERY_FOUND" value="1"><Statements/><Else>{}</Else></If>',
        '<Switch field="CLIENT_HOST_NAME"><Case value="a">{}</Case></Switch>',
        '<Switch field="CLIENT_HOST_NAME"><Default>{}</Default></Switch>',
    ],
)
def test_a_wrong_name_is_found_in_every_branch(tmp_path: Path, around: str) -> None:
    assert 'did you mean "Send"?' in only(tmp_path, around.format('<Perform action="Sent"/>'))


def test_the_place_is_that_of_the_node(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, config(ALL, '<Discard/><Perform action="Sent"/>'))
    assert problem.startswith(f"config.xml:1:{FLOW + len('<Discard/>')}: ")


def test_without_any_action_the_message_still_says_what_is_wrong(tmp_path: Path) -> None:
    assert only(tmp_path, '<Perform action="Send"/>', "") == 'action "Send" is not declared; no action is'


def test_a_name_that_stands_twice_is_refused_where_it_stands_again(tmp_path: Path) -> None:
    document = config(f"{STORE}\n{PRINT}\n  {QUERY.replace('Find', 'Send')}\n{STORE}", '<Perform action="Send"/>')
    message = 'the action "Send" is declared twice; the first stands in line 1; give one of them another name'
    assert problems(tmp_path, document) == [f"config.xml:3:3: {message}", f"config.xml:4:1: {message}"]


def test_names_that_differ_in_case_are_two(tmp_path: Path) -> None:
    document = config(STORE + STORE.replace("Send", "SEND"), '<Perform action="SEND"/>')
    assert list(loaded(tmp_path, document).actions) == ["Send", "SEND"]


def test_blanks_around_a_name_do_not_count(tmp_path: Path) -> None:
    document = config(STORE.replace('"Send"', '" Send "'), '<Perform action="  Send"/>')
    assert list(loaded(tmp_path, document).actions) == ["Send"]


def test_an_action_that_is_wrong_otherwise_counts_as_declared(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, config(STORE.replace("104", "0"), '<Perform action="Send"/>'))
    assert "<Port>" in problem


@pytest.mark.parametrize(
    ("actions", "workflow"),
    [
        (f'<query name="Find">{PEER}</query>', '<Perform action="Find"><Query select="first"/></Perform>'),
        (f'<PRINT name="Film">{PEER}</PRINT>', '<Update action="Film"/>'),
        (f'<STORE name="Send">{PEER}</STORE>', '<If field="STORE_SUCCEEDED" tag="Send" value="1"/>'),
        (STORE, '<Suspend resumeAction="Send"/><Perform action="Send"/>'),
        (STORE, '<If field="STORE_SUCCEEDED" value="1"/>'),
        (STORE, '<If field="STORE_SUCCEEDED" tag="" value="1"/>'),
        (
            STORE,
            '<If field="QUERY_FOUND" value="1"><Else><Perform action="Send"/></Else></If>'
            '<Suspend resumeAction="Send"/>',
        ),
        (STORE, '<If field="TAG_VALUE" tag="PatientID" value="1"/>'),
    ],
)
def test_a_right_name_is_taken_whatever_the_case_of_its_element(tmp_path: Path, actions: str, workflow: str) -> None:
    assert loaded(tmp_path, config(actions, workflow)).actions


def test_a_file_without_a_workflow_is_looked_at_as_far_as_it_goes() -> None:
    report = Report()
    twice = [Element("Store", Position(line, 1), {"name": "Send"}) for line in (2, 3)]
    root = Element("DicomPrinter", Position(1, 1), children=[Element("Actions", Position(1, 5), children=twice)])
    check_references(root, Node("DicomPrinter", Position(1, 1)), report)
    assert [place.line for place, _, _ in report.errors] == [3]


def test_a_perform_may_make_a_manual_query_one_that_asks_a_peer(tmp_path: Path) -> None:
    change = f'<Query type="Study">{PEER}<DcmTag tag="PatientID">1</DcmTag></Query>'
    workflow = f'<Perform action="Ask">{change}</Perform>'
    assert warnings(tmp_path, config('<Query name="Ask" type="Manual"/>', workflow)) == []
