"""Watches `spool/incoming/`: whatever is dropped there becomes a job."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from dicomprinter.errors import InputError
from dicomprinter.intake.accept import tell
from dicomprinter.intake.completeness import QUIET_SECONDS, Completeness
from dicomprinter.intake.submission import Submission, read_sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dicomprinter.intake.accept import Intake
    from dicomprinter.job.job import Job

_LOG = logging.getLogger("dicomprinter.intake")
SOURCE = "incoming"
_SIDECAR = ".json"
_TEXT = ".txt"
_TEMPORARY = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".new", "~")
_RETRY_SECONDS = 5.0


class Incoming(FileSystemEventHandler):
    """Looks at the folder when something happens in it, and now and then in any case: events get lost on shares.

    Args:
        folder: the watched folder; subfolders become prefixes of names, links are not followed.
        intake: makes the jobs.
        submit: gets each job, which is safe in the spool by then.
        interval: seconds between looks when nothing happens.
    """

    def __init__(self, folder: Path, intake: Intake, submit: Callable[[Job], None], interval: float) -> None:
        super().__init__()
        self.folder = folder
        self._intake = intake
        self._submit = submit
        self._interval = interval
        self._complete = Completeness()
        self._later: dict[Path, float] = {}
        self._recover_at: float | None = None
        self._lock = threading.Lock()
        self._happened = threading.Event()
        self._stopping = threading.Event()
        self._observer = Observer()
        self._thread = threading.Thread(target=self._watch, name="incoming", daemon=True)

    def start(self) -> None:
        """Begin to watch; what lies there already is taken as well."""
        if self._intake.unfinished():
            self._recover_at = time.monotonic() + _RETRY_SECONDS
        try:
            self._observer.schedule(self, str(self.folder), recursive=True)
            self._observer.start()
        except OSError as error:
            _LOG.warning("no folder events (%s); the folder is looked at every %g s", error.strerror, self._interval)
        self._thread.start()

    def stop(self) -> bool:
        """End; a file being taken is taken whole. False when that did not come to an end within seconds."""
        self._stopping.set()
        self._happened.set()
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join(2)
        if self._thread.is_alive():
            self._thread.join(5)
        return not self._thread.is_alive()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note what the system says of a file."""
        if event.is_directory:
            return
        with self._lock:
            if event.event_type == "closed":
                self._complete.closed(Path(os.fsdecode(event.src_path)))
            elif event.event_type == "moved":
                self._complete.closed(Path(os.fsdecode(event.dest_path)))
            elif event.event_type in ("created", "modified"):
                self._complete.written(Path(os.fsdecode(event.src_path)))
            else:
                return
        self._happened.set()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                pending = self.look()
            except OSError as error:
                _LOG.error("the folder for incoming files cannot be read: %s", error.strerror)
                pending = False
            self._happened.wait(min(self._interval, QUIET_SECONDS / 4) if pending else self._interval)
            self._happened.clear()

    def look(self) -> bool:
        """Take every file that is complete; says whether some are there that are not yet."""
        self._recover()
        pending = self._recover_at is not None
        files = sorted(_files(self.folder))
        with self._lock:
            self._complete.keep_only(set(files))
        names = set(files)
        for file in files:
            if self._stopping.is_set():
                return False
            if _is_beside(file, names):
                continue
            if self._is_ready(file):
                self._take(file, names)
            else:
                pending = True
        return pending

    def _recover(self) -> None:
        """Go on with files that have left their place but could not become a job."""
        if self._recover_at is None or self._recover_at > time.monotonic():
            return
        for job in self._intake.recover():
            self._submit(job)
        self._recover_at = time.monotonic() + _RETRY_SECONDS if self._intake.unfinished() else None

    def _is_ready(self, file: Path) -> bool:
        now = time.monotonic()
        if self._later.get(file, 0.0) > now:
            return False
        try:
            found = file.lstat()
        except FileNotFoundError:
            return False
        with self._lock:
            if file.suffix.lower() == _TEXT:
                # Its page or PDF may be on the way.
                self._complete.written(file)
            return self._complete.is_complete(file, found.st_size, found.st_mtime_ns, now)

    def _take(self, file: Path, names: set[Path]) -> None:
        """Make a job of a file and what lies beside it; whatever goes wrong, the others go on."""
        title = file.relative_to(self.folder).as_posix()
        sidecar = file.with_name(file.name + _SIDECAR)
        text = file.with_suffix(_TEXT)
        try:
            if file.is_symlink():
                self._intake.reject([(file, title)], "a link is not followed; copy the file itself")
                return
            # The listing may be older than the sidecar, which is there before its file.
            has_sidecar = sidecar.exists()
            submission = read_sidecar(sidecar, title, SOURCE) if has_sidecar else Submission(title, source=SOURCE)
            beside = [text] if text in names and text != file else []
            job = self._intake.take([file, *beside], submission, sidecar if has_sidecar else None)
        except InputError as error:
            self._intake.reject([(file, title), (sidecar, sidecar.name)], str(error))
            _LOG.error("a file was rejected: %s", error)
            return
        except Exception as error:  # noqa: BLE001 - one file must not keep the others out
            self._later[file] = self._recover_at = time.monotonic() + _RETRY_SECONDS
            tell(f"a file cannot be taken now, it is tried again in {_RETRY_SECONDS:g} s", error)
            return
        finally:
            with self._lock:
                self._complete.forget(file)
        if job is not None:
            self._submit(job)


def _files(folder: Path) -> Iterator[Path]:
    """Files and links below a folder, without hidden and temporary ones."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower().endswith(_TEMPORARY):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _is_beside(file: Path, names: set[Path]) -> bool:
    """Whether a file belongs to another: a sidecar, or the text of a page or PDF."""
    if file.suffix.lower() == _SIDECAR:
        return True
    if file.suffix.lower() != _TEXT:
        return False
    return any(
        other != file and other.with_suffix(_TEXT) == file and other.suffix.lower() != _SIDECAR for other in names
    )
