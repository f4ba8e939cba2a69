"""Expired jobs come back: by the owner of the spool, whom a command line asks by a file in `spool/commands/`."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from dicomprinter.engine.commands import Answer, answered, noted
from dicomprinter.errors import SpoolError
from dicomprinter.job import lines
from dicomprinter.job.disk import make_folder, sync_folder, write_whole
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.parts import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from dicomprinter.engine.spool import Spool
    from dicomprinter.job.job import Job

_POLL_SECONDS = 0.05


def expired_job(spool: Spool, job_id: str) -> Path | None:
    """The folder of an expired job, by its id or the beginning of it; None when there is none.

    Raises:
        SpoolError: it is the beginning of several.
    """
    names = [path.name for path in spool.expired.glob("*") if path.is_dir()]
    hits = [name for name in names if name == job_id] or [name for name in names if name.startswith(job_id)]
    if len(hits) > 1:
        raise SpoolError(f'"{job_id}" is the beginning of {len(hits)} expired jobs', remedy="write more of the id")
    return spool.expired / hits[0] if hits else None


def restore(spool: Spool, job_id: str, now: datetime, token: str | None = None) -> tuple[Job, Answer]:
    """Queue an expired job again, where it stood; its age counts from now. The spool's lock is held.

    Raises:
        DicomPrinterError: it cannot be read, or a job of this id is there already.
        OSError: it cannot be written or moved now; it stays expired.
    """
    place = spool.jobs / job_id
    if place.exists():
        raise SpoolError(f"a job {job_id} is in the spool already")
    job = JobFolder(spool.expired / job_id).load()
    came = job.facts.accepted
    job.state, job.reason, job.wake_at, job.waits_for, job.asks = State.QUEUED, None, None, None, None
    job.facts = replace(job.facts, accepted=now)
    job.folder.save(job, secure=True)
    job.folder.path.rename(place)
    sync_folder(spool.jobs)
    sync_folder(spool.expired)
    job.folder.path = place
    answer = Answer(f"restored, now queued; it goes on at {job.position}, and its age counts anew")
    came_in = f"it came in at {came.isoformat(timespec='seconds')}"
    job.note(f"{noted('restore', answer.message)}; {came_in}", answers=token)
    return job, answer


def ask_to_restore(spool: Spool, job_id: str, timeout: float) -> Answer:
    """Leave the wish for the service that owns the spool, and wait until it is fulfilled.

    Raises:
        SpoolError: no answer came in time; the wish stays there.
    """
    token = secrets.token_hex(8)
    wish = spool.commands / f"{job_id}.json"
    make_folder(spool.commands)
    write_whole(wish, json.dumps({"command": "restore", "token": token}), secure=False)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        is_over = not wish.exists()
        for folder in (spool.jobs / job_id, spool.expired / job_id):
            with suppress(FileNotFoundError):
                for line in JobFolder(folder).history():
                    if line.get("answers") == token:
                        return Answer(answered("restore", str(line["message"])))
        if is_over:
            outcome = spool.outcome(job_id)
            if outcome:
                return Answer(f"restored, and it has finished meanwhile: {outcome}")
            return Answer("the service could not restore it; its log says why", succeeded=False)
        time.sleep(_POLL_SECONDS)  # another process answers: there is nothing to wait on but its file
    raise SpoolError(
        f"the service did not answer within {timeout:g} s", remedy="the job is restored as soon as it looks"
    )


def wishes(spool: Spool) -> Iterator[tuple[Path, str, str | None]]:
    """What command lines have asked for: the file, the job's id, and the token of the answer."""
    with suppress(FileNotFoundError):
        for file in sorted(spool.commands.glob("[!.]*.json")):
            token = None
            try:
                token = lines.parsed(file.read_bytes()).get("token")
            except ValueError:
                # The name says which job it is.
                pass
            except OSError:
                # It is being taken away, or can be read at another time.
                continue
            yield file, file.stem, token
