"""Performs a Store; imported when the first one is performed, for it brings all that makes and sends objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.objects.planning import plan
from dicomprinter.actions.store.sending import Sending
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.store.action import Store
    from dicomprinter.job.job import Job


def store(action: Store, job: Job, tools: Tools) -> None:
    """Send every object that the archive has not confirmed yet.

    Raises:
        TransientError: the archive is away, busy or full; what it confirmed stays confirmed.
        PermanentError: some objects could not be made or were refused; the others are stored.
    """
    if not job.dataset.get("PatientID"):
        job.note(f"{action.name}: the job has no PatientID", level="WARN")
    known = frozenset(job.instances)
    objects = plan(job, action.representation, tools.decoder)
    if not objects:
        raise PermanentError(
            f"{action.name} has nothing to send", cause="the job has neither a page, a PDF nor a DICOM file"
        )
    if action.representation.document != "Images":
        JobPages(job, tools.decoder).tell_of_unchanged_documents(action.name)
    job.instances |= {item.instance.key: item.instance for item in objects}
    # Every UID is on the disk before the first byte goes out: a crash cannot make a second one.
    tools.secure(job)
    Sending(action.name, action.peer, action.representation, known).send(job, objects, tools)
    job.flags = job.flags.with_store(action.name, succeeded=True)
