"""The interpreter: runs the node at a job's position and says where to go.

    step(program, job, tools) -> Next | Done | Suspended | Held | Discarded

It writes nothing down and decides nothing about time but when a suspended job is due.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dicomprinter.actions.base import OnError
from dicomprinter.errors import DicomPrinterError, OperatorNeeded, PermanentError, TransientError
from dicomprinter.job.parts import START, Position
from dicomprinter.workflow.nodes import Discard, If, Node, Perform, Suspend, Switch, Update

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from dicomprinter.actions.base import Action, Tools
    from dicomprinter.job.job import Job
    from dicomprinter.workflow.nodes import Workflow

_LOG = logging.getLogger("dicomprinter.workflow")


class Program(Protocol):
    """What the interpreter needs of a configuration."""

    @property
    def actions(self) -> Mapping[str, Action]:
        """Every action by its name."""

    @property
    def workflow(self) -> Workflow:
        """The nodes."""

    @property
    def suspension_time(self) -> timedelta:
        """How long a suspended job waits."""

    @property
    def assumed(self) -> Mapping[str, str]:
        """Values that a dry run takes for granted, by field."""


@dataclass(frozen=True)
class Next:
    """Go on at this position."""

    position: Position


@dataclass(frozen=True)
class Done:
    """The walk has reached the end."""


@dataclass(frozen=True)
class Suspended:
    """Wait until then, and go on at this position."""

    until: datetime
    position: Position
    why: str


@dataclass(frozen=True)
class Held:
    """Wait for a person, and go on at this position; `manual`: an action asks for the person, nothing went wrong."""

    position: Position
    why: str
    manual: bool = False


@dataclass(frozen=True)
class Discarded:
    """End the job and remove its files."""

    why: str


Outcome = Next | Done | Suspended | Held | Discarded


def step(program: Program, job: Job, tools: Tools) -> Outcome:
    """Run one node of a job that has been written down as it stands."""
    workflow = program.workflow
    node = workflow.find(job.position)
    if node is None and job.position == START:
        return Done()
    if node is None:
        return Held(
            job.position,
            f"the configuration has changed and {job.position} is not there any more, or stands there more than once; "
            "correct the file, or discard the job",
        )
    match node:
        case Perform():
            return _perform(program, node, job, tools)
        case If():
            holds = node.condition.holds(job, program.assumed)
            job.note(f"{node.label} is {node.condition.value!r}: {'yes' if holds else 'no'}" if _plain(node) else
                     f"{node.label}: {'yes' if holds else 'no'}", node=node.path)
            return _into(workflow, node, node.then if holds else node.otherwise)
        case Switch():
            body = node.default
            for condition, case in node.cases:
                if condition.holds(job, program.assumed):
                    body = case
                    break
            which = "no case, the default" if body is node.default else f"case {node.bodies().index(body) + 1}"
            job.note(f"{node.label}: {which}", node=node.path)
            return _into(workflow, node, body)
        case Suspend():
            return _suspend(program, node, job, tools)
        case Update():
            job.flags = job.flags.with_update(node.path)
            job.note(f"{node.label}: for this job", node=node.path)
            return _following(workflow, node)
        case Discard():
            return Discarded("the workflow discards it")
    raise PermanentError(f"a node of unknown kind at {node.path}")
