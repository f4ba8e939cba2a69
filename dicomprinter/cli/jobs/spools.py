"""The spool that a command is for, and the jobs in it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from dicomprinter.cli.bases import BASE_HELP, service_base
from dicomprinter.cli.messages import PATH, F, say
from dicomprinter.engine.restore import expired_job
from dicomprinter.engine.spool import Spool
from dicomprinter.errors import InputError, SpoolError
from dicomprinter.job.folder import DamagedJobError, JobFolder
from dicomprinter.job.parts import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dicomprinter.job.job import Job


def base_option(function: F) -> F:
    """`--base`."""
    return click.option("--base", type=PATH, help=BASE_HELP)(function)


def spool_of(base: Path | None) -> Spool:
    """The spool of a base directory, not locked.

    Raises:
        InputError: there is none.
    """
    spool = Spool(service_base(base))
    if not spool.root.is_dir():
        raise InputError(f"there is no spool in {spool.base}", remedy="name the base directory with --base")
    return spool


def every_job(spool: Spool) -> Iterator[Job]:
    """The jobs and those that have expired; one that cannot be read is told of, one that vanishes meanwhile is not."""
    for path in (*(spool.jobs / job_id for job_id in spool.job_ids()), *sorted(spool.expired.glob("*"))):
        try:
            yield spool.load(path.name) if path.parent == spool.jobs else JobFolder(path).load()
        except (DamagedJobError, SpoolError) as error:
            if path.exists():
                say(f"error: {error}", "red")
        except OSError as error:
            if path.exists():
                say(f"error: the job {path.name} cannot be read now: {error.strerror}", "red")


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


def seen(job: Job, is_owned: bool | None) -> Job:
    """A job as a person is to see it: none runs in a spool that no process owns."""
    if job.state is State.RUNNING and is_owned is False:
        job.state = State.QUEUED
        job.reason = job.reason or "its process ended while it ran; the next start goes on there"
    return job


def find_job(spool: Spool, job_id: str) -> Job:
    """A job, also an expired one, by the beginning of its id.

    Raises:
        SpoolError: no such job, or more than one.
    """
    try:
        return spool.load(spool.find(job_id).path.name)
    except SpoolError:
        expired = [path for path in spool.expired.glob("*") if path.name.startswith(job_id)]
        if len(expired) != 1:
            raise
        return JobFolder(expired[0]).load()
