"""Every way that a job can take through a workflow, without a job: what is reached, and with what knowledge.

A Suspend that goes back puts the job's flags and dataset back as well, so it leads to no place and no knowledge that
the way there did not have; only where its action was never reached before does it lead to something new.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dicomprinter.actions.base import OnError
from dicomprinter.workflow.knowledge import Knowledge, Question, question, value_of
from dicomprinter.workflow.nodes import Discard, If, Node, Perform, Suspend, Switch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicomprinter.actions.base import Action
    from dicomprinter.workflow.conditions import Condition
    from dicomprinter.workflow.nodes import Workflow

# So many states are looked at with every answer in mind; beyond that the queries' answers must do.
_MOST_STATES = 10_000
_NO_QUERY = frozenset({(("QUERY_FOUND",), False), (("QUERY_PARTIAL",), False)})


class _TooManyStatesError(Exception):
    """The file asks so much that not every combination of answers can be looked at."""


def policy_of(actions: Mapping[str, Action], node: Perform) -> OnError:
    """What becomes of a job when the node's action fails."""
    return node.on_error or actions[node.action].on_error or OnError.HOLD


def changed_action(actions: Mapping[str, Action], node: Perform) -> Action:
    """The node's action with what the node changes of it."""
    action = actions[node.action]
    for change in node.changes:
        action = action.overridden(change)
    return action


def conditions_of(node: Node) -> tuple[Condition, ...]:
    """What a node asks."""
    if isinstance(node, If):
        return (node.condition,)
    return tuple(condition for condition, _ in node.cases) if isinstance(node, Switch) else ()


class Ways:
    """A workflow's nodes and what follows each.

    Args:
        workflow: the nodes.
        actions: every action by its name.
    """

    def __init__(self, workflow: Workflow, actions: Mapping[str, Action]) -> None:
        self.actions = actions
        self.nodes = tuple(workflow.walk())
        self.index = {node.path: index for index, node in enumerate(self.nodes)}
        self._performs: dict[str, Node] = {}
        for node in self.nodes:
            if isinstance(node, Perform):
                self._performs.setdefault(node.action, node)
        self._following: dict[str, Node | None] = {}
        self._note_following(workflow.root, None)

    def after(self, node: Node) -> Node | None:
        """The node that follows when this one is done; None is the end."""
        return self._following[node.path]

    def into(self, node: Node, body: tuple[Node, ...]) -> Node | None:
        """The first node of a branch, or what follows when it is empty."""
        return body[0] if body else self.after(node)

    def target(self, suspend: Suspend) -> Node:
        """Where a Suspend goes on."""
        if suspend.resume_action is None:
            return self.nodes[0]
        return self._performs[suspend.resume_action]

    def goes_back(self, suspend: Suspend) -> bool:
        """Whether a Suspend goes on before itself; one without resumeAction may be the first node."""
        return self.index[self.target(suspend).path] <= self.index[suspend.path]

    def _note_following(self, nodes: tuple[Node, ...], last: Node | None) -> None:
        for index, node in enumerate(nodes):
            following = nodes[index + 1] if index + 1 < len(nodes) else last
            self._following[node.path] = following
            for body in node.bodies():
                self._note_following(body, following)


@dataclass
class Reached:
    """What the walk has come to.

    Args:
        states: what may be known at each node that is reached, by its path.
        branches: the branches that may be taken: a node's path, and the branch's place in `bodies()`.
    """

    states: dict[str, set[Knowledge]] = field(default_factory=dict)
    branches: set[tuple[str, int]] = field(default_factory=set)


def explore(ways: Ways) -> Reached:
    """Walk every way."""
    try:
        return _Walk(ways, remembers_all=True).run()
    except _TooManyStatesError:
        return _Walk(ways, remembers_all=False).run()


class _Walk:
    def __init__(self, ways: Ways, *, remembers_all: bool) -> None:
        self._ways = ways
        self._remembers_all = remembers_all
        self._later = self._asked_later()
        self._reached = Reached()
        self._waiting: deque[tuple[Node, Knowledge]] = deque()
        self._count = 0

    def run(self) -> Reached:
        start = Knowledge() if self._remembers_all else Knowledge(_NO_QUERY, vague=True)
        self._go(self._ways.nodes[0] if self._ways.nodes else None, start)
        while self._waiting or self._go_back():
            node, known = self._waiting.popleft()
            for branch, following, then_known in self._steps(node, known):
                if branch is not None:
                    self._reached.branches.add((node.path, branch))
                self._go(following, then_known)
        return self._reached

    def _go(self, node: Node | None, known: Knowledge) -> None:
        if node is None:
            return
        known = known.from_here(lambda asked: self._is_asked(asked, node))
        states = self._reached.states.setdefault(node.path, set())
        if known in states:
            return
        states.add(known)
        self._waiting.append((node, known))
        self._count += 1
        if self._remembers_all and self._count > _MOST_STATES:
            raise _TooManyStatesError

    def _go_back(self) -> bool:
        """Take up a Suspend that leads back to where nothing else leads; False when there is none."""
        for node in self._ways.nodes:
            states = self._reached.states.get(node.path)
            if isinstance(node, Suspend) and node.most != 0 and states:
                target = self._ways.target(node)
                if target.path not in self._reached.states:
                    for known in list(states):
                        # What was forgotten on the way may be asked again.
                        self._go(target, replace(known, vague=True))
                    return True
        return False

    def _steps(self, node: Node, known: Knowledge) -> Iterator[tuple[int | None, Node | None, Knowledge]]:
        """Each way on from a node: the branch that is taken, what follows, and what is known then."""
        ways = self._ways
        match node:
            case Perform():
                action = changed_action(ways.actions, node)
                yield None, ways.after(node), known.after(action)
                if policy_of(ways.actions, node) is OnError.IGNORE:
                    yield None, ways.after(node), known.after_failure(action)
            case If() | Switch():
                bodies = node.bodies()
                for branch, then_known in _answers(node, known):
                    yield branch, ways.into(node, bodies[branch]), then_known
            case Suspend():
                if node.most != 0 and not ways.goes_back(node):
                    yield None, ways.target(node), known
                if node.most is not None:
                    yield None, ways.after(node), known
            case Discard():
                return
            case _:
                yield None, ways.after(node), known

    def _is_asked(self, asked: Question, node: Node) -> bool:
        """Whether something from the node on asks it."""
        if not self._remembers_all and asked[0] not in ("QUERY_FOUND", "QUERY_PARTIAL"):
            return False
        return self._later.get(asked, -1) >= self._ways.index[node.path]

    def _asked_later(self) -> dict[Question, int]:
        """Where each question is asked last, and each value of a field, and each field."""
        last: dict[Question, int] = {}
        for index, node in enumerate(self._ways.nodes):
            for condition in conditions_of(node):
                asked = question(condition)
                last[asked] = last[value_of(asked)] = last[asked[:1]] = index
        return last


def _answers(node: If | Switch, known: Knowledge) -> Iterator[tuple[int, Knowledge]]:
    """The branches that may be taken, by their place in `bodies()`: then and else, or each case and the default."""
    for branch, condition in enumerate(conditions_of(node)):
        holds = known.answer(condition)
        if holds is not False:
            yield branch, known.learn(condition, True)
        if holds is True:
            return
        known = known.learn(condition, False)
    yield len(node.bodies()) - 1, known
