"""The DTD, generated from the declarations, and validation of the canonical tree by lxml.

A DTD knows one declaration for a name, wherever it stands; where two places use one name differently
(the action Trim, the film's Trim), the DTD allows the union and the declarations themselves are stricter.
"""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomprinter.config.spec import Attribute, Report, Spec
    from dicomprinter.config.tree import Node

_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEADER = """\
<!-- The configuration of dicomprinter in its canonical form, generated from its declarations by `make dtd`. -->
"""


def write_dtd(root: Spec) -> str:
    """The DTD of everything that can be reached from a root element."""
    specs: dict[str, list[Spec]] = {}
    for spec in _reachable(root):
        specs.setdefault(spec.name, []).append(spec)
    return _HEADER + "".join("\n" + _declare(name, alike) for name, alike in specs.items())


def _reachable(root: Spec) -> Iterator[Spec]:
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        spec = waiting.pop(0)
        if id(spec) in seen:
            continue
        seen.add(id(spec))
        yield spec
        waiting += [child.spec for child in spec.children]


def _declare(name: str, alike: list[Spec]) -> str:
    models = {_model(spec) for spec in alike}
    model = models.pop() if len(models) == 1 else _union(alike)
    lines = [f"<!ELEMENT {name} {model}>"]
    attributes: dict[str, list[Attribute]] = {}
    for spec in alike:
        for attribute in spec.attributes:
            attributes.setdefault(attribute.name, []).append(attribute)
    if attributes:
        declared = (_attribute(key, same, everywhere=len(same) == len(alike)) for key, same in attributes.items())
        lines.append(f"<!ATTLIST {name}\n    " + "\n    ".join(declared) + ">")
    return "\n".join(lines) + "\n"


def _model(spec: Spec) -> str:
    names = [child.spec.name for child in spec.children]
    if not names:
        return "(#PCDATA)" if spec.text else "EMPTY"
    if spec.text:
        return "(" + " | ".join(["#PCDATA", *names]) + ")*"
    if spec.ordered:
        return "(" + " | ".join(names) + ")*"
    marks = {(0, 1): "?", (1, 1): "", (0, None): "*", (1, None): "+"}
    return "(" + ", ".join(child.spec.name + marks.get((child.least, child.most), "*") for child in spec.children) + ")"


def _union(alike: list[Spec]) -> str:
    names = dict.fromkeys(child.spec.name for spec in alike for child in spec.children)
    if not names:
        return "(#PCDATA)"
    return "(" + " | ".join(["#PCDATA", *names]) + ")*"


def _attribute(name: str, same: list[Attribute], *, everywhere: bool) -> str:
    choices = dict.fromkeys(choice for attribute in same for choice in attribute.kind.choices)
    plain = all(attribute.kind.choices for attribute in same) and all(c.replace("_", "").isalnum() for c in choices)
    kind = "(" + " | ".join(choices) + ")" if plain else "CDATA"
    needed = everywhere and all(attribute.required for attribute in same)
    return f"{name} {kind} {'#REQUIRED' if needed else '#IMPLIED'}"


def validate(root: Node, spec: Spec, report: Report) -> None:
    """Validate the canonical tree with lxml; what the DTD refuses is reported at the element's place in the file."""
    nodes: dict[etree._Element, Node] = {}

    def build(node: Node, parent: etree._Element | None) -> etree._Element:
        element = etree.Element(node.name) if parent is None else etree.SubElement(parent, node.name)
        for name, text in node.texts.items():
            element.set(name, _legal(text))
        nodes[element] = node
        element.text = _legal(node.text) or None
        for child in node.children:
            build(child, element)
        return element

    tree = build(root, None)
    # Generated anew: a site's own actions are in it, which the shipped file cannot know.
    dtd = etree.DTD(StringIO(write_dtd(spec)))
    if not dtd.validate(tree):
        for entry in dtd.error_log:  # type: ignore[attr-defined] # the stubs leave the log empty
            # Not by its line: libxml2 keeps that in 16 bits.
            found: Any = tree.xpath(entry.path) if entry.path else [tree]
            report.error(nodes[found[0]].position, f"the DTD refuses this: {entry.message}")


def _legal(text: str) -> str:
    """Without the characters that XML cannot hold; an environment variable may bring one in."""
    return _ILLEGAL.sub("", text)
