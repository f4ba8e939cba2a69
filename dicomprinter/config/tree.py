"""The two trees of a configuration: elements as the file has them, nodes as the program means them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


REFUSED: Any = object()
"""Stands for a value that has been refused: it cannot be read, it is not there, or its name may be misspelt."""


class UnsoundError(Exception):
    """Something was asked for that has been refused: what follows from it would tell nobody anything new."""


@dataclass(frozen=True, order=True)
class Position:
    """Where a start tag begins in the file; both count from 1."""

    line: int
    column: int


@dataclass
class Element:
    """An element as the file has it; a dialect may rewrite it before it is checked.

    Args:
        said: how messages call it, as the file writes it: `<Colormode>`.
        labels: the same of attributes that a dialect has moved here, by their names in small letters; under "" of a
            text that the file has elsewhere.
    """

    name: str
    position: Position
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)
    said: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.said = self.said or f"<{self.name}>"

    def label(self, attribute: str) -> str:
        """How messages call an attribute, `attribute "orderBy" of <Query>`; "" stands for the text."""
        usual = f'attribute "{attribute}" of {self.said}' if attribute else self.said
        return self.labels.get(attribute.lower(), usual)

    def find(self, name: str) -> Element | None:
        """The first child of this name, whatever its case."""
        return next((child for child in self.children if child.name.lower() == name.lower()), None)

    def attribute(self, name: str) -> str | None:
        """An attribute's text, whatever the case of its name."""
        return next((text for key, text in self.attributes.items() if key.lower() == name.lower()), None)

    def pop(self, name: str) -> str | None:
        """Take an attribute away, whatever the case of its name."""
        for key in list(self.attributes):
            if key.lower() == name.lower():
                return self.attributes.pop(key)
        return None


@dataclass(frozen=True)
class Node:
    """A checked element in its canonical spelling.

    Args:
        name: the canonical name.
        position: where its start tag stands in the file.
        texts: attributes as canonical text, only those that the file gives.
        values: attributes as values, defaults filled in; under "" the text content as a value.
        text: the canonical text content.
        children: in the canonical order.
        lacking: names of children that are not there, and that the file should have, or may have meant.
        is_sound: whether nothing is wrong with it and all that is in it.
        said: how messages call it, as the file writes it.
        labels: the same of the attributes that the file gives, and under "" of the text.
    """

    name: str
    position: Position
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    text: str = ""
    children: tuple[Node, ...] = ()
    lacking: frozenset[str] = frozenset()
    is_sound: bool = True
    said: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, attribute: str) -> Any:
        """An attribute's value; as all that follows, raises UnsoundError for what has been refused."""
        value = self.values[attribute]
        if value is REFUSED:
            raise UnsoundError
        return value

    @property
    def value(self) -> Any:
        """The text content as a value; None where there is none."""
        return self[""] if "" in self.values else None

    def child(self, name: str) -> Node | None:
        """The first child of this name."""
        found = next(self.all(name), None)
        if found is None and name in self.lacking:
            raise UnsoundError
        return found

    def all(self, name: str) -> Iterator[Node]:
        """Every child of this name that is known, in the order of the file; raises nothing."""
        return (child for child in self.children if child.name == name)

    def walk(self) -> Iterator[Node]:
        """All that is in it, in the order of the file; raises nothing."""
        for child in self.children:
            yield child
            yield from child.walk()

    def count(self, name: str) -> int:
        """How many children of this name there are."""
        if name in self.lacking:
            raise UnsoundError
        return len(list(self.all(name)))

    def content(self, name: str, default: Any = None) -> Any:
        """The value of a child's text, or the default when there is no such child."""
        child = self.child(name)
        return default if child is None else child.value
