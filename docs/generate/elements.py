"""Every element and attribute of a configuration, from the declarations (`config/spec.py`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomprinter.actions.registry import actions
from dicomprinter.program import root_spec
from docs.generate.markdown import code, plain, sections, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicomprinter.config.kinds import Kind
    from dicomprinter.config.spec import Attribute, Child, Spec

# These and what they hold form a chapter each; the rest stands with the element that holds it first.
_CHAPTERS = ("General", "DropMonitor", "Actions", "Workflow")


@dataclass
class Element:
    """An element that has a section of its own.

    Args:
        spec: its declaration.
        holders: the names of the elements that may hold it.
        title: the section's heading; an element that is declared in several ways has one for each.
    """

    spec: Spec
    holders: list[str] = field(default_factory=list)
    title: str = ""

    @property
    def anchor(self) -> str:
        """The heading's anchor."""
        return self.title.lower().replace(" ", "-")


def elements(root: Spec | None = None) -> list[Element]:
    """Each declaration once, in the order in which a reader of a file meets them."""
    found: dict[int, Element] = {}
    _gather(root or root_spec(), "", found)
    kinds = actions()
    names: dict[str, int] = {}
    for element in found.values():
        names[element.spec.name] = names.get(element.spec.name, 0) + 1
    for element in found.values():
        name = element.spec.name
        # An action's name says more than that of a part of it.
        holder = min(element.holders, key=lambda one: one not in kinds)
        element.title = name if names[name] == 1 else f"{name} in {holder}"
    return list(found.values())


def page_name(kind: str) -> str:
    """`PrintText` has the page `print-text.md` and the example `print-text.xml`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()


def is_simple(spec: Spec) -> bool:
    """Whether it holds a text and nothing else: a line in the table of its holder is enough."""
    return spec.text is not None and not spec.attributes and not spec.children


def reference() -> str:
    """The whole page."""
    every = elements()
    anchors = {id(element.spec): f"#{element.anchor}" for element in every}
    return sections(*(part for element in every for part in _section(element, anchors)))


def attribute_table(spec: Spec) -> str:
    """The attributes of an element."""
    return table(("Attribute", "Value", "When unsaid", "Meaning"), (_attribute(one) for one in spec.attributes))


def child_table(spec: Spec, anchors: Mapping[int, str]) -> str:
    """What an element holds; `anchors` leads to the sections of those that hold more than a text, by `id(spec)`."""
    return table(("Holds", "Times", "Value", "Meaning"), (_child(one, anchors) for one in spec.children))


def _gather(spec: Spec, holder: str, found: dict[int, Element]) -> None:
    element = found.setdefault(id(spec), Element(spec))
    is_new = not element.holders
    if holder not in element.holders:
        element.holders.append(holder)
    if is_new:
        for child in spec.children:
            if not is_simple(child.spec):
                _gather(child.spec, spec.name, found)


def _section(element: Element, anchors: Mapping[int, str]) -> Iterator[str]:
    spec = element.spec
    depth = "##" if spec.name in _CHAPTERS or not element.holders[0] else "###"
    yield f"{depth} {element.title}"
    yield _sentence(spec.doc) + _inside(element)
    if spec.name in actions() and "Actions" in element.holders:
        yield f"An action: see [its page](../actions/{page_name(spec.name)}.md)."
    if spec.text is not None:
        yield f"Its text: {plain(spec.text.name)}."
    yield attribute_table(spec)
    yield child_table(spec, anchors)


def _sentence(doc: str) -> str:
    return f"{plain(doc[:1].upper() + doc[1:])}." if doc else ""


def _inside(element: Element) -> str:
    holders = [f"<code>&lt;{holder}&gt;</code>" for holder in element.holders if holder]
    return f" Stands in {', '.join(holders)}." if holders else " The whole file."


def _attribute(attribute: Attribute) -> tuple[str, str, str, str]:
    if attribute.required:
        unsaid = "must be there"
    elif attribute.default in (None, "", ()):
        unsaid = "–"
    else:
        unsaid = code(_default(attribute.default))
    return code(attribute.name), _value(attribute.kind), unsaid, _meaning(attribute.doc, attribute)


def _default(value: Any) -> str:
    # A template is shown as it is written.
    return str(value).lower() if isinstance(value, bool) else str(getattr(value, "source", value))


def _child(child: Child, anchors: Mapping[int, str]) -> tuple[str, str, str, str]:
    spec = child.spec
    name = f"<code>&lt;{spec.name}&gt;</code>"
    if not is_simple(spec):
        name = f"[{name}]({anchors[id(spec)]})"
    value = _value(spec.text) if spec.text is not None else ""
    return name, _how_often(child), value, _meaning(spec.doc, child)


def _how_often(child: Child) -> str:
    match child.least, child.most:
        case 0, 1:
            return "0 or 1"
        case 1, 1:
            return "1"
        case 0, None:
            return "any"
        case least, None:
            return f"{least} or more"
        case least, most:
            return f"{least} to {most}"


def _value(kind: Kind) -> str:
    if kind.choices and kind.name == " | ".join(kind.choices):
        return ", ".join(code(choice) for choice in kind.choices)
    return plain(kind.name)


def _meaning(doc: str, declared: Attribute | Child) -> str:
    more = declared.old or declared.ignored
    parts = [plain(f"{doc}." if doc and more else doc)]
    if declared.old:
        parts.append(f"Older spelling: {', '.join(code(old) for old in declared.old)}.")
    if declared.ignored:
        parts.append(f"*Loads without effect:* {plain(declared.ignored)}.")
    return " ".join(part for part in parts if part)
