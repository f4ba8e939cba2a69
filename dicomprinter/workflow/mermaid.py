"""A workflow as a flowchart in Mermaid's language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dicomprinter.actions.base import OnError
from dicomprinter.workflow import words
from dicomprinter.workflow.nodes import Discard, If, Node, Perform, Suspend, Switch
from dicomprinter.workflow.outline import answers_of, describe
from dicomprinter.workflow.paths import Ways, changed_action, policy_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from dicomprinter.workflow.interpreter import Program

_START, _DONE, _DISCARDED, _HELD = "start", "done", "discarded", "held"
_LONGEST = 120
_PLAIN = " .,:@/()=?!'…_-"
_ITEM = re.compile(r"[-*+]|[0-9]+[.)]")


def flowchart(program: Program) -> str:
    """Every node once, and every way between them; ends with a line feed."""
    chart = _Chart(Ways(program.workflow, program.actions), program.suspension_time)
    return "\n".join(chart.lines()) + "\n"


class _Chart:
    def __init__(self, ways: Ways, wait: timedelta) -> None:
        self._ways = ways
        self._wait = wait

    def lines(self) -> Iterator[str]:
        ways = self._ways
        edges = [edge for node in ways.nodes for edge in self._edges(node)]
        targets = {target for _, target, _ in edges}
        yield "flowchart TD"
        yield f"    {_START}([{_quoted('a job comes in')}])"
        for node in ways.nodes:
            yield f"    {self._shape(node)}"
        if _DONE in targets or not ways.nodes:
            yield f"    {_DONE}([{_quoted('done')}])"
        if _HELD in targets:
            yield f"    {_HELD}[/{_quoted('held until an operator resumes it at the same node')}/]"
        if _DISCARDED in targets:
            yield f"    {_DISCARDED}([{_quoted('discarded: the files go')}])"
        yield f"    {_START} --> {self._name(ways.nodes[0] if ways.nodes else None)}"
        for source, target, label in edges:
            is_failure = label.startswith("fails")
            arrow = "-.->" if is_failure else "-->"
            yield f"    {source} {arrow}{f'|{_quoted(label)}|' if label else ''} {target}"

    def _name(self, node: Node | None) -> str:
        """Letters, digits and underscores: nothing else may stand there, and some words may not."""
        return _DONE if node is None else f"n{self._ways.index[node.path]}"

    def _shape(self, node: Node) -> str:
        name = self._name(node)
        match node:
            case Perform():
                action = changed_action(self._ways.actions, node)
                peer = words.peer(action).partition(",")[0]
                text = _quoted(node.action, words.kind(action), peer, words.waiting(action))
                return f"{name}[{text}]"
            case If():
                return f"{name}{{{_quoted(words.asked(node.condition))}}}"
            case Switch():
                return f"{name}{{{_quoted(describe(node, self._ways, self._wait)[0])}}}"
            case Suspend():
                return f"{name}[/{_quoted(f'wait {words.duration(self._wait)}')}/]"
            case Discard():
                return f"{name}([{_quoted('discard: the files go')}])"
        return f"{name}[{_quoted(describe(node, self._ways, self._wait)[0])}]"

    def _edges(self, node: Node) -> Iterator[tuple[str, str, str]]:
        """Source, target and label of each way on from a node."""
        ways, name = self._ways, self._name(node)
        match node:
            case Perform():
                yield name, self._name(ways.after(node)), ""
                yield from self._failure(node)
            case If() | Switch():
                for answer, body in zip(answers_of(node), node.bodies(), strict=True):
                    yield name, self._name(ways.into(node, body)), answer
            case Suspend():
                if node.most != 0:
                    most = "" if node.most is None else f", {words.times(node.most)} at most"
                    yield name, self._name(ways.target(node)), f"try again{most}"
                if node.most is not None:
                    yield name, self._name(ways.after(node)), "no retry left"
            case Discard():
                return
            case _:
                yield name, self._name(ways.after(node)), ""

    def _failure(self, node: Perform) -> Iterator[tuple[str, str, str]]:
        name = self._name(node)
        match policy_of(self._ways.actions, node):
            case OnError.HOLD:
                yield name, _HELD, "fails: Hold"
            case OnError.SUSPEND:
                yield name, name, f"fails: Suspend, again after {words.duration(self._wait)}"
            case OnError.DISCARD:
                yield name, _DISCARDED, "fails: Discard"
            case OnError.IGNORE:
                yield name, self._name(self._ways.after(node)), "fails: Ignore"


def _quoted(*lines: str) -> str:
    """A label of some lines."""
    return '"' + "<br/>".join(_escaped(line) for line in lines if line) + '"'


def _escaped(line: str) -> str:
    """What Mermaid, Markdown or HTML would take for its own becomes a character code."""
    line = " ".join(line.split())
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
    # A line that begins like an item of a list is taken for one.
    item = _ITEM.match(line)
    head = line[: item.end()] if item else ""
    return "".join(map(_code, head)) + "".join(
        character if character.isalnum() or character in _PLAIN else _code(character)
        for character in line.removeprefix(head)
    )


def _code(character: str) -> str:
    return f"#{ord(character)};"
