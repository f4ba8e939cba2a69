"""The spool that a command is for, and a job in it by the beginning of its id."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from dicomprinter.cli.spools import existing_base
from dicomprinter.engine.restore import expired_job
from dicomprinter.engine.spool import Spool
from dicomprinter.errors import SpoolError
from dicomprinter.job.folder import JobFolder

if TYPE_CHECKING:
    from pathlib import Path

    from dicomprinter.job.job import Job


def spool_of(base: Path | None) -> Spool:
    """The spool of a base directory, not locked.

    Raises:
        InputError: there is none, or this user may not look into it.
    """
    return Spool(existing_base(base))


def unfinished_job(spool: Spool, job_id: str) -> JobFolder:
    """The folder of a job that a command may be given to, by the beginning of its id.

    Raises:
        SpoolError: no such job, or more than one; says of an expired one how it comes back.
    """
    try:
        return spool.find(job_id)
    except SpoolError as error:
        if is_there(spool, job_id):
            raise
        expired = expired_job(spool, job_id)
        left = spool.left(job_id) if expired is None else None
        if left is not None:
            ended = f"it has finished: {left.get('outcome')} at {left.get('time')}"
            raise SpoolError(f'there is no job "{job_id}" in {spool.jobs}', cause=ended) from error
        if expired is None:
            raise
        way_out = shlex.join(["dicomprinter", "jobs", "restore", expired.name, "--base", str(spool.base)])
        raise SpoolError(f'the job "{job_id}" has expired', remedy=f"take it back first: {way_out}") from error


def is_there(spool: Spool, job_id: str) -> bool:
    """Whether an unfinished job's id begins so."""
    return any(found.startswith(job_id) for found in spool.job_ids())


def find_job(spool: Spool, job_id: str) -> Job:
    """A job, also an expired one, by the beginning of its id.

    Raises:
        SpoolError: no such job, or more than one.
    """
    try:
        return spool.load(spool.find(job_id).path.name)
    except SpoolError:
        expired = [path for path in spool.expired_folders() if path.name.startswith(job_id)]
        if len(expired) != 1:
            raise
        return JobFolder(expired[0]).load()
