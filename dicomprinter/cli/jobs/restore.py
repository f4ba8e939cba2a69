"""`jobs restore`: back from `expired/` and `rejected/`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from dicomprinter.cli.jobs.orders import ANSWER_SECONDS, LATER, attempt, tell
from dicomprinter.cli.jobs.spools import spool_of
from dicomprinter.cli.messages import examples, json_option, verbose_option
from dicomprinter.cli.spools import base_option
from dicomprinter.engine.commands import Answer
from dicomprinter.engine.restore import ask_to_restore, expired_job
from dicomprinter.engine.restore import restore as restore_job
from dicomprinter.engine.spool import Spool, SpoolInUseError
from dicomprinter.engine.tools import local_now
from dicomprinter.errors import SpoolError
from dicomprinter.intake.rejected import put_into, rejected_files, rejected_group
from dicomprinter.job.parts import State
from dicomprinter.job.record import DamagedJobError

if TYPE_CHECKING:
    from pathlib import Path

    from dicomprinter.job.job import Job

_TOLD = 5


@click.command(
    "restore",
    epilog=examples(
        "dicomprinter jobs restore 20260131T091502  # an expired job",
        "dicomprinter jobs restore 20260131T104411290441-a1b2c3-scan.pdf  # a rejected file",
    ),
)
@click.argument("names", metavar="ID|NAME...", nargs=-1, required=True)
@base_option
@json_option
@verbose_option
def restore(names: tuple[str, ...], base: Path | None) -> int:
    """Take jobs back from expired/, and files back from rejected/.

    An expired job is queued where it stood, and its age counts anew. A rejected file goes into incoming/ under the name
    it came with, its sidecar with it, and is tried again; `jobs list --rejected` shows the names.
    """
    spool = spool_of(base)
    return tell("restore", [(name, attempt(partial(_one, spool, name))) for name in dict.fromkeys(names)])


def _one(spool: Spool, name: str) -> Answer:
    expired = expired_job(spool, name)
    files = rejected_group(spool.rejected, name)
    if expired is not None and files:
        raise SpoolError(
            f'"{name}" is the beginning of an expired job and of a rejected file', remedy="write more of the name"
        )
    if expired is not None:
        return _expired(spool, expired.name)
    if files:
        came = ", ".join(put_into(spool.incoming, files))
        return Answer(f"back in incoming/ as {came}; it is tried again{_when(spool)}")
    alive = [job_id for job_id in spool.job_ids() if job_id.startswith(name)]
    if len(alive) == 1:
        job = spool.load(alive[0])
        raise SpoolError(
            f"the job {job.id} is in the spool, {job.state.value}", cause=job.reason or "", remedy=_wish(job)
        )
    left = spool.left(name)
    if left is not None:
        raise SpoolError(f'the job "{name}" has finished: {left.get("outcome")} at {left.get("time")}')
    raise SpoolError(f'there is neither an expired job nor a rejected file "{name}"', cause=_what_is_there(spool))


def _wish(job: Job) -> str:
    """What a job that needs no restoring waits for."""
    if job.asks:
        return f"answer it: dicomprinter jobs match {job.id} TAG=VALUE..."
    if job.state in (State.HELD, State.SUSPENDED, State.MANUAL):
        return f"send it on: dicomprinter jobs resume {job.id}"
    return "there is nothing to restore"


def _expired(spool: Spool, job_id: str) -> Answer:
    try:
        with Spool.open(spool.base) as owned:
            _, answer = restore_job(owned, job_id, local_now())
            return Answer(f"{answer.message}; {LATER}")
    except SpoolInUseError:
        return ask_to_restore(spool, job_id, ANSWER_SECONDS)
    except DamagedJobError as error:
        return Answer(str(error), succeeded=False)


def _when(spool: Spool) -> str:
    try:
        Spool.open(spool.base, patience=0.0).close()
    except SpoolInUseError:
        return ""
    return " when a service is started: none runs here"


def _what_is_there(spool: Spool) -> str:
    jobs = sorted(path.name for path in spool.expired.glob("*") if path.is_dir())
    files = [file.name for file in rejected_files(spool.rejected)]
    return f"expired are: {_some(jobs)}; rejected are: {_some(files)}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return (", ".join(names[:_TOLD]) or "none") + more
