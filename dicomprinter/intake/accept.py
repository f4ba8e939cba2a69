"""The commit into the spool: files become a job, or stay what they were. A crash at any point leaves nothing half done.

What comes in is written down first (`arrival.json` in `jobs/.new-<id>`), then the files are moved there, looked at, the
job is written, and its folder gets its name. After a crash `recover` goes on where that stopped.
"""

from __future__ import annotations

import errno
import filecmp
import logging
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dicomprinter.engine.spool import UNFINISHED
from dicomprinter.errors import DicomPrinterError, InputError, PermanentError
from dicomprinter.intake.submission import Submission, set_tags
from dicomprinter.intake.text_page import set_as_pdf
from dicomprinter.job.folder import JobFolder, sync_folder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import Facts, PageRef, Payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from dicomprinter.engine.spool import Spool
    from dicomprinter.imaging.decoder import Decoder

_LOG = logging.getLogger("dicomprinter.intake")
COMMAND_LINE = "run"
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


@dataclass(frozen=True)
class Intake:
    """Takes files into a spool.

    Args:
        spool: where they go; its lock is held.
        decoder: looks at them in a process of its own.
        clock: the local time.
    """

    spool: Spool
    decoder: Decoder
    clock: Callable[[], datetime]

    def copy(self, files: Sequence[Path], submission: Submission) -> Job:
        """Make a job of copies of these files; they themselves stay.

        Raises:
            InputError: a file that cannot become a job, or a tag that cannot be set; nothing is left in the spool.
        """
        folder = self._begin(files, submission)
        try:
            for entry in folder.arrival()["files"]:
                _copy(Path(entry["from"]), folder.path / entry["to"])
            return self._finish(folder)
        except BaseException:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise

    def take(self, files: Sequence[Path], submission: Submission, sidecar: Path | None = None) -> Job | None:
        """Make a job of these files, which leave their place; refused ones go to `rejected/`, and None comes back.

        `sidecar`, which the submission was read from, goes with them.

        Raises:
            OSError: a file cannot be moved now; it stays where it is.
        """
        folder = self._begin(files, submission, sidecar)
        return self._take(folder)

    def unfinished(self) -> list[Path]:
        """The folders of what a crash or a failing disk has interrupted, in order of arrival."""
        return sorted(self.spool.jobs.glob(UNFINISHED + "*"))

    def recover(self) -> Iterator[Job]:
        """Go on with what was interrupted; what cannot be taken in even now stays for another time."""
        for path in self.unfinished():
            try:
                job = self._go_on(JobFolder(path))
            except Exception as error:  # noqa: BLE001 - one file must not keep the others out
                tell("a file that was being taken in has to wait", error)
                continue
            if job is not None:
                yield job

    def _go_on(self, folder: JobFolder) -> Job | None:
        try:
            is_copy = folder.arrival()["facts"]["source"] == COMMAND_LINE
        except (OSError, ValueError, KeyError, TypeError):
            # Nothing is moved before it is written down: what is here all the same is somebody's.
            left = sorted((folder.path / "payload").glob("*"))
            self.reject([(file, file.name) for file in left], "what was known of this file is damaged; drop it again")
            is_copy = True
        if is_copy:
            # What was given on the command line is still where it was.
            shutil.rmtree(folder.path, ignore_errors=True)
            return None
        return self._take(folder)

    def reject(self, files: Sequence[tuple[Path, str]], why: str) -> None:
        """Put files where a person finds them, each with the reason beside it.

        Args:
            files: each with the name it came under.
            why: the reason; may name the file, so it is not logged.
        """
        for file, name in files:
            target = self.spool.rejected / f"{self.spool.new_id()}-{safe_name(name)}"
            reason = target.with_name(target.name + ".reason.txt")
            reason.write_text(f"{why}\n", encoding="utf-8", errors="replace")
            _move(file, target)
        sync_folder(self.spool.rejected)

    def _begin(self, files: Sequence[Path], submission: Submission, sidecar: Path | None = None) -> JobFolder:
        now = self.clock()
        facts = Facts(
            name=_printable(submission.title),
            user=_printable(submission.user),
            host=_printable(submission.host),
            source=submission.source,
            created=submission.submitted or now,
            accepted=now,
            copies=submission.copies,
            options=submission.options,
        )
        entries = [
            {"from": str(file.absolute()), "to": f"payload/{number:04d}{_suffix(file)}"}
            for number, file in enumerate(files, start=1)
        ]
        if sidecar is not None:
            entries.append({"from": str(sidecar.absolute()), "to": "sidecar.json"})
        folder = JobFolder.create(self.spool.jobs / (UNFINISHED + self.spool.new_id()))
        folder.write_arrival(facts, entries, submission.tags)
        return folder

    def _take(self, folder: JobFolder) -> Job | None:
        entries = folder.arrival()["files"]
        for entry in entries:
            _move(Path(entry["from"]), folder.path / entry["to"])
        there = [entry for entry in entries if (folder.path / entry["to"]).exists()]
        if not there:
            shutil.rmtree(folder.path, ignore_errors=True)
            return None
        try:
            return self._finish(folder)
        except (InputError, PermanentError) as error:
            self.reject([(folder.path / e["to"], Path(e["from"]).name) for e in there], str(error))
            _LOG.error("a file was rejected: %s", error)
            shutil.rmtree(folder.path, ignore_errors=True)
            return None

    def _finish(self, folder: JobFolder) -> Job:
        data = folder.arrival()
        payload = Payload()
        for entry in data["files"]:
            if entry["to"].startswith("payload/"):
                payload += self._look_at(folder, entry)
        if payload.texts and not (payload.pages or payload.documents or payload.objects):
            payload += _set_texts(folder, payload.texts)
        facts = Facts.from_json(data["facts"])
        job = Job(folder.path.name.removeprefix(UNFINISHED), facts, folder, payload=payload)
        chosen, notes = set_tags(job.dataset, data["tags"])
        job.flags = replace(job.flags, set_tags=tuple(chosen))
        folder.complete_arrival(payload)
        folder.secure_payload()
        folder.save(job, secure=True)
        job.note(_summary(job))
        for note in notes:
            job.note(note, level="WARN")
        named = self.spool.jobs / job.id
        folder.path.rename(named)
        folder.path = named
        sync_folder(self.spool.jobs)
        return job

    def _look_at(self, folder: JobFolder, entry: dict[str, str]) -> Payload:
        name = entry["to"]
        try:
            probe = self.decoder.probe(folder.path / name)
        except (InputError, PermanentError) as error:
            # Which of several files it is; a file's name may be a patient's.
            error.private = error.private or entry["from"]
            raise
        match probe.kind:
            case "image":
                return Payload(pages=tuple(PageRef(name, index) for index in range(probe.frames)))
            case "pdf":
                return Payload(documents=(name,))
            case "text":
                return Payload(texts=(name,))
        return Payload(objects=(name,))


def tell(what: str, error: Exception) -> None:
    """Log that something went wrong, and why, in words that are safe for a log."""
    if isinstance(error, DicomPrinterError):
        _LOG.error("%s: %s", what, error)
    elif isinstance(error, OSError):
        _LOG.error("%s: %s", what, error.strerror or type(error).__name__)
    else:
        _LOG.exception("%s: a fault of the program", what)


def safe_name(name: str) -> str:
    """A file's name without what leads elsewhere or cannot be shown."""
    return _UNSAFE.sub("_", _printable(name)).lstrip(".")[:120] or "file"


def _printable(text: str) -> str:
    """Without control characters, and without bytes that are no text (names of other encodings)."""
    shown = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x1f\x7f]+", " ", shown).strip()


def _suffix(file: Path) -> str:
    return file.suffix.lower() if _SUFFIX.fullmatch(file.suffix) else ""


def _summary(job: Job) -> str:
    payload = job.payload
    counts = {
        "page": len(payload.pages),
        "PDF": len(payload.documents),
        "text": len(payload.texts),
        "DICOM file": len(payload.objects),
    }
    parts = [f"{count} {what}{'s' if count > 1 else ''}" for what, count in counts.items() if count]
    return f"accepted from {job.facts.source or 'outside'}: {', '.join(parts)}"


def _set_texts(folder: JobFolder, texts: tuple[str, ...]) -> Payload:
    documents = []
    for name in texts:
        document = Path(name).with_suffix(".set.pdf").as_posix()
        set_as_pdf((folder.path / name).read_text(encoding="utf-8-sig"), folder.path / document)
        documents.append(document)
    return Payload(documents=tuple(documents))


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
        target.chmod(0o600)
    except IsADirectoryError:
        raise InputError(f"{source} is a folder", remedy="name the files in it") from None
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror}", remedy="check the path and its rights") from None


def _move(source: Path, target: Path) -> None:
    """Move a file, once; across file systems by a copy that is whole before the original goes."""
    if target.exists():
        # Moved before a crash, so that a file of this name is another one; unless the original of a copy was left.
        with suppress(FileNotFoundError):
            if source.stat().st_dev != target.stat().st_dev and filecmp.cmp(source, target, shallow=False):
                source.unlink()
        return
    with suppress(FileNotFoundError):
        try:
            source.rename(target)
            return
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        partial = target.with_name(target.name + ".partial")
        shutil.copyfile(source, partial)
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(target)
        source.unlink()
