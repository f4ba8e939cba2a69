"""Operators' commands: resume, discard and match. They reach a running service as files in the job's folder."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dicomprinter.engine.bells import ring
from dicomprinter.engine.matches import accept, why_not
from dicomprinter.engine.spool import Spool
from dicomprinter.errors import SpoolError
from dicomprinter.job.job import read_dataset
from dicomprinter.job.parts import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomprinter.job.folder import JobFolder
    from dicomprinter.job.job import Job

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Answer:
    """What became of a command."""

    message: str
    succeeded: bool = True


def apply(job: Job, command: dict[str, Any], leave: Callable[[Job], None]) -> Answer:
    """Carry out a command on a job that waits; `leave` enters a discarded one in the ledger and removes it."""
    name = command.get("command")
    if name == "resume":
        before = job.state
        asks = "; there it asks again, and jobs match answers" if job.asks else ""
        job.state, job.reason, job.wake_at, job.waits_for, job.asks = State.QUEUED, None, None, None, None
        job.folder.save(job, secure=True)
        answer = Answer(f"{before.value} before, now queued; it goes on at {job.position}{asks}")
    elif name == "discard":
        job.reason = "an operator discarded it"
        # The answer is that the folder goes: one in the history would be given before it is true.
        job.note("discarded by an operator", level="WARN")
        leave(job)
        return Answer("discarded")
    elif name == "match":
        answer = _match(job, command)
    else:
        answer = Answer("the command is not known", succeeded=False)
    job.note(noted(str(name), answer.message), answers=command.get("token"), succeeded=answer.succeeded)
    return answer


def noted(command: str, message: str) -> str:
    """An answer as the history has it: which command it is of is said once."""
    return f"operator: {message}" if message.startswith(command) else f"operator: {command}: {message}"


def answered(command: str, message: str) -> str:
    """The answer that `noted` has written down."""
    return message.removeprefix("operator: ").removeprefix(f"{command}: ")


def _match(job: Job, command: dict[str, Any]) -> Answer:
    try:
        values = read_dataset(command["values"])
    except Exception as error:  # noqa: BLE001 - pydicom raises whatever a wrong file leads to
        return Answer(f"the match cannot be read ({type(error).__name__})", succeeded=False)
    if job.match is not None and job.match == values:
        # A crash before the command was taken away.
        return Answer("matched")
    reason = why_not(job)
    return Answer(reason, succeeded=False) if reason else Answer(accept(job, values))


def ask_service(spool: Spool, folder: JobFolder, command: str, *, timeout: float, **details: object) -> Answer:
    """Leave a command for the service that owns the spool and wait for its answer.

    A job that has left the spool is told by what the ledger says of it; `details` are the command's own.

    Raises:
        SpoolError: no answer came in time; the command stays there.
    """
    token = secrets.token_hex(8)
    try:
        folder.write_command({"command": command, "token": token, **details})
        ring(spool, folder.path.name)
    except FileNotFoundError:
        if folder.path.exists():
            raise
        left = _left(spool, folder, command, "it has finished meanwhile: ")
        # It left without the match.
        return replace(left, succeeded=False) if command == "match" else left
    deadline = time.monotonic() + timeout
    is_late = False
    while not is_late:
        # One look is after the time: a machine that was busy may have kept this process from all others.
        is_late = time.monotonic() >= deadline
        if not folder.path.exists():
            return _left(spool, folder, command)
        # The folder may go while its history is being read.
        with suppress(FileNotFoundError):
            for line in folder.history():
                if line.get("answers") == token:
                    return Answer(answered(command, str(line["message"])), bool(line.get("succeeded", True)))
        time.sleep(_POLL_SECONDS)  # another process answers: there is nothing to wait on but its file
    raise SpoolError(
        f"the service did not answer within {timeout:g} s",
        cause="it is busy with a node of this job",
        remedy="the command stays in the job's folder and is carried out when the node ends",
    )


def _left(spool: Spool, folder: JobFolder, command: str, head: str = "") -> Answer:
    outcome = spool.outcome(folder.path.name)
    if outcome is None:
        return Answer("no longer in the spool", succeeded=False)
    return Answer(head + outcome, succeeded=(command == "discard") == (outcome == "discarded"))
