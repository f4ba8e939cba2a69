"""Sets values in a job's dataset; imported when the first one is set, for it brings pydicom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dicomprinter.actions.objects.own import take_from_own
from dicomprinter.dicom.text import clean
from dicomprinter.dicom.values import set_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from pydicom import Dataset

    from dicomprinter.job.job import Job


def set_cleaned(dataset: Dataset, tag: int, vr: str, text: str) -> list[str]:
    """Set a tag to a text as its value representation may hold it; returns the notes for the history.

    Raises:
        PermanentError: the value does not fit the tag; names the tag.
    """
    cleaned, notes = clean(tag, vr, text)
    set_text(dataset, tag, vr, cleaned)
    return notes


def settle(job: Job, dataset: Dataset, tags: Collection[int]) -> None:
    """Make a dataset the job's, in which the configuration has set some tags: they hold for every object."""
    take_from_own(job, tags)
    job.dataset = dataset
    chosen = {f"{int(tag):08X}" for tag in tags}
    job.flags = replace(job.flags, set_tags=tuple(sorted({*job.flags.set_tags, *chosen})))
