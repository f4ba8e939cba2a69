"""Operators' commands: resume and discard. They reach a running service as files in the job's folder."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicomprinter.engine.spool import Spool
from dicomprinter.errors import SpoolError
from dicomprinter.job.parts import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomprinter.job.folder import JobFolder
    from dicomprinter.job.job import Job

COMMANDS = ("resume", "discard")
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
        job.state, job.reason, job.wake_at = State.QUEUED, None, None
        job.folder.save(job, secure=True)
        answer = Answer(f"{before.value} before, now queued; it goes on at {job.position}")
    elif name == "discard":
        job.reason = "an operator discarded it"
        # The answer is that the folder goes: one in the history would be given before it is true.
        job.note("discarded by an operator", level="WARN")
        leave(job)
        return Answer("discarded")
    else:
        answer = Answer("the command is not known", succeeded=False)
    job.note(f"operator: {name}: {answer.message}", answers=command.get("token"), succeeded=answer.succeeded)
    return answer


def ask_service(spool: Spool, folder: JobFolder, command: str, *, timeout: float) -> Answer:
    """Leave a command for the service that owns the spool and wait for its answer.

    A job that has left the spool is told by what the ledger says of it.

    Raises:
        SpoolError: no answer came in time; the command stays there.
    """
    token = secrets.token_hex(8)
    try:
        folder.write_command({"command": command, "token": token})
    except FileNotFoundError:
        if folder.path.exists():
            raise
        return _left(spool, folder, command, "it has finished meanwhile: ")
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not folder.path.exists():
            return _left(spool, folder, command)
        # The folder may go while its history is being read.
        with suppress(FileNotFoundError):
            for line in folder.history():
                if line.get("answers") == token:
                    return Answer(str(line["message"]), bool(line.get("succeeded", True)))
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
