"""What `check` warns about in a workflow that can be used: found by walking its ways, not by its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomprinter.actions.query.action import Query
from dicomprinter.actions.query.declaration import Model
from dicomprinter.actions.save.action import Save
from dicomprinter.actions.store.action import Store
from dicomprinter.dicom.tags import Tag, dictionary_vr
from dicomprinter.workflow.knowledge import is_foreign, may_change, question
from dicomprinter.workflow.nodes import Discard, If, Node, Perform, Suspend, Switch
from dicomprinter.workflow.paths import Ways, changed_action, explore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicomprinter.actions.base import Action
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Position
    from dicomprinter.workflow.nodes import Workflow
    from dicomprinter.workflow.paths import Reached

# What brings something out of the program; a Run's command is given the job's files.
_OUTLETS = ("Store", "Save", "Print", "Run")


def advise(workflow: Workflow, actions: Mapping[str, Action], place: Position, report: Report) -> None:
    """Warn of what the file may not have meant.

    Args:
        workflow: its nodes; every action that they name is there.
        actions: every action by its name.
        place: of the `<Workflow>`.
        report: takes the warnings.
    """
    ways = Ways(workflow, actions)
    reached = explore(ways)
    _about_outlets(ways, place, report)
    _about_unused(ways, report)
    _about_unreached(workflow.root, None, ways, reached, report)
    _about_ambiguity(ways, reached, report)
    _about_endless(ways, reached, report)
    _about_names(actions, report)


def _performed(ways: Ways) -> Iterator[tuple[Perform, Action]]:
    return ((node, changed_action(ways.actions, node)) for node in ways.nodes if isinstance(node, Perform))


def _about_outlets(ways: Ways, place: Position, report: Report) -> None:
    if not any(action.spec.name in _OUTLETS or is_foreign(action) for _, action in _performed(ways)):
        report.warn(place, "nothing leaves: the workflow stores, saves and prints nothing", "perform a Store or a Save")


def _about_unused(ways: Ways, report: Report) -> None:
    used = {node.action for node, _ in _performed(ways)}
    asks_operators = any(
        isinstance(action, Query) and action.wishes.model is Model.MANUAL for _, action in _performed(ways)
    )
    for name, action in ways.actions.items():
        # The other Queries are what operators may use for a Manual one.
        if name not in used and not (asks_operators and isinstance(action, Query)):
            report.warn(
                action.position,
                f'the workflow never performs the action "{name}"',
                "name it in a <Perform>, or take it out",
            )


def _about_unreached(
    nodes: tuple[Node, ...], around: tuple[Node, int] | None, ways: Ways, reached: Reached, report: Report
) -> None:
    """Look at a body; `around` is the node that it is a branch of, and which one."""
    before: Node | None = None
    for index, node in enumerate(nodes):
        if node.path in reached.states:
            for branch, body in enumerate(node.bodies()):
                if body:
                    _about_unreached(body, (node, branch), ways, reached, report)
                elif (
                    isinstance(node, Switch)
                    and branch < len(node.cases)
                    and (node.path, branch) not in reached.branches
                ):
                    report.warn(node.place, f"{_never_taken(node, branch)}", "take the case out, or correct its value")
        elif before is None or before.path in reached.states:
            lost = [other for other in nodes[index:] if other.path not in reached.states]
            report.warn(
                node.place,
                f"{_names(lost)} is never reached: {_why(before, around)}",
                "take it out, or correct the way to it",
            )
        before = node


def _names(lost: list[Node]) -> str:
    inside = [node for outer in lost for node in _all(outer)]
    actions = list(dict.fromkeys(f'"{node.action}"' for node in inside if isinstance(node, Perform)))
    return f"the Perform of {', '.join(actions)}" if actions else f"<{type(lost[0]).__name__}>"


def _all(node: Node) -> Iterator[Node]:
    yield node
    for body in node.bodies():
        for inner in body:
            yield from _all(inner)


def _why(before: Node | None, around: tuple[Node, int] | None) -> str:
    if isinstance(before, Discard):
        return "the <Discard> before it ends the job"
    if isinstance(before, Suspend):
        return "the <Suspend> before it has no maxRetries, so the job never goes on after it"
    if before is not None:
        return "every way before it ends the job or goes back"
    if around is None:
        return "nothing leads to it"
    node, branch = around
    if isinstance(node, If):
        return f"{node.condition.label} is {'never' if branch == 0 else 'always'} {_value(node)} here"
    return _never_taken(node, branch)


def _value(node: If) -> str:
    return (
        node.condition.value
        if node.condition.field in ("QUERY_FOUND", "QUERY_PARTIAL", "STORE_SUCCEEDED")
        else f'"{node.condition.value}"'
    )


def _never_taken(node: Node, branch: int) -> str:
    if not isinstance(node, Switch):
        return "its branch is never taken"
    if branch == len(node.cases):
        return f"one of the cases before the default of {node.label} always matches"
    condition = node.cases[branch][0]
    asked = [question(one) for one, _ in node.cases]
    if asked.index(asked[branch]) < branch:
        return f'the case "{condition.value}" of {node.label} stands there twice, and the first is taken'
    return f'the case "{condition.value}" of {node.label} can never match here'


def _about_ambiguity(ways: Ways, reached: Reached, report: Report) -> None:
    """query.md: nothing is copied when several answers fit, and QUERY_FOUND is true all the same."""
    told: set[str] = set()
    for node, action in _performed(ways):
        queries = {known.ambiguous for known in reached.states.get(node.path, ()) if known.ambiguous}
        if not isinstance(action, Store) or queries <= told:
            continue
        told |= queries
        report.warn(
            node.place,
            f'"{node.action}" stores after {_quoted(queries)} without a look at QUERY_PARTIAL: '
            "when several answers fit, none is taken, and what the file brought is stored",
            'ask <If field="QUERY_PARTIAL" value="true"> before it, or say select="first" or "last" on the Query',
        )


def _quoted(names: set[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names))


def _about_endless(ways: Ways, reached: Reached, report: Report) -> None:
    for node in ways.nodes:
        if not isinstance(node, Suspend) or node.most is not None or node.path not in reached.states:
            continue
        target = ways.target(node)
        if _comes_again(ways, node, target, frozenset(), {}):
            start = f'"{node.resume_action}"' if node.resume_action else "the first node"
            report.warn(
                node.place,
                f"<Suspend> has no end: from {start} to here nothing can have another result the next time, "
                "so only ValidityPeriod ends the job",
                "say maxRetries, or go on at an action that may succeed later",
            )


def _comes_again(
    ways: Ways,
    suspend: Suspend,
    node: Node | None,
    changed: frozenset[str],
    seen: dict[tuple[str, frozenset[str]], bool],
) -> bool:
    """Whether a job that has come to a Suspend once comes to it again, however the peers answer.

    Args:
        ways: the workflow.
        suspend: which Suspend.
        node: where the job is.
        changed: the fields that actions on the way may have given another value.
        seen: what is known already.
    """
    if node is None:
        return False
    if node.path == suspend.path:
        return True
    key = (node.path, changed)
    if key not in seen:
        if isinstance(node, Perform):
            changed |= may_change(changed_action(ways.actions, node))
        if isinstance(node, If | Switch):
            field = node.condition.field if isinstance(node, If) else node.cases[0][0].field if node.cases else ""
            ends = (_comes_again(ways, suspend, ways.into(node, body), changed, seen) for body in node.bodies())
            # An answer that cannot change leads the job the same way as before, whichever that is.
            seen[key] = all(ends) if field in changed else any(ends)
        elif isinstance(node, Discard) or (isinstance(node, Suspend) and node.most is None):
            seen[key] = False
        else:
            seen[key] = _comes_again(ways, suspend, ways.after(node), changed, seen)
    return seen[key]


def _about_names(actions: Mapping[str, Action], report: Report) -> None:
    for action in actions.values():
        if not isinstance(action, Save):
            continue
        templates = (action.directory,) if action.raw else (action.directory, action.filename)
        tags = {
            part.text
            for template in templates
            for part in template.parts
            if not isinstance(part, str) and part.kind == "tag" and _is_the_patients(part.tag)
        }
        if tags:
            shown = ", ".join(f"#{{{text}}}" for text in sorted(tags))
            report.warn(
                action.position,
                f'"{action.name}" puts patient data in plain text into names of files and folders: {shown}',
                "use #{Job.Id}, #{Date} or #{AccessionNumber} instead",
            )


def _is_the_patients(tag: int) -> bool:
    """Group 0010 is the patient's; so is every person's name."""
    return Tag(tag).group == 0x0010 or dictionary_vr(tag) == "PN"
