"""Operators' answers: what a job asks when it is parked, and what becomes of a match for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomprinter.actions.query.action import Query
from dicomprinter.errors import Private
from dicomprinter.job.match import match_file, read_match, set_aside
from dicomprinter.job.parts import Asked, State
from dicomprinter.workflow.nodes import Perform

if TYPE_CHECKING:
    from pydicom import Dataset

    from dicomprinter.dicom.query.match import Match
    from dicomprinter.job.job import Job
    from dicomprinter.job.parts import Position
    from dicomprinter.program import Program


def asked(program: Program, position: Position) -> Asked | None:
    """What the Query at a position asks of an operator; None when something else waits there."""
    node = program.workflow.find(position)
    action = program.actions.get(node.action) if isinstance(node, Perform) else None
    if not isinstance(node, Perform) or not isinstance(action, Query):
        return None
    offered = (one.name for one in program.actions.values() if isinstance(one, Query) and one.is_offered)
    return Asked(action.name, node.default_query or "", tuple(offered))


def why_not(job: Job) -> str:
    """Why a job takes no match now; empty when it waits for one."""
    if job.match is not None:
        return "it has been matched already and goes on"
    if job.state is not State.MANUAL:
        return f"it is {job.state.value} and waits for no match"
    return "" if job.asks else "it waits for an operator, but for no match: resume or discard it"


def accept(job: Job, values: Dataset) -> str:
    """Give a match to a job that waits for one; what happens next, in words."""
    query = job.asks.query if job.asks else ""
    job.state, job.reason, job.asks, job.match = State.QUEUED, None, None, values
    job.folder.save(job, secure=True)
    return f'matched, now queued; it goes on after "{query}"'


def take_file(job: Job) -> None:
    """Look at the match that lies in a job's folder; what cannot be used is kept beside it, and the history says why.

    A crash after the job was written down leaves the file there, which is then known by its content.

    Raises:
        OSError: it cannot be read or moved now.
    """
    file = match_file(job.folder.path)
    if file is None:
        return
    try:
        match = read_match(file)
    except ValueError as error:
        _refuse(job, str(error))
        return
    except PermissionError as error:
        _refuse(job, f"it cannot be read: {error.strerror}")
        return
    if job.match is not None and job.match == match.values:
        file.unlink()
        return
    reason = why_not(job) or ("" if len(match.values) else "it sets nothing")
    tell_remarks(job, match)
    if reason:
        _refuse(job, reason)
        return
    name = file.name
    message = accept(job, match.values)
    job.note(f"{name}: {message}")
    file.unlink()


def refuse_early(job: Job) -> None:
    """A match that came before anything was asked is not for what is asked now."""
    _refuse(job, "it came before the job asked")


def tell_remarks(job: Job, match: Match) -> None:
    """Note what is left out of a match, and what was changed to fit."""
    for remark in match.remarks:
        job.note(f"match: {remark.message}", level="WARN", private=Private(remark.private) if remark.private else "")


def _refuse(job: Job, why: str) -> None:
    file = match_file(job.folder.path)
    if file is not None:
        name = file.name
        kept = set_aside(file)
        job.note(f"{name} is not used: {why}; it is kept as {kept}", level="WARN")
