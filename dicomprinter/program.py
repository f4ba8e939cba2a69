"""A whole configuration, loaded and checked in one go: General, actions, workflow, watched folder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dicomprinter.actions.base import Action, Connected
from dicomprinter.actions.registry import actions as action_kinds
from dicomprinter.config.canonical import canonical, expand_environment, nearest
from dicomprinter.config.dtd import validate
from dicomprinter.config.environment import read_environment
from dicomprinter.config.sections import DROP_MONITOR, GENERAL, DropMonitor, General, read_limits
from dicomprinter.config.spec import Child, EnoughError, Report, Spec
from dicomprinter.config.xml import parse
from dicomprinter.errors import ConfigError, InputError, PermanentError, Problem
from dicomprinter.workflow.advice import advise
from dicomprinter.workflow.grammar import workflow_spec
from dicomprinter.workflow.nodes import Workflow
from dicomprinter.workflow.references import check_references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta
    from pathlib import Path

    from dicomprinter.config.environment import Environment
    from dicomprinter.config.tree import Element, Node, Position

_ROOTS = ("DicomPrinter", "DicomPrinterConfig")
_OWN_FOLDER = "use spool/incoming in the base directory"


@dataclass(frozen=True)
class Program:
    """What a configuration file says.

    Args:
        file: where it was read.
        general: times, ages, logs.
        actions: every action by its name.
        workflow: the nodes.
        drop_monitor: a watched folder beside the spool's own, or None.
        warnings: what works, but not as the file may hope, or with a newer spelling.
        advice: what the workflow does that its author may not have meant.
        assumed: values that a dry run takes for granted, by a condition's field.
    """

    file: Path
    general: General
    actions: Mapping[str, Action]
    workflow: Workflow
    drop_monitor: DropMonitor | None = None
    warnings: tuple[Problem, ...] = ()
    advice: tuple[Problem, ...] = ()
    assumed: Mapping[str, str] = field(default_factory=dict)

    @property
    def remarks(self) -> list[Problem]:
        """Warnings and advice together, in the order of the file."""
        return sorted((*self.warnings, *self.advice))

    @property
    def suspension_time(self) -> timedelta:
        """How long a suspended job waits."""
        return self.general.suspension_time


def root_spec() -> Spec:
    """The declaration of a whole configuration, with every kind of action that is installed."""
    kinds = action_kinds()
    changes = [spec for kind in kinds.values() for spec in kind.overriding()]
    return Spec(
        "DicomPrinter",
        children=(
            Child(GENERAL),
            Child(DROP_MONITOR),
            Child(
                Spec(
                    "Actions",
                    children=tuple(Child(kind.spec, most=None) for kind in kinds.values()),
                    ordered=True,
                    doc="what can be done",
                    field_name="ActionsList",
                ),
                least=1,
            ),
            Child(workflow_spec(changes), least=1),
        ),
        checks=(_check_performs, _check_sizes),
        doc="a configuration",
        field_name="DicomPrinterConfig",
    )


def load(file: Path, base: Path | None = None, environment: Mapping[str, str] | None = None) -> Program:
    """Load and check a configuration.

    Args:
        file: the XML file.
        base: the base directory, for its `.env` files.
        environment: the process' variables; None takes the real ones.

    Raises:
        ConfigError: with every problem of the file.
        InputError: the file, or a `.env` file, cannot be read.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the configuration {file}", cause=error.strerror or "", remedy="check the path and its rights"
        ) from None
    root = parse(data, file)
    _check_root(root, file)
    report = Report(in_field_dialect=root.name.lower() == _ROOTS[1].lower())
    variables = read_environment(base, environment)
    try:
        node = _checked(root, variables, report)
    except EnoughError:
        raise _config_error(file, report, variables) from None
    if report.errors:
        raise _config_error(file, report, variables)
    program = _read(file, node)
    advice = Report()
    advise(program.workflow, program.actions, next(node.all("Workflow")).position, advice)
    warnings = (*_problems(file, report.warnings), *variables.faults)
    return replace(program, warnings=warnings, advice=_problems(file, advice.warnings))


def _checked(root: Element, variables: Environment, report: Report) -> Node:
    """The tree in canonical form; of use only when the report is clean."""
    expand_environment(root, variables, report)
    spec = root_spec()
    node = canonical(root, spec, report)
    check_references(root, node, report)
    for monitor in node.all("DropMonitor"):
        report.warn(monitor.position, "<DropMonitor>: this version does not watch its folder", _OWN_FOLDER)
    if not report.errors:
        validate(node, spec, report)
    return node


def _sound_actions(root: Node) -> list[Action]:
    """Those with which nothing is wrong, in the order of the file."""
    kinds = action_kinds()
    return [
        kinds[node.name].read(node) for section in root.all("Actions") for node in section.children if node.is_sound
    ]


def _check_performs(root: Node, report: Report) -> None:
    """Each performed action that its Perform contradicts."""
    actions = {action.name: action for action in _sound_actions(root)}
    nodes = (node for workflow in root.all("Workflow") for node in workflow.walk())
    for perform in (node for node in nodes if node.name == "Perform" and node.is_sound):
        action = actions.get(perform["action"])
        for change in perform.children:
            # A change of another kind is told of with the names.
            if action is not None and change.name == action.spec.name:
                try:
                    action = action.overridden(change)
                except PermanentError as error:
                    report.error(change.position, error.what, error.remedy)


def _check_sizes(root: Node, report: Report) -> None:
    """Pages that no job could have."""
    limits = read_limits(root.child("General"))
    for action in _sound_actions(root):
        excess = action.excess(limits)
        if excess:
            cause, element = excess
            report.error(
                action.position,
                f'<{action.spec.name}> "{action.name}" makes a page of {cause}',
                f"ask for less, or raise <{element}> in <General>",
            )


def with_endpoints(program: Program, endpoints: Mapping[str, tuple[str, int]]) -> Program:
    """The program with other addresses; a name is an action's, or an AE title for every action that calls it.

    Raises:
        InputError: a name that is neither.
    """
    changed = dict(program.actions)
    connected = {name: action for name, action in program.actions.items() if isinstance(action, Connected)}
    peers = {name: peer for name, action in connected.items() if (peer := action.peer)}
    for name, (host, port) in endpoints.items():
        hits = [action for action, peer in peers.items() if name in (action, peer.ae_title)]
        if not hits:
            known = dict.fromkeys([*peers, *(peer.ae_title for peer in peers.values())])
            raise InputError(
                f'--endpoint: "{name}" is neither an action that connects nor an AE title', remedy=nearest(name, known)
            )
        for hit in hits:
            changed[hit] = replace(connected[hit], peer=replace(peers[hit], host=host, port=port))
    return replace(program, actions=changed)


def _check_root(root: Element, file: Path) -> None:
    """Any other document would be wrong in every line."""
    if root.name.lower() not in {name.lower() for name in _ROOTS}:
        message = f"the document is a <{root.name}>, not a configuration"
        raise ConfigError(
            [Problem(file, root.position.line, root.position.column, message, nearest(root.name, _ROOTS))]
        )


def _read(file: Path, root: Node) -> Program:
    kinds = action_kinds()
    declared = [kinds[node.name].read(node) for node in next(root.all("Actions")).children]
    monitor = root.child("DropMonitor")
    return Program(
        file=file,
        general=General.read(root.child("General")),
        actions={action.name: action for action in declared},
        workflow=Workflow.read(next(root.all("Workflow"))),
        drop_monitor=DropMonitor.read(monitor) if monitor else None,
    )


def _problems(file: Path, entries: Iterable[tuple[Position, str, str]]) -> tuple[Problem, ...]:
    unique = dict.fromkeys(Problem(file, at.line, at.column, message, hint) for at, message, hint in entries)
    return tuple(sorted(unique))


def _config_error(file: Path, report: Report, variables: Environment) -> ConfigError:
    warnings = [*_problems(file, report.warnings), *variables.faults]
    return ConfigError(list(_problems(file, report.errors)), warnings)
