"""One row for each element and attribute that a file may hold: the XML, and the value that is read back.

To add an action: write the least that it needs into `LEAST`, its rows in a `rows_….py` beside this file, and add them
to `ROWS`. `test_the_rows_hold_what_they_cover_and_cover_everything` names what has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest

from dicomprinter.actions.base import Action, OnError
from dicomprinter.actions.merge.action import MergeJob
from dicomprinter.actions.notify import Notify
from dicomprinter.actions.pages.add_instance import AddInstance
from dicomprinter.actions.pages.auto_rotate_text import AutoRotateText
from dicomprinter.actions.pages.print_image import PrintImage
from dicomprinter.actions.pages.print_text import PrintText
from dicomprinter.actions.pages.resize import Resize
from dicomprinter.actions.pages.rotate import Rotate
from dicomprinter.actions.pages.trim import Trim
from dicomprinter.actions.parse.action import ParseJobFileName, ParseJobTextFile
from dicomprinter.actions.print.action import Print
from dicomprinter.actions.query.action import Query
from dicomprinter.actions.query.keys import KEY_CHILDREN, read_keys
from dicomprinter.actions.run.action import Run
from dicomprinter.actions.save.action import Save
from dicomprinter.actions.store.action import Store
from dicomprinter.actions.tags.dcm import container_dialect
from dicomprinter.actions.tags.set_sequence import SetSequence
from dicomprinter.actions.tags.set_tag import SetTag
from dicomprinter.config.canonical import canonical
from dicomprinter.config.dtd import validate
from dicomprinter.config.spec import Child, Report, Spec
from dicomprinter.config.tree import Node, Position
from dicomprinter.config.xml import parse
from dicomprinter.program import Program, _read, root_spec
from tests.actions import (
    rows_pages,
    rows_print,
    rows_query,
    rows_sections,
    rows_set_tag,
    rows_store,
    rows_tags,
    rows_workflow,
)
from tests.actions.row import Row, pick

# The least that each action needs, with room for attributes.
LEAST: dict[type[Action], str] = {
    AddInstance: "<AddInstance {}><ImagePath>a.png</ImagePath></AddInstance>",
    AutoRotateText: "<AutoRotateText {}/>",
    MergeJob: "<MergeJob {}/>",
    Notify: "<Notify {}><Message>m</Message></Notify>",
    ParseJobFileName: '<ParseJobFileName {}><DcmTag tag="PatientID">(.)</DcmTag></ParseJobFileName>',
    ParseJobTextFile: '<ParseJobTextFile {}><DcmTag tag="PatientID">(.)</DcmTag></ParseJobTextFile>',
    Print: "<Print {}>" + rows_print.PEER.format("") + "</Print>",
    PrintImage: "<PrintImage {}><ImagePath>l.png</ImagePath>" + rows_pages.PLACE + "</PrintImage>",
    PrintText: "<PrintText {}><Text>t</Text>" + rows_pages.PLACE + "</PrintText>",
    Query: "<Query {}>" + rows_query.PEER + "</Query>",
    Resize: "<Resize {}><Width>1</Width><Height>1</Height></Resize>",
    Rotate: "<Rotate {}><Angle>90</Angle></Rotate>",
    Run: "<Run {}><Command>c</Command></Run>",
    Save: "<Save {}><Directory>d</Directory></Save>",
    SetSequence: '<SetSequence {} tag="0032,1064"/>',
    SetTag: '<SetTag {} tag="PatientID"/>',
    Store: "<Store {}>" + rows_print.PEER.format("") + "</Store>",
    Trim: "<Trim {}><Top>1</Top></Trim>",
}


def read_file(node: Node) -> Program:
    return _read(Path("config.xml"), node)


FILE = (root_spec(), read_file)
# Root element → its declaration and what reads it. The keys stand in an element of their own; a Query holds them.
ROOTS: dict[str, tuple[Spec, Callable[[Node], Any]]] = {
    **{action.spec.name: (action.spec, action.read) for action in LEAST},
    "Keys": (Spec("Keys", children=KEY_CHILDREN, dialect=container_dialect), read_keys),
    "DicomPrinter": FILE,
    "DicomPrinterConfig": FILE,
}

COMMON = [
    row
    for action, least in LEAST.items()
    for row in (
        Row(f"{action.spec.name}@name", least.format('name="Two words"'), "name", "Two words"),
        Row(f"{action.spec.name}@name", least.format('NAME=" A "'), "name", "A"),
        Row(f"{action.spec.name}@name", least.format('name="A"'), "on_error", None),
        Row(
            f"{action.spec.name}@onError",
            least.format('name="A" onError="ignore"'),
            "on_error",
            OnError.IGNORE,
            ('<Perform action="A" onError="Ignore"/>',),
        ),
    )
]

IN_A_FILE = [
    Row(
        f"Actions/{action.spec.name}",
        "<DicomPrinter><Actions>" + least.format('name="A"') + "</Actions><Workflow/></DicomPrinter>",
        "actions.A.name",
        "A",
    )
    for action, least in LEAST.items()
]

ROWS = [
    *COMMON,
    *IN_A_FILE,
    *rows_print.ROWS,
    *rows_tags.ROWS,
    *rows_pages.ROWS,
    *rows_query.ROWS,
    *rows_store.ROWS,
    *rows_set_tag.ROWS,
    *rows_workflow.ROWS,
    *rows_sections.ROWS,
]


def load(xml: str) -> tuple[Node, Report, Spec]:
    report = Report()
    element = parse(xml.encode(), Path("config.xml"))
    spec = next(spec for name, (spec, _) in ROOTS.items() if name.lower() == element.name.lower())
    return canonical(element, spec, report), report, spec


def declared(spec: Spec) -> Iterator[tuple[int, str]]:
    """Every attribute and child that can be reached, by the identity of the Spec that declares it."""
    seen: set[int] = set()
    waiting = [spec]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield from ((id(one), f"{one.name}@{attribute.name}") for attribute in one.attributes)
        yield from ((id(one), f"{one.name}/{child.spec.name}") for child in one.children)
        waiting += [child.spec for child in one.children]


def used(node: Node, spec: Spec) -> Iterator[tuple[int, str]]:
    """Every attribute and child that a checked node has."""
    yield from ((id(spec), f"{spec.name}@{name}") for name in node.texts)
    for child in node.children:
        yield id(spec), f"{spec.name}/{child.name}"
        yield from used(child, next(one.spec for one in spec.children if one.spec.name == child.name))


def label(row: Row) -> str:
    return f"{row.covers}-{row.path}"


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_the_value_is_read_back(row: Row) -> None:
    node, report, spec = load(row.xml)
    assert report.errors == []
    value = pick(ROOTS[spec.name][1](node), row.path)
    assert value == row.value
    assert type(value) is type(row.value) or isinstance(value, type(row.value))
    said = [f"{message}; {suggestion}" for _, message, suggestion in report.warnings]
    assert len(said) == len(row.warnings), said
    assert all(words in line for words, line in zip(row.warnings, said, strict=True)), said


def test_the_rows_hold_what_they_cover_and_cover_everything() -> None:
    covered, wrong = set(), []
    for row in ROWS:
        node, _, spec = load(row.xml)
        entries = set(used(node, spec))
        name = row.covers.removeprefix("no ")
        if (name in {name for _, name in entries}) != (name == row.covers):
            wrong.append(label(row))
        covered |= {entry for entry in entries if entry[1] == row.covers}
    assert wrong == []
    wanted = {entry for spec, _ in ROOTS.values() for entry in declared(spec)}
    assert sorted(name for _, name in wanted - covered) == []


ALL = Spec("All", children=tuple(Child(ROOTS[name][0]) for name in ROOTS if ROOTS[name][0].name == name), ordered=True)


def moved(node: Node, line: int) -> Node:
    """The node and all in it, as if they stood in one line."""
    return replace(node, position=Position(line, 1), children=tuple(moved(child, line) for child in node.children))


def test_the_canonical_trees_are_valid() -> None:
    # All in one document: its DTD is made once, and a row's line tells which one is refused.
    trees = tuple(moved(load(row.xml)[0], line) for line, row in enumerate(ROWS))
    report = Report()
    validate(Node("All", Position(len(ROWS), 1), children=trees), ALL, report)
    assert [(ROWS[place.line].xml, message) for place, message, _ in report.errors] == []


def test_the_dtd_refuses_what_is_not_declared() -> None:
    stray = Node("Rotate", Position(7, 3), {"name": "A"}, children=(Node("Angel", Position(8, 5)),))
    report = Report()
    validate(Node("All", Position(1, 1), children=(stray,)), ALL, report)
    assert {place for place, _, _ in report.errors} == {Position(7, 3), Position(8, 5)}


def test_reading_the_canonical_text_again_gives_the_same() -> None:
    wrong = []
    for row in ROWS:
        node, _, spec = load(row.xml)
        again, report, _ = load(as_xml(node))
        if report.errors or pick(ROOTS[spec.name][1](again), row.path) != row.value:
            wrong.append((label(row), as_xml(node), report.errors))
    assert wrong == []


def as_xml(node: Node) -> str:
    attributes = "".join(f" {name}={quoteattr(text)}" for name, text in node.texts.items())
    inner = escape(node.text) + "".join(as_xml(child) for child in node.children)
    return f"<{node.name}{attributes}>{inner}</{node.name}>"
