"""The spool that a command looks into. Imports no DICOM: lists are not to wait for it."""

from __future__ import annotations

import os
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

import click

from dicomprinter.cli.bases import BASE_HELP, service_base
from dicomprinter.cli.messages import PATH, F, say
from dicomprinter.engine.spool_view import SpoolView
from dicomprinter.errors import InputError, SpoolError
from dicomprinter.job.glance import Glance, glance
from dicomprinter.job.record import DamagedJobError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAY_ON: Final = "dicomprinter jobs match"


def base_option(function: F) -> F:
    """`--base`."""
    return click.option("--base", type=PATH, help=BASE_HELP)(function)


def existing_base(base: Path | None) -> Path:
    """The base directory that is meant, which has a spool.

    Raises:
        InputError: there is none, or this user may not look into it.
    """
    place = service_base(base)
    try:
        is_there = (place / "spool").is_dir()
        if is_there:
            os.scandir(place / "spool").close()
    except PermissionError:
        raise no_access(place) from None
    if not is_there:
        raise InputError(f"there is no spool in {place}", remedy="name the base directory with --base")
    return place


def no_access(base: Path) -> InputError:
    """The refusal of a spool that is another user's."""
    return InputError(
        f"the spool in {base} is open to the service's user and to administrators alone",
        remedy="ask as one of them, with sudo say",
    )


def every_glance(spool: SpoolView) -> Iterator[Glance]:
    """The jobs and those that have expired; one that cannot be read is told of, one that vanishes meanwhile is not.

    Raises:
        InputError: this user may not look into the spool.
    """
    try:
        jobs, expired = spool.job_ids(), spool.expired_folders()
    except PermissionError:
        raise no_access(spool.base) from None
    looks = chain(
        ((partial(spool.glance, job_id), spool.jobs, job_id) for job_id in jobs),
        ((partial(glance, path), spool.expired, path.name) for path in expired),
    )
    for look, place, job_id in looks:
        try:
            yield look()
        except (DamagedJobError, SpoolError) as error:
            if (place / job_id).exists():
                say(f"error: {error}", "red")
        except OSError as error:
            if (place / job_id).exists():
                say(f"error: the job {job_id} cannot be read now: {error.strerror}", "red")
