"""What the page of an action says of its element, and its example: one page and one file for each action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomprinter.actions.registry import actions
from docs.generate.elements import Element, attribute_table, child_table, elements, page_name
from docs.generate.markdown import plain, sections, table
from docs.generate.source import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomprinter.config.spec import Spec

ROOT = PACKAGE.parent
EXAMPLES = ROOT / "examples" / "actions"
_REFERENCE = "../configuration/elements.md"
# A node of the workflow that has a page among the actions: it belongs to the Print that it changes.
_NODES = ("Update",)
# Both kinds of parsing have the same tags, SetTag those of an item; a connection belongs to all who connect.
_FEW = 2


def kinds() -> list[str]:
    """Every action, and what has a page beside them."""
    return sorted([*actions(), *_NODES])


def overview() -> str:
    """Each action in a line."""
    declared = _declared(elements())
    rows = ((f"[{kind}]({page_name(kind)}.md)", plain(declared[kind].spec.doc)) for kind in kinds())
    return table(("Action", "What it does"), rows)


def declaration(kind: str) -> str:
    """The tables of an action's attributes and of what it holds; what many others hold too is linked."""
    every = elements()
    anchors = {id(one.spec): f"{_REFERENCE}#{one.anchor}" for one in every}
    own = _declared(every)[kind]
    inside = [] if kind in _NODES else _inside(own.spec, {id(one.spec): one for one in every})
    parts = [attribute_table(own.spec), child_table(own.spec, anchors)]
    return sections(*parts, *(part for one in inside for part in _tables(one, anchors)))


def example(name: str) -> str:
    """The file as it stands, with a link to it."""
    text = (EXAMPLES / f"{name}.xml").read_text("utf-8").rstrip()
    return f"[examples/actions/{name}.xml](../../examples/actions/{name}.xml):\n\n```xml\n{text}\n```"


def _declared(every: list[Element]) -> dict[str, Element]:
    return {one.spec.name: one for one in every if "Actions" in one.holders or one.spec.name in _NODES}


def _inside(spec: Spec, every: dict[int, Element]) -> list[Element]:
    """The elements in an action that few others hold: those that many share are said once, in the reference."""
    found: dict[int, Element] = {}
    waiting = [spec]
    while waiting:
        for child in waiting.pop(0).children:
            one = every.get(id(child.spec))
            if one and len(one.holders) <= _FEW and id(child.spec) not in found:
                found[id(child.spec)] = one
                waiting.append(child.spec)
    return list(found.values())


def _tables(element: Element, anchors: dict[int, str]) -> Iterator[str]:
    yield f"### {plain(f'<{element.spec.name}>')}"
    yield f"{plain(element.spec.doc[:1].upper() + element.spec.doc[1:])}."
    yield attribute_table(element.spec)
    yield child_table(element.spec, anchors)
    if element.spec.text is not None:
        yield f"Its text: {plain(element.spec.text.name)}."
