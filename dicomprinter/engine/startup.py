"""Takes up every job of the spool when the engine starts; each is looked at, and read whole once it runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dicomprinter.engine.ticket import Ticket
from dicomprinter.errors import SpoolError
from dicomprinter.job.glance import glance
from dicomprinter.job.record import DamagedJobError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomprinter.engine.spool import Spool

_LOG = logging.getLogger("dicomprinter.engine")


def take_up_all(spool: Spool, take_up: Callable[[Ticket], None], after_a_fault: Callable[[str, str], None]) -> None:
    """Give a ticket of each job, in order of arrival.

    Args:
        spool: whose jobs; its lock is held.
        take_up: gets the tickets.
        after_a_fault: gets the id of a job that cannot be read now, and why.
    """
    for job_id in spool.job_ids():
        try:
            take_up(_ticket(spool, job_id))
        except SpoolError as error:
            _LOG.error("%s", error, extra={"job": job_id})
        except OSError as error:
            after_a_fault(job_id, f"the job cannot be read: {error.strerror}")


def _ticket(spool: Spool, job_id: str) -> Ticket:
    try:
        return Ticket.of(glance(spool.jobs / job_id))
    except DamagedJobError:
        # What is left of it is put aside, and it is held.
        return Ticket.of(spool.load(job_id))
