"""A walk through a configuration as it is written, beside what is declared: nothing is refused on the way."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dicomprinter.config.spec import UNSET, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomprinter.config.kinds import Kind
    from dicomprinter.config.spec import Spec
    from dicomprinter.config.tree import Element, Position

ACTIONS = ("actions", "actionslist")
"""The section of the actions, in small letters."""


@dataclass(frozen=True)
class Written:
    """An element as it is written, whatever is declared.

    Args:
        element: itself.
        name: its name in small letters.
        holders: the names of the elements around it, in small letters, the root first.
        actions: the names of the actions that the file declares.
    """

    element: Element
    name: str
    holders: tuple[str, ...]
    actions: frozenset[str]

    @property
    def position(self) -> Position:
        """Where it stands."""
        return self.element.position

    def text(self, attribute: str) -> str:
        """An attribute's text; empty where there is none."""
        return (self.element.attribute(attribute) or "").strip()


@dataclass(frozen=True)
class Value:
    """The text of an attribute or an element.

    Args:
        position: where it stands.
        what: it, in words.
        kind: what it may be.
        text: as the file has it, trimmed where its kind is.
        value: what its kind makes of it; None where it cannot read it.
        is_readable: whether it could.
        path: the declared names of the elements around it and of its own, the root first.
        unsaid: an attribute's value where the file says none; empty when it has none.
    """

    position: Position
    what: str
    kind: Kind
    text: str
    value: Any
    is_readable: bool
    path: tuple[str, ...]
    unsaid: str = ""


@dataclass(frozen=True)
class Unknown:
    """An element or an attribute that nothing declares."""

    position: Position
    what: str


@dataclass(frozen=True)
class OtherLetters:
    """A name that is declared in other capital and small letters."""

    position: Position
    what: str
    declared: str


@dataclass(frozen=True)
class WithoutEffect:
    """What loads without effect here."""

    position: Position
    what: str


Sight = Written | Value | Unknown | OtherLetters | WithoutEffect


def sights(root: Element, spec: Spec) -> list[Sight]:
    """Everything in a file."""
    actions = frozenset(
        (action.attribute("name") or "").strip()
        for section in root.children
        if section.name.lower() in ACTIONS
        for action in section.children
    )
    return [*_written(root, (), actions), *_declared(deepcopy(root), spec, ())]


def _written(element: Element, holders: tuple[str, ...], actions: frozenset[str]) -> Iterator[Sight]:
    name = element.name.lower()
    yield Written(element, name, holders, actions)
    for child in element.children:
        yield from _written(child, (*holders, name), actions)


def _declared(element: Element, spec: Spec, holders: tuple[str, ...]) -> Iterator[Sight]:
    """What is declared of an element, which a dialect may change first."""
    if spec.dialect:
        spec.dialect(element, Report())
    path = (*holders, spec.name)
    for name, text in element.attributes.items():
        attribute = spec.attribute_names.get(name.lower()) or spec.older_attribute_names.get(name.lower())
        what = f"the {element.label(name)}"
        if attribute is None:
            yield Unknown(element.position, what)
            continue
        yield from _named(name, (attribute.name, *attribute.old), element.position, what)
        if attribute.ignored:
            yield WithoutEffect(element.position, what)
        else:
            unsaid = attribute.default if isinstance(attribute.default, str) else ""
            yield from (
                replace(one, unsaid=unsaid) for one in _value(attribute.kind, element.position, what, text, path)
            )
    if spec.text is not None:
        yield from _value(spec.text, element.position, element.label(""), element.text, path)
    for inner in element.children:
        child = spec.child_names.get(inner.name.lower()) or spec.older_child_names.get(inner.name.lower())
        if child is None:
            yield Unknown(inner.position, f"{inner.said} in {element.said}")
            continue
        spellings = (child.spec.name, child.spec.field_name, *child.old, *_OLDER)
        yield from _named(inner.name, spellings, inner.position, inner.said)
        if child.ignored:
            yield WithoutEffect(inner.position, inner.said)
        else:
            yield from _declared(inner, child.spec, path)


# An older spelling that differs from today's by its letters alone.
_OLDER = ("FilmSizeID",)


def _named(name: str, spellings: tuple[str, ...], position: Position, what: str) -> Iterator[Sight]:
    if name not in spellings:
        yield OtherLetters(position, what, spellings[0])


def _value(kind: Kind, position: Position, what: str, text: str, path: tuple[str, ...]) -> Iterator[Value]:
    if text == UNSET:
        return
    text = text.strip() if kind.trim else text
    try:
        yield Value(position, what, kind, text, kind.parse(text), True, path)
    except ValueError:
        yield Value(position, what, kind, text, None, False, path)
