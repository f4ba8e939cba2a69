"""Performs a SetSequence: its items are filled in once for the job, or for each of its pages and files."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.objects.own import OwnAttributes, OwnValues, give_own
from dicomprinter.actions.tags.setting import set_cleaned, settle
from dicomprinter.dicom.forwarded.original import has_items
from dicomprinter.dicom.tags import tag_name
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.tags.dcm import DcmItem, DcmSequence
    from dicomprinter.actions.tags.set_sequence import SetSequence
    from dicomprinter.config.placeholders import Source
    from dicomprinter.job.job import Job


def set_sequence(action: SetSequence, job: Job, tools: Tools) -> None:
    """Put a sequence into the job's dataset, or into each page and file of the job.

    Raises:
        PermanentError: the job has the sequence already, or a value does not fit its tag; names the tag.
    """
    if not action.replace:
        _refuse_another(action, job)
    told: dict[str, None] = {}
    place = f"{action.name}/{tag_name(action.sequence.tag)}"
    if action.unique:
        own = OwnAttributes.of_job(job)
        datasets = {name: own.named(name) for name in _names(job, tools)}
        for name, dataset in datasets.items():
            _Filling(OwnValues(job, name, dataset), told).fill(dataset, action.sequence, place)
        give_own(job, datasets)
    else:
        dataset = deepcopy(job.dataset)
        _Filling(job, told).fill(dataset, action.sequence, place)
        settle(job, dataset, [action.sequence.tag])
    for note in told:
        job.note(f"{action.name}: {note}", level="WARN")


def _refuse_another(action: SetSequence, job: Job) -> None:
    """An empty sequence, as a worklist often gives it, is none that could be lost."""
    tag = action.sequence.tag
    own = OwnAttributes.of_job(job)
    datasets = [job.dataset, *(own.named(name) for name in own.texts)]
    if any(_items(dataset, tag) for dataset in datasets) or any(
        has_items(job.path(file), tag) for file in job.payload.objects
    ):
        raise PermanentError(
            f"the job has {tag_name(tag)} already",
            cause=f'{action.name} does not replace a sequence that is there (replace="false")',
            remedy='say replace="true", or ask in an <If> whether the action is to run',
        )


def _items(dataset: Dataset, tag: int) -> bool:
    return tag in dataset and bool(dataset[tag].value)


def _names(job: Job, tools: Tools) -> Iterator[str]:
    """Everything that may become an object: a PDF as it is, and each page that a Store may render of it."""
    payload = job.payload
    yield from (page.name for page in payload.pages)
    for document in payload.documents:
        yield document
        yield from (page.name for page in JobPages(job, tools.decoder).of_document(document))
    yield from payload.objects


@dataclass(frozen=True)
class _Filling:
    """Makes elements of what the configuration says.

    Args:
        values: where placeholders find theirs.
        told: notes for the history, each once.
    """

    values: Source
    told: dict[str, None]

    def fill(self, dataset: Dataset, sequence: DcmSequence, place: str) -> None:
        """Set a sequence in a dataset; `place` tells one `#{UID}` from another."""
        items = [self._item(item, f"{place}[{number}]") for number, item in enumerate(sequence.items, start=1)]
        dataset.add(DataElement(Tag(sequence.tag), "SQ", items))

    def _item(self, item: DcmItem, place: str) -> Dataset:
        dataset = Dataset()
        for tag in item.tags:
            where = f"{place}/{tag_name(tag.tag)}"
            text, missing = tag.text.expand(self.values, where)
            self.told.update((f"{where}: there is no value for {name}; it is left empty", None) for name in missing)
            self.told.update(dict.fromkeys(set_cleaned(dataset, tag.tag, tag.vr, text)))
        for sequence in item.sequences:
            self.fill(dataset, sequence, f"{place}/{tag_name(sequence.tag)}")
        return dataset
