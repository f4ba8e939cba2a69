"""The files of a job as a program gets them: copies, for what it was given is never changed."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.job.disk import sync_file, sync_folder
from dicomprinter.job.parts import PageRef, Payload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dicomprinter.config.placeholders import Template
    from dicomprinter.imaging.decoder import Decoder
    from dicomprinter.job.job import Job


@dataclass
class RunFiles:
    """Copies of a job's files. It fills in a program's values, as a job does, and those of older files.

    Args:
        job: whose files they are.
        folder: where the program runs; it goes with all that is in it.
        files: pages, documents and DICOM files, in order, each once: the name in the job, the copy.
        text: a file of the job's text, or None.
        is_output_wanted: whether `#{OutputFile}` was asked for.
    """

    job: Job
    folder: Path
    files: Mapping[str, Path]
    text: Path | None
    is_output_wanted: bool = False

    @classmethod
    def copied(cls, job: Job, work: Path, text: str) -> Self:
        """Make the copies, and a file of the job's text, in a folder that goes after the program."""
        payload = job.payload
        names = dict.fromkeys([*(page.file for page in payload.pages), *payload.documents, *payload.objects])
        copies, folder = work / "files", work / "here"
        for place in (copies, folder):
            place.mkdir(mode=0o700)
        files = {name: _copy(job.path(name), copies) for name in names}
        contents = work / "contents.txt"
        if text:
            contents.write_text(text, encoding="utf-8", errors="replace", newline="")
        return cls(job, folder, files, contents if text else None)

    def environment(self) -> dict[str, str]:
        """What a program finds out about its job."""
        facts = self.job.facts
        numbered = {f"FILE{number}": str(path) for number, path in enumerate(self.files.values(), start=1)}
        return {
            "CLIENT_HOST_NAME": facts.host,
            "CLIENT_USER_NAME": facts.user,
            "CONTENTS_FILE": str(self.text or ""),
            "NOFILES": str(len(self.files)),
            **numbered,
        }

    def expand(self, template: Template, place: str) -> str:
        """As `Job.expand`."""
        text, missing = template.expand(self, place)
        for placeholder in missing:
            self.job.note(f"{place}: the job has no value for {placeholder}; it is left empty", level="WARN")
        return text

    # The protocol of dicomprinter.config.placeholders.Source

    def moment(self) -> datetime:
        """The job's now."""
        return self.job.moment()

    def fact(self, name: str) -> str:
        """As `Job.fact`, and the two files that only a Run has."""
        if name == "InputFile":
            return str(self.files[self._replaceable])
        if name == "OutputFile":
            self.is_output_wanted = True
            return str(self._output)
        return self.job.fact(name)

    def tag_text(self, tag: int) -> str | None:
        """As `Job.tag_text`."""
        return self.job.tag_text(tag)

    def fresh_uid(self, place: str) -> str:
        """As `Job.fresh_uid`."""
        return self.job.fresh_uid(place)

    # What the program leaves

    @property
    def _replaceable(self) -> str:
        """The job's first page or document."""
        if not self.files:
            raise PermanentError("the job has no page and no document, so there is no #{InputFile}")
        return next(iter(self.files))

    @property
    def _output(self) -> Path:
        return self.files[self._replaceable].with_name("output").with_suffix(Path(self._replaceable).suffix)

    def replaced(self, action: str, job: Job, decoder: Decoder) -> Payload:
        """The job's payload with what the program wrote to `#{OutputFile}`; it is looked at before it is taken.

        Args:
            action: the Run's name, for the history.
            job: whose payload it is.
            decoder: looks at it.

        Raises:
            PermanentError: it is no page and no document.
        """
        if not self.is_output_wanted or not os.path.lexists(self._output):
            return job.payload
        output = self._output
        if not stat.S_ISREG(output.lstat().st_mode):
            raise PermanentError(
                "what the program left at #{OutputFile} is no file", remedy="let it write the file itself"
            )
        try:
            probe = decoder.probe(output)
        except InputError as error:
            raise PermanentError(
                f"what the program wrote to #{{OutputFile}} cannot be used: {error.what}",
                cause=error.cause,
                remedy="mend the program",
                private=error.private,
            ) from None
        if probe.kind == "text":
            raise PermanentError("the program wrote a text to #{OutputFile}", remedy="let it write a picture or a PDF")
        new = _taken(job, output, Path(self._replaceable).suffix)
        what = f"the program's #{{OutputFile}} ({probe.media_type}) takes the place of {self._replaceable}"
        job.note(f"{action}: {what}")
        return _exchanged(job.payload, self._replaceable, new, probe.kind, probe.frames)


def _copy(source: Path, folder: Path) -> Path:
    target, number = folder / source.name, 1
    # Files of jobs that were merged have the same names in folders of their own.
    while target.exists():
        number += 1
        target = folder / f"{source.stem}-{number}{source.suffix}"
    shutil.copyfile(source, target)
    target.chmod(0o600)
    return target


def _taken(job: Job, output: Path, suffix: str) -> str:
    """Move a file into the payload under a name that nothing has, and bring it to the disk."""
    number, name = 1, f"payload/run-1{suffix}"
    while job.path(name).exists():
        number += 1
        name = f"payload/run-{number}{suffix}"
    with suppress(OSError):
        output.chmod(0o600)
    output.rename(job.path(name))
    sync_file(job.path(name))
    sync_folder(job.path("payload"))
    return name


def _exchanged(payload: Payload, old: str, new: str, kind: str, frames: int) -> Payload:
    before = [page for page in payload.pages if page.file == old]
    pages = [PageRef(new, index) for index in range(frames)] if kind == "image" else []
    if pages and len(before) == len(pages):
        return payload.with_pages(dict(zip(before, pages, strict=True)))
    if kind == "pdf" and old in payload.documents:
        return payload.with_document(old, new)
    # Another number of pages, or another kind of file: what was said of the old one does not fit.
    names = {old, *(page.name for page in before)}
    place = payload.pages.index(before[0]) if before else 0
    rest = [page for page in payload.pages if page.file != old]
    return replace(
        payload,
        pages=(*rest[:place], *pages, *rest[place:]),
        documents=_in_place(payload.documents, old, new if kind == "pdf" else None),
        objects=_in_place(payload.objects, old, new if kind == "dicom" else None),
        own=tuple(one for one in payload.own if one.name not in names),
        edits=tuple(edit for edit in payload.edits if edit.document != old),
    )


def _in_place(names: tuple[str, ...], old: str, new: str | None) -> tuple[str, ...]:
    rest = tuple(name for name in names if name != old)
    if new is None:
        return rest
    place = names.index(old) if old in names else 0
    return (*rest[:place], new, *rest[place:])
