"""Performs a MergeJob: the jobs that follow are taken in whole, and their PDFs and texts become one each."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from dicomprinter.errors import DicomPrinterError
from dicomprinter.job.merged import take_in

if TYPE_CHECKING:
    from datetime import datetime

    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.merge.action import MergeJob
    from dicomprinter.job.job import Job


def merge(action: MergeJob, job: Job, tools: Tools) -> None:
    """Take in the jobs that follow, up to the first that does not fit.

    Raises:
        OSError: the spool's disk fails; what is taken in stays so.
        Interrupted: the service ends; at the next start it goes on.
    """
    if not tools.siblings.are_there:
        job.note(f"{action.name}: there is no queue here, so there is nothing to merge")
    while len(job.taken) + 1 < action.max_jobs:
        last = job.taken[-1].accepted if job.taken else job.facts.accepted
        sibling = tools.siblings.claim(job, _seconds(action, last, tools.clock()))
        if sibling is None:
            break
        if not _take(action, job, sibling, last, tools):
            tools.siblings.release(sibling)
            break
    if action.merge_pdf:
        _merge_documents(action, job, tools)
    if action.merge_text:
        _merge_texts(job)


def _seconds(action: MergeJob, last: datetime, now: datetime) -> float:
    """How long to wait for another: what comes later than the threshold would not fit."""
    left = (last - now).total_seconds() * 1000 + action.time_threshold
    return max(0.0, min(float(action.timeout), left)) / 1000


def _fits(action: MergeJob, job: Job, sibling: Job, last: datetime) -> bool:
    mine, other = job.facts, sibling.facts
    return (
        (mine.host == other.host or not action.match_host)
        and (mine.user == other.user or not action.match_user)
        and abs(other.accepted - last) <= timedelta(milliseconds=action.time_threshold)
    )


def _take(action: MergeJob, job: Job, sibling: Job, last: datetime, tools: Tools) -> bool:
    """Take a job in; False when it is to run by itself, as it is."""
    if not _fits(action, job, sibling, last):
        return False
    if action.merge_pdf and sibling.payload.documents:
        try:
            tools.decoder.merged([*map(job.path, _documents(job)), *map(sibling.path, sibling.payload.documents)])
        except DicomPrinterError as error:
            job.note(f"{action.name}: the job {sibling.id} is not merged: {error}", level="WARN", private=error.private)
            return False
    try:
        take_in(job, sibling.folder.path)
    except OSError as error:
        if not sibling.folder.path.exists():
            # It was moved, and is read when this job is tried again.
            raise
        job.note(f"{action.name}: the job {sibling.id} is not merged: {error.strerror}", level="WARN")
        return False
    tools.secure(job)
    tools.siblings.merged(job.taken[-1], job)
    job.note(f"{action.name}: took in the job {sibling.id}")
    return True


def _documents(job: Job) -> list[str]:
    """The PDFs that can become one: edits, pages put among its own, and what is one PDF's own hold for it alone."""
    payload = job.payload
    apart = {one.document for one in payload.edits} | {one.document for one in payload.places}
    apart |= {one.name for one in payload.own}
    return [name for name in job.payload.documents if name not in apart]


def _merge_documents(action: MergeJob, job: Job, tools: Tools) -> None:
    documents = _documents(job)
    if not job.taken or len(documents) < 2:
        return
    try:
        data = tools.decoder.merged([job.path(name) for name in documents])
    except DicomPrinterError as error:
        job.note(f"{action.name}: the PDFs stay as they are: {error}", level="WARN", private=error.private)
        return
    made = job.folder.add_payload(f"merged-{_digest(data)}.pdf", data)
    job.folder.secure_payload()
    first, *others = documents
    names = (made if name == first else name for name in job.payload.documents if name not in others)
    job.payload = replace(job.payload, documents=tuple(names))


def _merge_texts(job: Job) -> None:
    texts = job.payload.texts
    if not job.taken or len(texts) < 2:
        return
    data = b"\n".join(job.path(name).read_bytes().rstrip(b"\r\n") for name in texts) + b"\n"
    made = job.folder.add_payload(f"merged-{_digest(data)}.txt", data)
    job.folder.secure_payload()
    job.payload = replace(job.payload, texts=(made,))


def _digest(data: bytes | memoryview) -> str:
    """Names a file by its content: another MergeJob of this job does not write over what this one has made."""
    return hashlib.sha256(data).hexdigest()[:16]
