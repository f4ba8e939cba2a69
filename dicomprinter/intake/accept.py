"""The commit into the spool: files become a job, or stay what they were. A crash at any point leaves nothing half done.

What comes in is written down first (`arrival.json` in `jobs/.new-<id>`), then the files are moved there, looked at, the
job is written, and its folder gets its name. After a crash `recover` goes on where that stopped.
"""

from __future__ import annotations

import errno
import filecmp
import logging
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom import Dataset

from dicomprinter.engine.spool import UNFINISHED
from dicomprinter.errors import DicomPrinterError, InputError, PermanentError, Private
from dicomprinter.intake.beside import entries_of
from dicomprinter.intake.names import REASON, check_name, printable, safe_name
from dicomprinter.intake.submission import Submission, set_tags
from dicomprinter.job.disk import sync_folder
from dicomprinter.job.folder import HINTS_FILE, JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import TEXT_AS_PDF, Facts, Flags, PageRef, Payload
from dicomprinter.job.record import DAMAGE
from dicomprinter.job.values import inside, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from dicomprinter.engine.spool import Spool
    from dicomprinter.imaging.decoder import Decoder
    from dicomprinter.imaging.probe import Probe

_LOG = logging.getLogger("dicomprinter.intake")
COMMAND_LINE = "run"


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
        folder = self._begin(files, submission, copied=True)
        try:
            arrival = folder.arrival()
            for entry in arrival["files"]:
                _copy(Path(entry["from"]), folder.path / entry["to"])
            return self._finish(folder, arrival)
        except BaseException:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise

    def take(
        self, files: Sequence[Path], submission: Submission, sidecar: Path | None = None, *, job_id: str = ""
    ) -> Job | None:
        """Make a job of these files, which leave their place; refused ones go to `rejected/`, and None comes back.

        `sidecar`, which the submission was read from, goes with them. `job_id` is one that the spool has made, for
        files that are taken side by side and are to keep their order; a new one if empty.

        Raises:
            OSError: a file cannot be moved now; it stays where it is.
        """
        folder = self._begin(files, submission, sidecar, job_id)
        return self._take(folder, folder.arrival())

    def unfinished(self) -> list[Path]:
        """The folders of what a crash or a failing disk has interrupted, in order of arrival."""
        return sorted(self.spool.jobs.glob(UNFINISHED + "*"))

    def claimed(self) -> set[Path]:
        """The files that an unfinished job still waits for: none of them is a job of its own."""
        found: set[Path] = set()
        for path in self.unfinished():
            with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
                entries = JobFolder(path).arrival()["files"]
                found |= {Path(entry["from"]) for entry in entries if not os.path.lexists(path / entry["to"])}
        return found

    def recover(self) -> Iterator[Job]:
        """Go on with what was interrupted; what cannot be taken in even now stays for another time."""
        for path in self.unfinished():
            try:
                job = self._go_on(JobFolder(path))
            except Exception as error:  # noqa: BLE001 - one file must not keep the others out
                tell("a file that was being taken in has to wait", error)
                continue
            if job is not None:
                _LOG.info("taken in after a crash", extra={"job": job.id})
                yield job

    def _go_on(self, folder: JobFolder) -> Job | None:
        try:
            arrival = folder.arrival()
            Facts.from_json(arrival["facts"])
            texts(arrival["tags"].values())
            texts([inside(entry["to"]) and entry["from"] for entry in arrival["files"]])
            is_copy = any(entry.get("copied") for entry in arrival["files"])
        except (OSError, *DAMAGE):
            # Nothing is moved before it is written down: what is here all the same is somebody's.
            beside = [folder.path / name for name in ("sidecar.json", HINTS_FILE)]
            left = [*sorted((folder.path / "payload").glob("*")), *beside]
            damaged = InputError("what was known of this file is damaged", remedy="drop it again")
            self.reject([(file, file.name) for file in left], damaged, _id(folder))
            is_copy = True
        if is_copy:
            # What was given on the command line is still where it was.
            shutil.rmtree(folder.path, ignore_errors=True)
            return None
        return self._take(folder, arrival)

    def reject(self, files: Sequence[tuple[Path, str]], error: DicomPrinterError, reject_id: str = "") -> None:
        """Put files where a person finds them, each with the reason beside it; the log gets the id and the reason.

        Args:
            files: each with the name it came under; one that is not there is left out.
            error: the reason; its private part is for the person, not for the log.
            reject_id: begins the names of all these files; a new one if empty.

        Raises:
            OSError: a file cannot be moved now; it stays where it is.
        """
        there = [(file, name) for file, name in files if os.path.lexists(file)]
        if not there:
            return
        reject_id = reject_id or self.spool.new_id()
        text = f"{error}\n{error.private}".strip() + "\n"
        for file, name in there:
            target = _free(self.spool.rejected / f"{reject_id}-{safe_name(name)}")
            reason = target.with_name(target.name + REASON)
            _write_private(reason, text)
            try:
                _move(file, target)
            except OSError:
                reason.unlink(missing_ok=True)
                raise
            _make_private(target)
        sync_folder(self.spool.rejected)
        private = Private.joined("; ", filter(None, (there[0][1], error.private)))
        _LOG.error("rejected as %s: %s", reject_id, error, extra={"private": private})

    def _begin(
        self,
        files: Sequence[Path],
        submission: Submission,
        sidecar: Path | None = None,
        job_id: str = "",
        *,
        copied: bool = False,
    ) -> JobFolder:
        now = self.clock()
        facts = Facts(
            name=printable(submission.title),
            user=printable(submission.user),
            host=printable(submission.host),
            source=printable(submission.source),
            created=submission.submitted or now,
            accepted=now,
            copies=submission.copies,
            priority=submission.priority,
            options={printable(name): printable(text) for name, text in submission.options.items()},
        )
        entries: list[dict[str, Any]] = [*entries_of(files)]
        if sidecar is not None:
            entries.append({"from": str(sidecar.absolute()), "to": "sidecar.json"})
        if copied:
            # The originals are still where they were: after a crash these may go.
            entries = [{**entry, "copied": True} for entry in entries]
        folder = JobFolder.create(self.spool.jobs / (UNFINISHED + (job_id or self.spool.new_id())))
        try:
            folder.write_arrival(facts, entries, submission.tags)
        except Exception:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise
        return folder

    def _take(self, folder: JobFolder, arrival: dict[str, Any]) -> Job | None:
        entries = arrival["files"]
        try:
            for entry in entries:
                _move(Path(entry["from"]), folder.path / entry["to"])
        except Exception:
            if not _there(folder, entries):
                shutil.rmtree(folder.path, ignore_errors=True)
            raise
        there = _there(folder, entries)
        if not there:
            shutil.rmtree(folder.path, ignore_errors=True)
            return None
        try:
            for entry in there:
                _make_private(folder.path / entry["to"])
            return self._finish(folder, arrival)
        except (InputError, PermanentError) as error:
            self.reject([(folder.path / e["to"], Path(e["from"]).name) for e in there], error, _id(folder))
            shutil.rmtree(folder.path, ignore_errors=True)
            return None

    def _finish(self, folder: JobFolder, arrival: dict[str, Any]) -> Job:
        there = _there(folder, arrival["files"])
        if any(not _is_regular(folder.path / entry["to"]) for entry in there):
            raise InputError("a link is not followed, and a pipe or folder is no file", remedy="copy the file itself")
        if there[0] != arrival["files"][0]:
            raise InputError(
                "the file that this belongs to went away while it was being taken", remedy="drop them all again"
            )
        payload, dataset, size = Payload(), Dataset(), 0
        for entry in there:
            if entry["to"].startswith("payload/"):
                probe = self._look_at(folder, entry, beside=entry is not there[0])
                payload += _payload(entry["to"], probe)
                size += probe.frames
                # What a DICOM file says is the job's, so that conditions, queries and placeholders know it.
                dataset = dataset or Dataset.from_json(probe.attributes)
        if payload.texts and not (payload.pages or payload.documents or payload.objects):
            payload += _set_texts(folder, payload.texts, self.decoder.limits.pages)
        facts = replace(Facts.from_json(arrival["facts"]), size=max(1, size))
        # Where a DICOM file is, others of its study may be.
        flags = Flags(existing_study=str(dataset.get("StudyInstanceUID") or ""))
        job = Job(_id(folder), facts, folder, payload=payload, dataset=dataset)
        chosen, notes = set_tags(job.dataset, arrival["tags"])
        job.flags = replace(flags, set_tags=tuple(chosen))
        folder.complete_arrival(payload)
        folder.secure_payload()
        # Before the job is written down, so that they come to the disk with it.
        job.note(_summary(job))
        for note in notes:
            job.note(note, level="WARN")
        folder.save(job, secure=True)
        named = self.spool.jobs / job.id
        folder.path.rename(named)
        folder.path = named
        # From here on it is a job, also when the disk fails; a rename that a loss of power takes back is done again.
        with suppress(OSError):
            sync_folder(self.spool.jobs)
        return job

    def _look_at(self, folder: JobFolder, entry: dict[str, Any], *, beside: bool) -> Probe:
        name = entry["to"]
        try:
            probe = self.decoder.probe(folder.path / name)
            check_name(name, probe.kind)
            return probe
        except (InputError, PermanentError) as error:
            if entry.get("copied"):
                # Which of several files it is; a file's name may be a patient's.
                error.private = error.private or entry["from"]
            elif beside:
                raise InputError(
                    "the text beside the page cannot be used, so neither is taken",
                    cause=error.what,
                    remedy="save the text as UTF-8 and drop both again",
                    private=error.private,
                ) from None
            raise


def _payload(name: str, probe: Probe) -> Payload:
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
        _LOG.error("%s: %s", what, error, extra={"private": error.private})
    elif isinstance(error, OSError):
        _LOG.error("%s: %s", what, error.strerror or type(error).__name__, extra={"private": str(error)})
    else:
        _LOG.exception("%s: a fault of the program", what)


def _id(folder: JobFolder) -> str:
    return folder.path.name.removeprefix(UNFINISHED)


def _there(folder: JobFolder, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in entries if os.path.lexists(folder.path / entry["to"])]


def _is_regular(file: Path) -> bool:
    return stat.S_ISREG(file.lstat().st_mode)


def _make_private(file: Path) -> None:
    """Only its owner may read it; what belongs to somebody else stays as it is."""
    with suppress(OSError):
        if _is_regular(file):
            file.chmod(0o600)


def _write_private(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _free(file: Path) -> Path:
    """The path, or one like it that nothing has."""
    free, number = file, 2
    while os.path.lexists(free):
        free = file.with_name(f"{file.stem}-{number}{file.suffix}")
        number += 1
    return free


def _summary(job: Job) -> str:
    payload = job.payload
    # Those that the texts were set as came from nobody.
    documents = [name for name in payload.documents if not name.endswith(TEXT_AS_PDF)]
    counts = {
        "page": len(payload.pages),
        "PDF": len(documents),
        "text": len(payload.texts),
        "DICOM file": len(payload.objects),
    }
    parts = [f"{count} {what}{'s' if count > 1 else ''}" for what, count in counts.items() if count]
    as_pdf = ", set as a PDF" if len(documents) < len(payload.documents) else ""
    return f"accepted from {job.facts.source or 'outside'}: {', '.join(parts)}{as_pdf}"


def _set_texts(folder: JobFolder, texts: tuple[str, ...], most: int) -> Payload:
    from dicomprinter.intake.text_page import set_texts  # noqa: PLC0415 - reportlab; only a text alone pays for it

    return Payload(documents=set_texts(folder.path, texts, TEXT_AS_PDF, most))


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
        target.chmod(0o600)
    except IsADirectoryError:
        raise InputError(f"{source} is a folder", remedy="name the files in it") from None
    except OSError as error:
        raise InputError(
            f"{source} cannot be read: {error.strerror or error}", remedy="check the path and its rights"
        ) from None


def _move(source: Path, target: Path) -> None:
    """Move a file, once; across file systems by a copy that is whole before the original goes."""
    if os.path.lexists(target):
        # Moved before a crash, so that a file of this name is another one; unless the original of a copy was left.
        with suppress(FileNotFoundError):
            differs = source.lstat().st_dev != target.lstat().st_dev
            if differs and _is_regular(source) and _is_regular(target) and filecmp.cmp(source, target, shallow=False):
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
        shutil.copyfile(source, partial, follow_symlinks=False)
        if not partial.is_symlink():
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
        partial.replace(target)
        source.unlink()
