"""A workflow as an outline: the same nodes that run, with what each means in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicomprinter.workflow import words
from dicomprinter.workflow.nodes import Discard, If, Node, Perform, Suspend, Switch, Update
from dicomprinter.workflow.paths import Ways, changed_action, policy_of

if TYPE_CHECKING:
    from datetime import timedelta

    from dicomprinter.workflow.interpreter import Program


@dataclass(frozen=True)
class Branch:
    """The nodes that run when a condition has this answer."""

    answer: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Entry:
    """A node.

    Args:
        path: its position, as a job keeps it.
        node: what stands there.
        title: what it does, in one line.
        notes: more of it, a line each.
        branches: of an If or Switch.
    """

    path: str
    node: str
    title: str
    notes: tuple[str, ...] = ()
    branches: tuple[Branch, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For a program."""
        branches = [
            {"answer": branch.answer, "nodes": [entry.to_json() for entry in branch.entries]}
            for branch in self.branches
        ]
        return {
            "path": self.path,
            "node": self.node,
            "title": self.title,
            "notes": list(self.notes),
            "branches": branches,
        }


def outline(program: Program) -> tuple[Entry, ...]:
    """The outline of a whole workflow."""
    ways = Ways(program.workflow, program.actions)
    return _entries(program.workflow.root, ways, program.suspension_time)


def _entries(nodes: tuple[Node, ...], ways: Ways, wait: timedelta) -> tuple[Entry, ...]:
    return tuple(_entry(node, ways, wait) for node in nodes)


def _entry(node: Node, ways: Ways, wait: timedelta) -> Entry:
    title, notes = describe(node, ways, wait)
    answers = answers_of(node)
    branches = tuple(
        Branch(answer, _entries(body, ways, wait))
        for answer, body in zip(answers, node.bodies(), strict=True)
        if body or isinstance(node, Switch)
    )
    return Entry(node.path, node.label, title, tuple(notes), branches)


def answers_of(node: Node) -> tuple[str, ...]:
    """What leads into each of a node's `bodies()`."""
    if isinstance(node, If):
        return ("yes", "no")
    if isinstance(node, Switch):
        return (*(_case(node, index) for index in range(len(node.cases))), "otherwise")
    return ()


def _case(node: Switch, index: int) -> str:
    condition = node.cases[index][0]
    is_text = condition.field in ("TAG_VALUE", "CLIENT_HOST_NAME", "PRINTED_FILE_NAME")
    return f'"{condition.value}"' if is_text else condition.value


def describe(node: Node, ways: Ways, wait: timedelta) -> tuple[str, list[str]]:
    """A node's title and notes."""
    title = node.label
    notes: list[str] = []
    match node:
        case Perform():
            title, notes = _perform(node, ways, wait)
        case If():
            title = f"if {words.asked(node.condition)}"
        case Switch():
            title = f"by {words.field_of(node.cases[0][0]) if node.cases else node.field}"
            if node.cases and not node.cases[0][0].case_sensitive:
                notes = ["capital and small letters are alike"]
        case Suspend():
            title, notes = _suspend(node, ways, wait)
        case Update():
            title = f"change the film of {node.action} for this job"
            notes = [f"{child.name}: {child.text}" for change in node.changes for child in change.children]
        case Discard():
            title = "discard: the job ends and its files go"
    return title, notes


def _perform(node: Perform, ways: Ways, wait: timedelta) -> tuple[str, list[str]]:
    action = changed_action(ways.actions, node)
    peer = words.peer(action)
    title = f"{node.action}: {words.kind(action)}" + (f" at {peer}" if peer else "")
    notes = list(words.settings(action))
    if node.changes and action != ways.actions[node.action]:
        notes.insert(0, "changed for this node alone")
    if node.default_query is not None:
        notes.append(f"operators use the query of {node.default_query}")
    return title, [
        *notes,
        *words.wishes(action, wait),
        f"if it fails: {words.failure(policy_of(ways.actions, node), wait)}",
    ]


def _suspend(node: Suspend, ways: Ways, wait: timedelta) -> tuple[str, list[str]]:
    if node.most == 0:
        return "suspend, but with no retry: the job goes on at once", []
    target = ways.target(node)
    where = f"at {node.resume_action} (at {target.path})" if node.resume_action else "at the first node"
    title = f"wait {words.duration(wait)}, then go on {where}"
    notes = []
    if ways.goes_back(node):
        back = f"when {node.resume_action} was first run" if node.resume_action else "when the job came in"
        notes.append(f"dataset, files and flags go back to what they were {back}")
    if node.most is None:
        notes.append("as often as it takes: only ValidityPeriod ends it")
    else:
        notes.append(f"{words.times(node.most)} at most; after that the job goes on below")
    return title, notes
