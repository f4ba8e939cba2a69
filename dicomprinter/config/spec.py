"""What may stand in a configuration: one declaration serves the reader, the DTD and the reference."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dicomprinter.config.tree import UnsoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicomprinter.config.kinds import Kind
    from dicomprinter.config.tree import Element, Node, Position


MOST_ERRORS = 500


class EnoughError(Exception):
    """There are so many errors that nobody reads on, and each costs a look for what may have been meant."""


# The text of a value that has been reported, as one whose variable is not set: no file can hold this character.
UNSET = "\0"


@dataclass(frozen=True)
class Attribute:
    """An attribute: its kind, whether it must be there, and what it is when it is not.

    `ignored` says why it is accepted without effect; `old` lists earlier spellings, which load with a warning; `older`
    is the warning about an attribute that only older files have, `it is …; today it is …{attribute}…`.
    """

    name: str
    kind: Kind
    required: bool = False
    default: Any = None
    doc: str = ""
    ignored: str = ""
    old: tuple[str, ...] = ()
    older: str = ""


@dataclass(frozen=True)
class Child:
    """A child element and how often it may stand; `most` None means any number."""

    element: Spec | Callable[[], Spec]
    least: int = 0
    most: int | None = 1
    ignored: str = ""
    old: tuple[str, ...] = ()

    @property
    def spec(self) -> Spec:
        """The child's declaration; a callable stands where elements nest in themselves."""
        return self.element if isinstance(self.element, Spec) else self.element()


@dataclass(frozen=True)
class Spec:
    """An element.

    Args:
        name: its canonical name.
        field_name: its name in the field dialect, where that differs; any file may use either.
        attributes, children: what it may hold.
        text: the kind of its text content; None: it has none.
        ordered: whether its children keep the order of the file among each other (a workflow's nodes);
            otherwise they are put in the order of `children`.
        dialect: rewrites older and other forms of the element before it is checked.
        checks: each looks at the finished node for one thing that no single value shows. One that asks the node for
            what has been refused ends there (`UnsoundError`), the others go on.
        doc: one line for the reference.
    """

    name: str
    attributes: tuple[Attribute, ...] = ()
    children: tuple[Child, ...] = ()
    text: Kind | None = None
    ordered: bool = False
    dialect: Callable[[Element, Report], None] | None = None
    checks: tuple[Callable[[Node, Report], None], ...] = ()
    doc: str = ""
    field_name: str = ""

    def spelling(self, *, in_field_dialect: bool) -> str:
        """The element's name as a dialect spells it."""
        return (self.field_name if in_field_dialect else "") or self.name

    @cached_property
    def attribute_names(self) -> Mapping[str, Attribute]:
        """Each attribute by its name in small letters."""
        return {attribute.name.lower(): attribute for attribute in self.attributes}

    @cached_property
    def older_attribute_names(self) -> Mapping[str, Attribute]:
        """The same by its earlier spellings."""
        return {spelling.lower(): attribute for attribute in self.attributes for spelling in attribute.old}

    @cached_property
    def child_names(self) -> Mapping[str, Child]:
        """Each child by its name in small letters."""
        return {
            name.lower(): child for child in self.children for name in (child.spec.field_name, child.spec.name) if name
        }

    @cached_property
    def older_child_names(self) -> Mapping[str, Child]:
        """The same by its earlier spellings."""
        return {spelling.lower(): child for child in self.children for spelling in child.old}


@dataclass
class Report:
    """Gathers what is wrong or worth a word, each with its place.

    What would show a value whose variable is not set follows from that, and is left out.

    Args:
        in_field_dialect: whether the file is written in it, so that what it lacks is spelled as there.
    """

    errors: list[tuple[Position, str, str]] = field(default_factory=list)
    warnings: list[tuple[Position, str, str]] = field(default_factory=list)
    unset: int = 0
    in_field_dialect: bool = False

    @property
    def mistakes(self) -> int:
        """Errors, and values that an unset variable leaves unknown; grows with each."""
        return len(self.errors) + self.unset

    def error(self, position: Position, message: str, suggestion: str = "") -> None:
        """Something that keeps the configuration from being used.

        Raises:
            EnoughError: there are MOST_ERRORS already; this one says so instead.
        """
        if UNSET in message + suggestion:
            self.unset += 1
            return
        if len(self.errors) == MOST_ERRORS:
            self.errors.append((position, f"from here on it was not looked at: there are {MOST_ERRORS} errors", ""))
            raise EnoughError
        self.errors.append((position, message, suggestion))

    def attempt(self, check: Callable[[Node, Report], None], node: Node) -> None:
        """Look at a node for something, as far as what that asks for has not been refused."""
        with suppress(UnsoundError):
            check(node, self)

    def warn(self, position: Position, message: str, suggestion: str = "") -> None:
        """Something that works, but not as the file may hope, or with a newer spelling."""
        if UNSET not in message + suggestion:
            self.warnings.append((position, message, suggestion))


def simple(name: str, kind: Kind, doc: str = "", field_name: str = "") -> Spec:
    """An element that holds a text and nothing else."""
    return Spec(name, text=kind, doc=doc, field_name=field_name)


def optional(
    name: str, kind: Kind, doc: str = "", ignored: str = "", *, old: tuple[str, ...] = (), field_name: str = ""
) -> Child:
    """A child that holds a text and may be absent."""
    return Child(simple(name, kind, doc, field_name), ignored=ignored, old=old)


def required(name: str, kind: Kind, doc: str = "", field_name: str = "") -> Child:
    """A child that holds a text and must be there once."""
    return Child(simple(name, kind, doc, field_name), least=1)
