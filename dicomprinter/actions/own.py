"""What single pages, documents and DICOM files of a job have beside its dataset (`job.parts.Payload.own`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pydicom import Dataset

from dicomprinter.actions.representation import Document, Forwarded, Frames
from dicomprinter.dicom.tags import tag_name
from dicomprinter.errors import PermanentError
from dicomprinter.job.job import dataset_text, read_dataset
from dicomprinter.job.record import DAMAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomprinter.actions.representation import Source
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
                return self._named(source.file)
            case Frames():
                return self._of_frames(source.pages)
        return self._of_page(source)

    def _of_page(self, page: PageRef) -> Dataset:
        found = self._named(page.file)
        found.update(self._named(page.name))
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

    def _named(self, name: str) -> Dataset:
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
