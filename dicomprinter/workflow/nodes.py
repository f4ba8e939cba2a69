"""The nodes of a workflow and the ways between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomprinter.actions.base import OnError
from dicomprinter.job.parts import START, Position
from dicomprinter.workflow.conditions import Condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomprinter.config import tree


@dataclass(frozen=True)
class Node:
    """A node: the path to it, and where it stands in the file."""

    path: str
    place: tree.Position

    @property
    def label(self) -> str:
        """What stands here, so that it is found again after a change of the file."""
        return type(self).__name__

    @property
    def position(self) -> Position:
        """The node as a job keeps it."""
        return Position(self.path, self.label)

    def bodies(self) -> tuple[tuple[Node, ...], ...]:
        """The node's branches."""
        return ()


@dataclass(frozen=True)
class Perform(Node):
    """Runs an action; `changes` are the elements that change it for this execution.

    `default_query` is the Query that operators use when the action asks them.
    """

    action: str
    on_error: OnError | None
    changes: tuple[tree.Node, ...]
    default_query: str | None = None

    @property
    def label(self) -> str:
        """`Perform SendToPACS`."""
        return f"Perform {self.action}"


@dataclass(frozen=True)
class If(Node):
    """Runs one of two branches."""

    condition: Condition
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]

    @property
    def label(self) -> str:
        """`If QUERY_FOUND`."""
        return f"If {self.condition.label}"

    def bodies(self) -> tuple[tuple[Node, ...], ...]:
        """Then and else."""
        return (self.then, self.otherwise)


@dataclass(frozen=True)
class Switch(Node):
    """Runs the first branch whose condition holds, else the default."""

    cases: tuple[tuple[Condition, tuple[Node, ...]], ...]
    default: tuple[Node, ...]
    field: str

    @property
    def label(self) -> str:
        """`Switch CLIENT_HOST_NAME`."""
        return f"Switch {self.field}"

    def bodies(self) -> tuple[tuple[Node, ...], ...]:
        """Each case, and the default."""
        return (*(body for _, body in self.cases), self.default)


@dataclass(frozen=True)
class Suspend(Node):
    """Stops the job for SuspensionTime; `most` None is without limit."""

    resume_action: str | None
    most: int | None


@dataclass(frozen=True)
class Discard(Node):
    """Ends the job."""


@dataclass(frozen=True)
class Update(Node):
    """Changes an action for this job."""

    action: str
    changes: tuple[tree.Node, ...]

    @property
    def label(self) -> str:
        """`Update PrintFilm`."""
        return f"Update {self.action}"


@dataclass(frozen=True)
class Workflow:
    """Every node, in the order of the file."""

    root: tuple[Node, ...]

    @classmethod
    def read(cls, node: tree.Node) -> Workflow:
        """Make it from the checked `<Workflow>`."""
        return cls(_body(node, ""))

    def walk(self) -> Iterator[Node]:
        """Each node, in the order of the file."""
        return _walk(self.root)

    def performs(self, action: str) -> Iterator[Perform]:
        """Each Perform of an action, in the order of the file."""
        return (node for node in self.walk() if isinstance(node, Perform) and node.action == action)

    def find(self, position: Position) -> Node | None:
        """The node at a position: by path and name, else by the name if it stands once; the first for START."""
        if position == START:
            return self.root[0] if self.root else None
        alike = [node for node in self.walk() if node.label == position.node]
        exact = [node for node in alike if node.path == position.path]
        if exact:
            return exact[0]
        return alike[0] if len(alike) == 1 else None

    def after(self, node: Node) -> Node | None:
        """The node that follows when this one is done: its next sibling, else what follows the node around it."""
        return _after(self.root, node, None)

    def index(self, node: Node) -> int:
        """The node's place in the order of the file."""
        return next(i for i, other in enumerate(self.walk()) if other.path == node.path)


def _walk(nodes: tuple[Node, ...]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for body in node.bodies():
            yield from _walk(body)


def _after(nodes: tuple[Node, ...], wanted: Node, following: Node | None) -> Node | None:
    for index, node in enumerate(nodes):
        next_one = nodes[index + 1] if index + 1 < len(nodes) else following
        if node.path == wanted.path:
            return next_one
        if wanted.path.startswith(node.path + "/"):
            body = next(b for b in node.bodies() if any(n.path in _prefixes(wanted.path) for n in b))
            return _after(body, wanted, next_one)
    raise KeyError(wanted.path)


def _prefixes(path: str) -> set[str]:
    parts = path.split("/")
    return {"/".join(parts[:length]) for length in range(1, len(parts) + 1)}


def _body(parent: tree.Node | None, prefix: str) -> tuple[Node, ...]:
    children = parent.children if parent else ()
    return tuple(_node(child, f"{prefix}{index}") for index, child in enumerate(children))


def _node(node: tree.Node, path: str) -> Node:
    place = node.position
    match node.name:
        case "Perform":
            on_error = OnError(node["onError"]) if node["onError"] else None
            return Perform(path, place, node["action"], on_error, node.children, node["defaultQuery"])
        case "If":
            then = _body(node.child("Statements"), f"{path}/then/")
            otherwise = _body(node.child("Else"), f"{path}/else/")
            return If(path, place, Condition.read(node, node["value"]), then, otherwise)
        case "Switch":
            cases = tuple(
                (Condition.read(node, case["value"]), _body(case, f"{path}/case{index}/"))
                for index, case in enumerate(node.all("Case"))
            )
            return Switch(path, place, cases, _body(node.child("Default"), f"{path}/default/"), _field(node))
        case "Suspend":
            most = node["maxRetries"]
            return Suspend(path, place, node["resumeAction"], None if most < 0 else most)
        case "Update":
            return Update(path, place, node["action"], node.children)
    return Discard(path, place)


def _field(node: tree.Node) -> str:
    return Condition.read(node, "").label
