"""What single pages, documents and DICOM files of a job have beside its dataset (`job.parts.Payload.own`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from pydicom import Dataset

from dicomprinter.actions.objects.representation import Document, Forwarded, Frames
from dicomprinter.dicom.tags import tag_name
from dicomprinter.errors import PermanentError
from dicomprinter.job.job import dataset_text, read_dataset, text_of
from dicomprinter.job.parts import Own
from dicomprinter.job.record import DAMAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from dicomprinter.actions.objects.representation import Source
    from dicomprinter.job.job import Job
    from dicomprinter.job.parts import PageRef


@dataclass(frozen=True)
class OwnAttributes:
    """The attributes of each of a job's pages, documents and DICOM files, by its name, as DICOM JSON text."""

    job: Job
    texts: Mapping[str, str]

    @classmethod
    def of_job(cls, job: Job) -> Self:
        """Those of a job."""
        return cls(job, {one.name: one.dataset for one in job.payload.own})

    def of(self, source: Source) -> Dataset:
        """What an object has of its own; empty when it has nothing.

        A page of a document has the document's. The pages of a multi-frame object are one instance, which has what the
        first of them has; where others have something else, the history says so.

        Raises:
            PermanentError: what is kept of it is damaged.
        """
        if not self.texts:
            return Dataset()
        match source:
            case Document() | Forwarded():
                return self.named(source.file)
            case Frames():
                return self._of_frames(source.pages)
        return self._of_page(source)

    def _of_page(self, page: PageRef) -> Dataset:
        found = self.named(page.file)
        found.update(self.named(page.name))
        return found

    def _of_frames(self, pages: tuple[PageRef, ...]) -> Dataset:
        first, *others = (self._of_page(page) for page in pages)
        differing = {
            tag for other in others for tag in {*first.keys(), *other.keys()} if first.get(tag) != other.get(tag)
        }
        if differing:
            names = ", ".join(tag_name(int(tag)) for tag in sorted(differing, key=int))
            self.job.note(
                f"pages of one multi-frame object have different values of {names}; it has those of the first page",
                level="WARN",
            )
        return first

    def named(self, name: str) -> Dataset:
        """What is kept under a name, a copy; raises as `of` does."""
        text = self.texts.get(name)
        if text is None:
            return Dataset()
        try:
            return read_dataset(text)
        except DAMAGE as error:
            raise PermanentError(
                "the attributes of a single page or file of the job cannot be read",
                cause=f"what job.json keeps of them is damaged ({type(error).__name__})",
                remedy="give the file as a new job",
            ) from error


@dataclass(frozen=True)
class OwnValues:
    """Where placeholders find the values of a single page or file: its own before the job's, and UIDs of its own.

    Args:
        job: whose page or file it is.
        name: whose values.
        own: its attributes.
    """

    job: Job
    name: str
    own: Dataset

    def moment(self) -> datetime:
        """The job's now."""
        return self.job.moment()

    def fact(self, name: str) -> str:
        """A fact of the job."""
        return self.job.fact(name)

    def tag_text(self, tag: int) -> str | None:
        """A tag's value as text, or None where neither has it."""
        return text_of(self.own, tag) if tag in self.own else self.job.tag_text(tag)

    def fresh_uid(self, place: str) -> str:
        """A UID, one for each place and name."""
        return self.job.fresh_uid(f"{place}/{self.name}")


def take_from_own(job: Job, tags: Collection[int]) -> None:
    """Make the job's dataset alone say what some tags hold, for every object.

    Raises:
        PermanentError: what is kept of an object is damaged.
    """
    kept = OwnAttributes.of_job(job)
    changed: dict[str, Dataset] = {}
    for name in kept.texts:
        dataset = kept.named(name)
        found = [tag for tag in tags if tag in dataset]
        for tag in found:
            del dataset[tag]
        if found:
            changed[name] = dataset
    give_own(job, changed)


def give_own(job: Job, datasets: Mapping[str, Dataset]) -> None:
    """Give pages and files, by their names, these attributes in place of those that they had; empty ones are none."""
    others = (one for one in job.payload.own if one.name not in datasets)
    given = (Own(name, dataset_text(dataset)) for name, dataset in datasets.items() if dataset)
    job.payload = replace(job.payload, own=(*others, *given))


def merged(attributes: Dataset, own: Dataset) -> Dataset:
    """A job's attributes with an object's own over them."""
    if not own:
        return attributes
    result = Dataset()
    result.update(attributes)
    result.update(own)
    return result


def own_key(key: str, own: Dataset) -> str:
    """An instance's key that also names its own attributes; without any it is the key itself."""
    if not own:
        return key
    digest = hashlib.sha256(dataset_text(own).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key}@{digest[:16]}"
