"""From the file's elements to checked nodes: spellings, cases, dialects, environment, kinds."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dicomprinter.config.environment import expand, unclosed, where_to_set
from dicomprinter.config.spec import UNSET
from dicomprinter.config.tree import REFUSED, Element, Node

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dicomprinter.config.kinds import Kind
    from dicomprinter.config.spec import Attribute, Child, Report, Spec
    from dicomprinter.config.tree import Position


def expand_environment(element: Element, variables: Mapping[str, str], report: Report) -> None:
    """Fill in `${VAR}` everywhere below an element, in place; an unset variable is an error that names it."""

    def fill(text: str) -> str:
        meant = unclosed(text)
        if meant:
            report.error(element.position, "a variable has no closing brace", f"write {meant}")
            return UNSET
        text, missing = expand(text, variables)
        for name in missing:
            report.error(
                element.position,
                f'the variable "{name}" is not set',
                f"{where_to_set(variables)}, or give a default: ${{{name}:-…}}",
            )
        return UNSET if missing else text

    element.text = fill(element.text)
    element.attributes = {name: fill(text) for name, text in element.attributes.items()}
    for child in element.children:
        expand_environment(child, variables, report)


def canonical(element: Element, spec: Spec, report: Report) -> Node:
    """Check an element against its declaration and give it in canonical form.

    Goes on after an error, so that one run reports everything: the node knows what of it is not sound.
    """
    before = report.mistakes
    if spec.dialect:
        spec.dialect(element, report)
    texts, values, labels = _attributes(element, spec, report)
    text, values[""] = _text(element, spec, report)
    children, lacking = _children(element, spec, report)
    node = Node(
        spec.name,
        element.position,
        MappingProxyType(texts),
        MappingProxyType(values),
        text,
        children,
        lacking,
        said=element.said,
        labels=MappingProxyType(labels),
    )
    for check in spec.checks:
        report.attempt(check, node)
    return node if report.mistakes == before else replace(node, is_sound=False)


def nearest(wrong: str, known: Collection[str]) -> str:
    """`did you mean "Store"?`, or the list of what is known where nothing is near."""
    near = meant(wrong, known)
    if near:
        return f'did you mean "{near}"?'
    listed = ", ".join(dict.fromkeys(known))
    return f"known here: {listed}" if listed else "nothing is allowed here"


def meant(wrong: str, known: Collection[str]) -> str:
    """The nearest name; empty where none is near."""
    names = {name.lower(): name for name in known}
    near = difflib.get_close_matches(wrong.lower(), names, n=1, cutoff=0.6)
    return names[near[0]] if near else ""


def _attributes(element: Element, spec: Spec, report: Report) -> tuple[dict[str, str], dict[str, Any], dict[str, str]]:
    """The texts and the values of attributes, and how messages call them, by their canonical names."""
    texts: dict[str, str] = {}
    labels: dict[str, str] = {"": element.label("")}
    misspelt: set[str] = set()
    values: dict[str, Any] = {attribute.name: attribute.default for attribute in spec.attributes}
    for name, text in element.attributes.items():
        attribute = spec.attribute_names.get(name.lower()) or spec.older_attribute_names.get(name.lower())
        if attribute is None:
            message = f'{element.said} has no attribute "{name}"'
            known = [a.name for a in spec.attributes]
            report.error(element.position, message, nearest(name, known))
            misspelt.add(meant(name, known))
            continue
        if attribute.name in texts:
            report.error(element.position, f'{element.said} has the attribute "{attribute.name}" twice')
            continue
        if name.lower() in spec.older_attribute_names:
            message = f'{element.said} has the older spelling "{name}"'
            report.warn(element.position, message, f'today it is "{attribute.name}"')
        label = labels[attribute.name] = element.label(name)
        _mention_ignored(attribute, f"the {label}", element.position, report)
        texts[attribute.name], values[attribute.name] = _read(attribute.kind, text, element.position, label, report)
    for attribute in spec.attributes:
        if attribute.older and attribute.name in texts and values[attribute.name] is not REFUSED:
            message, _, today = attribute.older.partition("; ")
            today = today.format_map(defaultdict(lambda: "…", texts))
            report.warn(element.position, f"{labels[attribute.name]} is older: {message}", today)
        if attribute.required and attribute.name not in texts:
            report.error(element.position, f'{element.said} needs the attribute "{attribute.name}"', attribute.doc)
        if attribute.name not in texts and (attribute.required or attribute.name in misspelt):
            values[attribute.name] = REFUSED
    return texts, values, labels


def _text(element: Element, spec: Spec, report: Report) -> tuple[str, Any]:
    if spec.text is None:
        if element.text.strip(f"{UNSET} \t\r\n"):
            shown = element.text.strip().splitlines()[0][:40]
            report.error(element.position, f'{element.said} holds the text "{shown}", but takes no text')
        return "", None
    return _read(spec.text, element.text, element.position, element.label(""), report)


def _read(kind: Kind, text: str, position: Position, where: str, report: Report) -> tuple[str, Any]:
    if text == UNSET:
        report.unset += 1
        return "", REFUSED
    text = text.strip() if kind.trim else text
    try:
        value = kind.parse(text)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        report.error(position, f"{where}: {message}", hint)
        return text, REFUSED
    return (kind.write(value) if kind.write else text), value


def _children(element: Element, spec: Spec, report: Report) -> tuple[tuple[Node, ...], frozenset[str]]:
    """The children that are known, and the names of those that the file lacks or may have meant."""
    found: list[Node] = []
    misspelt: set[str] = set()
    by_name: dict[str, list[Node]] = {child.spec.name: [] for child in spec.children}
    for inner in element.children:
        child = spec.child_names.get(inner.name.lower()) or spec.older_child_names.get(inner.name.lower())
        if child is None:
            message = f"{inner.said} is not known inside {element.said}"
            names = {c.spec.spelling(in_field_dialect=report.in_field_dialect): c.spec.name for c in spec.children}
            report.error(inner.position, message, nearest(inner.name, names))
            misspelt.add(names.get(meant(inner.name, names), ""))
            continue
        name = child.spec.name
        if inner.name.lower() in spec.older_child_names:
            report.warn(inner.position, f"{inner.said} is an older spelling", f"today it is <{name}>")
        _mention_ignored(child, inner.said, inner.position, report)
        node = canonical(inner, child.spec, report)
        found.append(node)
        by_name[name].append(node)
    for child in spec.children:
        nodes = by_name[child.spec.name]
        _count(child, nodes, element, report)
        if len(nodes) < child.least:
            misspelt.add(child.spec.name)
    children = found if spec.ordered else [node for nodes in by_name.values() for node in nodes]
    return tuple(children), frozenset(misspelt)


def _count(child: Child, nodes: list[Node], element: Element, report: Report) -> None:
    if len(nodes) < child.least:
        name = child.spec.spelling(in_field_dialect=report.in_field_dialect)
        report.error(element.position, f"{element.said} needs a <{name}>", child.spec.doc)
    if child.most is not None and len(nodes) > child.most:
        first = f"the first stands in line {nodes[0].position.line}"
        message = f"{element.said} may hold only {child.most} {nodes[child.most].said}; {first}"
        report.error(nodes[child.most].position, message)


def _mention_ignored(declared: Attribute | Child, what: str, position: Position, report: Report) -> None:
    if declared.ignored:
        report.warn(position, f"{what} has no effect here", declared.ignored)
