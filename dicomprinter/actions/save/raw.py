"""Performs a Save of the format dxi: the job's files as they came in, each with a sidecar that says whose it is.

What lies in the folder then can be dropped into `incoming/`, or given to `dicomprinter run`, as it is.
"""

from __future__ import annotations

import filecmp
import json
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from pydicom import Dataset

from dicomprinter.actions.save.archive import Archive, copy
from dicomprinter.actions.save.filing import Beside, Filing, Wanted
from dicomprinter.actions.save.names import Names, ObjectSource, Place, component
from dicomprinter.errors import PermanentError
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.merged import folders
from dicomprinter.job.parts import Facts
from dicomprinter.job.record import DAMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.save.action import Save
    from dicomprinter.job.job import Job


def save_raw(action: Save, job: Job, tools: Tools) -> None:
    """Copy what came in and was not copied before.

    Raises:
        TransientError: the folder is away, full, or may not be written; what is saved stays saved.
        PermanentError: what came in is not known any more.
    """
    missing: dict[str, None] = {}
    root = Names(action.directory, action.filename, action.name, tools.outside).root(
        ObjectSource(job, Dataset()), missing
    )
    for placeholder in missing:
        job.note(f"{action.name}: the job has no value for {placeholder}; it is left empty", level="WARN")
    archive = Archive(root, action.directory.source, job.id)
    filing = Filing(job, action.name, action.directory.source)
    with job.folder.work() as work:
        for folder in [job.folder, *map(JobFolder, folders(job.folder.path))]:
            try:
                found = list(_wanted(job, folder, work))
            except (OSError, *DAMAGE) as error:
                raise PermanentError(
                    f"{action.name} cannot tell what came in",
                    cause=f"arrival.json is gone or damaged ({type(error).__name__})",
                    remedy="take the files from the job's folder payload/",
                ) from None
            for wanted, stem in found:
                if filing.done(wanted.key) is not None:
                    continue
                file = filing.save(wanted, Place(root, (), stem, wanted.source.suffix), archive)
                job.note(f"{action.name}: a file saved as it came in", private=str(file), deeper=2)


def _wanted(job: Job, folder: JobFolder, work: Path) -> Iterator[tuple[Wanted, str]]:
    """Each file that came in, with its sidecar and the texts beside it, and what its name begins with."""
    arrival = folder.arrival()
    facts, payload = folder.read_arrival()
    entries = [entry for entry in arrival["files"] if entry["to"].startswith("payload/")]
    texts = [entry for entry in entries if entry["to"] in payload.texts]
    main = [entry for entry in entries if entry not in texts] or texts
    beside = [] if main is texts else texts
    sidecar = work / f"{folder.path.name}.json"
    sidecar.write_text(json.dumps(_facts(facts, arrival["tags"]), indent=1, ensure_ascii=False), encoding="utf-8")
    for entry in main:
        source = folder.path / entry["to"]
        more = [Beside(_sidecar_of, sidecar), *(Beside(_text_of, folder.path / text["to"]) for text in beside[:1])]
        # The texts go with the first one.
        beside = []
        key = str(source.relative_to(job.folder.path))
        is_it = partial(filecmp.cmp, source, shallow=False)
        yield Wanted(key, source, copy, is_it, beside=tuple(more)), component(PurePath(entry["from"]).stem)


def _sidecar_of(file: Path) -> Path:
    return file.with_name(file.name + ".json")


def _text_of(file: Path) -> Path:
    return file.with_suffix(".txt")


def _facts(facts: Facts, tags: dict[str, str]) -> dict[str, Any]:
    """What a sidecar says (intake/submission.py reads it)."""
    return {
        "title": facts.name,
        "user": facts.user,
        "host": facts.host,
        "source": facts.source,
        "copies": facts.copies,
        "priority": facts.priority,
        "submitted": facts.created.isoformat(),
        "options": facts.options,
        "tags": tags,
    }
