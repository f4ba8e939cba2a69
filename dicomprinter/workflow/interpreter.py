"""The interpreter: runs the node at a job's position and says where to go.

    step(program, job, tools) -> Next | Done | Suspended | Held | Discarded

It writes nothing down and decides nothing about time but when a suspended job is due.
"""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dicomprinter.actions.base import Connected, OnError
from dicomprinter.errors import (
    DicomPrinterError,
    DiscardJob,
    Interrupted,
    OperatorNeeded,
    PermanentError,
    Private,
    SuspendJob,
    TransientError,
)
from dicomprinter.job.parts import START, Position
from dicomprinter.workflow.nodes import Discard, If, Node, Perform, Suspend, Switch, Update

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from dicomprinter.actions.base import Action, Tools
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.job.job import Job
    from dicomprinter.workflow.conditions import Condition
    from dicomprinter.workflow.nodes import Workflow

_LOG = logging.getLogger("dicomprinter.workflow")
_MACHINE_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE)


class Program(Protocol):
    """What the interpreter needs of a configuration."""

    @property
    def file(self) -> Path:
        """Where it was read."""

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


class InternalFault(PermanentError):  # noqa: N818 - a fault of the program, not of what it was given
    """An action raised what it should not; whatever onError says, the job is held."""


def step(program: Program, job: Job, tools: Tools) -> Outcome:
    """Run one node of a job that has been written down as it stands.

    Raises:
        OSError: of the machine (a full disk, say): the node is to be tried again.
        errors.Interrupted: the service ends.
    """
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
    try:
        job.at = node.position
        return _run(program, node, job, tools)
    except DicomPrinterError as error:
        # A condition that cannot be answered; a failed action never comes here.
        return Held(node.position, f"{node.label}: {error}")
    finally:
        job.at = None


def destination_of(program: Program, job: Job) -> Peer | None:
    """Whom the node at a job's position calls; None when it calls nobody."""
    node = program.workflow.find(job.position)
    if not isinstance(node, Perform):
        return None
    try:
        action = _with_changes(program, node, job, program.actions[node.action])
    except DicomPrinterError:
        # The step tells of it.
        return None
    return action.peer if isinstance(action, Connected) else None


def _run(program: Program, node: Node, job: Job, tools: Tools) -> Outcome:
    workflow = program.workflow
    match node:
        case Perform():
            return _perform(program, node, job, tools)
        case If():
            holds = node.condition.holds(job, program.assumed)
            assumed = _assumed(program, node.condition)
            answer = f"{'yes' if holds else 'no'}{assumed}"
            if node.condition.is_private:
                compared = Private.fill("compared with {}", node.condition.value)
                job.note(f"{node.label}: {answer}", private=compared, deeper=0, node=node.path)
            else:
                job.note(f"{node.label} = {node.condition.value}: {answer}", deeper=0, node=node.path)
            return _into(workflow, node, node.then if holds else node.otherwise)
        case Switch():
            body = node.default
            for condition, case in node.cases:
                if condition.holds(job, program.assumed):
                    body = case
                    break
            which = "no case, the default" if body is node.default else f"case {node.bodies().index(body) + 1}"
            assumed = _assumed(program, *(condition for condition, _ in node.cases[:1]))
            job.note(f"{node.label}: {which}{assumed}", deeper=0, node=node.path)
            return _into(workflow, node, body)
        case Suspend():
            return _suspend(program, node, job, tools)
        case Update():
            job.flags = job.flags.with_update(node.path)
            job.note(f"{node.label}: for this job", deeper=0, node=node.path)
            return _following(workflow, node)
        case Discard():
            return Discarded("the workflow discards it")
    raise PermanentError(f"a node of unknown kind at {node.path}")


def _assumed(program: Program, *asked: Condition) -> str:
    return " (assumed)" if any(one.assumption(program.assumed) is not None for one in asked) else ""


def _into(workflow: Workflow, node: Node, body: tuple[Node, ...]) -> Outcome:
    return Next(body[0].position) if body else _following(workflow, node)


def _following(workflow: Workflow, node: Node) -> Outcome:
    following = workflow.after(node)
    return Next(following.position) if following else Done()


def _suspend(program: Program, node: Suspend, job: Job, tools: Tools) -> Outcome:
    workflow = program.workflow
    taken = job.retries.get(node.path, 0)
    if node.most is not None and taken >= node.most:
        job.note(f"Suspend: its {node.most} retries are used up, going on after it", deeper=0, node=node.path)
        return _following(workflow, node)
    job.retries[node.path] = taken + 1
    target: Position = START
    if node.resume_action is None:
        job.start_again()
    else:
        perform = next(workflow.performs(node.resume_action))
        target = perform.position
        if workflow.index(perform) < workflow.index(node):
            job.put_back(target)
    why = "the workflow waits" + (
        f" and goes on at {node.resume_action}" if node.resume_action else " and starts again"
    )
    return Suspended(tools.clock() + program.suspension_time, target, why)


def _perform(program: Program, node: Perform, job: Job, tools: Tools) -> Outcome:
    action = program.actions[node.action]
    job.enter(node.position)
    flags, payload, version, merged = job.flags, job.payload, job.dataset_version, len(job.taken)
    try:
        changed = _with_changes(program, node, job, action)
        changed.perform(job, replace(tools, folder=program.file.parent))
    except DicomPrinterError as error:
        failure = error
    except OSError as error:
        said = _said_by_the_system(error)
        if said.errno in _MACHINE_FAULTS:
            # No policy of a workflow is meant for these: the engine keeps the job and tries the node again.
            raise said from None
        failure = TransientError(
            f"the disk or the system failed: {said.strerror or type(said).__name__}{_of_the_job(said, job)}",
            cause="a file or folder cannot be read or written",
            remedy="correct its rights",
            private=str(said),
        )
    except Interrupted:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of an action must not lose the job
        _LOG.exception("the action failed in a way it should not", extra=job.log_context())
        failure = InternalFault(
            f"an internal fault ({type(error).__name__})", remedy="report it with the log; the job is kept as it is"
        )
    else:
        job.note(f"{node.label}: done", level="SUCCESS", deeper=0, node=node.path)
        return _following(program.workflow, node)
    # What a failed action has half done does not count; but a job that was merged into this one is nowhere else.
    job.flags, job.payload = (
        action.flags_after_failure(flags),
        sum((one.payload for one in job.taken[merged:]), payload),
    )
    job.dataset = job.folder.read_dataset(version)
    job.dataset_version = version
    if isinstance(failure, OperatorNeeded):
        return Held(node.position, str(failure), manual=True)
    if isinstance(failure, DiscardJob | SuspendJob):
        return _as_wished(program, node, job, tools, failure)
    return _after_failure(program, node, job, tools, failure)


def _as_wished(
    program: Program, node: Perform, job: Job, tools: Tools, wish: DiscardJob | SuspendJob
) -> Discarded | Suspended:
    job.note(f"{node.label}: {wish}", private=wish.private, deeper=0, node=node.path)
    why = f"{node.label}: {wish}"
    if isinstance(wish, DiscardJob):
        return Discarded(why)
    return Suspended(tools.clock() + program.suspension_time, node.position, why)


def _said_by_the_system(error: OSError) -> OSError:
    """The error with a number: where pydicom writes an element, it tells of a full disk in one that has none."""
    while error.errno is None and isinstance(error.__cause__, OSError):
        error = error.__cause__
    return error


def _of_the_job(error: OSError, job: Job) -> str:
    """Where it failed, if that was in the job's own folder: any other path may hold what came from outside."""
    folder = job.folder.path
    is_inside = isinstance(error.filename, str) and Path(error.filename).is_relative_to(folder)
    return f" in the job's folder {folder}" if is_inside else ""


def _with_changes(program: Program, node: Perform, job: Job, action: Action) -> Action:
    for path in job.flags.updates:
        update = next((other for other in program.workflow.walk() if other.path == path), None)
        if isinstance(update, Update) and update.action == node.action:
            for change in update.changes:
                action = action.overridden(change)
    for change in node.changes:
        action = action.overridden(change)
    return action


def _after_failure(program: Program, node: Perform, job: Job, tools: Tools, failure: DicomPrinterError) -> Outcome:
    policy = node.on_error or program.actions[node.action].on_error or OnError.HOLD
    if isinstance(failure, InternalFault):
        policy = OnError.HOLD
    job.note(
        f"{node.label} failed: {failure}; onError {policy.value}",
        level="WARN" if policy is OnError.IGNORE else "ERROR",
        private=failure.private,
        deeper=0,
        node=node.path,
        **failure.details,
    )
    match policy:
        case OnError.IGNORE:
            return _following(program.workflow, node)
        case OnError.DISCARD:
            return Discarded(f"{node.label} failed: {failure}")
        case OnError.SUSPEND:
            if not isinstance(failure, TransientError):
                job.note(
                    "the failure is permanent: trying again will not help until something is changed", level="WARN"
                )
            until = tools.clock() + program.suspension_time
            return Suspended(until, node.position, f"{node.label} failed: {failure}")
    return Held(node.position, f"{node.label} failed: {failure}")
