"""Watches `spool/incoming/`: whatever is dropped there becomes a job."""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from watchdog.events import FileSystemEvent, FileSystemEventHandler

from dicomprinter.errors import InputError
from dicomprinter.intake.accept import tell
from dicomprinter.intake.beside import HINTS, hints_of, is_hints, lone_hints
from dicomprinter.intake.completeness import QUIET_SECONDS, Completeness
from dicomprinter.intake.folder_events import folder_observer
from dicomprinter.intake.names import is_left_alone
from dicomprinter.intake.submission import Submission, read_sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watchdog.observers.api import BaseObserver

    from dicomprinter.intake.accept import Intake
    from dicomprinter.job.job import Job

_LOG = logging.getLogger("dicomprinter.intake")
SOURCE = "incoming"
_SIDECAR = ".json"
_TEXT = ".txt"
_RETRY_SECONDS = 5.0
_ALONE_SECONDS = 600.0
# A file waits for the disk most of the time that it takes, so several are taken at once.
_SIDE_BY_SIDE = 4


class _Complete(NamedTuple):
    """A file that is to become a job of this id, what lies beside it and belongs to it, and its sidecar."""

    job_id: str
    file: Path
    beside: list[Path]
    sidecar: Path | None


class Incoming(FileSystemEventHandler):
    """Looks at the folder when something happens in it, and now and then in any case: events get lost on shares.

    Args:
        folder: the watched folder; subfolders become prefixes of names, links are not followed.
        intake: makes the jobs.
        submit: gets each job, which is safe in the spool by then.
        interval: says how many seconds may pass between looks when nothing happens.
    """

    def __init__(
        self, folder: Path, intake: Intake, submit: Callable[[Job], None], interval: Callable[[], float]
    ) -> None:
        super().__init__()
        self.folder = folder
        self._intake = intake
        self._submit = submit
        self._interval = interval
        self._complete = Completeness()
        self._later: dict[Path, float] = {}
        # When a file was taken without a sidecar, or without these hints, and since when a sidecar has lain alone.
        self._bare: dict[str, float] = {}
        self._alone: dict[Path, float] = {}
        self._unreadable: set[Path] = set()
        # The first look goes on with what a crash has interrupted.
        self._recover_at: float | None = time.monotonic()
        # Of the files that are taken side by side the ids, each with what its file has become, if that is over.
        self._taking: dict[str, list[Job | None]] = {}
        self._handing_on = threading.Lock()
        self._lock = threading.Lock()
        self._happened = threading.Event()
        self._stopping = threading.Event()
        self._observer: BaseObserver | None = None
        self._thread = threading.Thread(target=self._watch, name="incoming", daemon=True)
        self._busy_since: float | None = None

    def start(self) -> None:
        """Begin to watch; what lies there already is taken as well."""
        try:
            # Making one already takes an inotify instance, of which a user has 128.
            observer = folder_observer()
            observer.schedule(self, str(self.folder), recursive=True)
            observer.start()
            self._observer = observer
        except OSError as error:
            _LOG.warning("no folder events (%s); the folder is looked at every %g s", error.strerror, self._longest())
        self._thread.start()

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """What has to live while the folder is watched; without events it is looked at all the same."""
        return (self._thread,)

    @property
    def busy_since(self) -> float | None:
        """Since when it is at one file, on the monotonic clock, in seconds; None when it waits."""
        return self._busy_since

    def stop(self) -> bool:
        """End; a file being taken is taken whole. False when that did not come to an end within seconds."""
        self._stopping.set()
        self._happened.set()
        if self._observer is not None:
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
            self._busy_since = time.monotonic()
            try:
                pending = self.look()
            except Exception as error:  # noqa: BLE001 - the next look may be better
                tell("the folder for incoming files cannot be looked at now", error)
                pending = False
            self._busy_since = None
            self._happened.wait(min(self._longest(), QUIET_SECONDS / 4) if pending else self._longest())
            self._happened.clear()

    def _longest(self) -> float:
        """Seconds between looks when nothing happens; without events nobody says when something does."""
        return self._interval() if self._observer else min(self._interval(), QUIET_SECONDS)

    def look(self) -> bool:
        """Take every file that is complete; says whether some are there that are not yet."""
        self._recover()
        pending = self._recover_at is not None
        with self._lock:
            self._complete.begin_look()
        files = sorted(self._walk())
        with self._lock:
            self._complete.keep_only(set(files))
        self._later = {file: until for file, until in self._later.items() if until > time.monotonic()}
        claimed = self._intake.claimed() if pending else set()
        files = [file for file in files if file not in claimed]
        names = set(files)
        sidecars = {file.with_suffix(""): file for file in files if _is_sidecar(file)}
        texts = {text for file in files if not _is_sidecar(file) and (text := file.with_suffix(_TEXT)) != file}
        self._reject_lone_sidecars({**sidecars, **{_page_of(one): one for one in lone_hints(names)}}, names)
        complete: deque[_Complete] = deque()
        # A text that lies beside two files is the first one's.
        given: set[Path] = set()
        for file in files:
            if _is_sidecar(file) or is_hints(file) or file in texts:
                continue
            text = file.with_suffix(_TEXT)
            beside = [text] if text != file and text in names and text not in given else []
            beside += [hints for hints in hints_of(file) if hints in names and hints not in given][:1]
            if all([self._is_ready(file, alone=True), *(self._is_ready(one, alone=False) for one in beside)]):
                given.update(beside)
                complete.append(_Complete(self._intake.spool.new_id(), file, beside, sidecars.get(file)))
            else:
                pending = True
        self._take_all(complete)
        return pending and not self._stopping.is_set()

    def _take_all(self, complete: deque[_Complete]) -> None:
        """Take each, in the order in which they are given, some of them side by side."""
        self._taking = {one.job_id: [] for one in complete}
        others: list[threading.Thread] = []
        try:
            # Where the system has no thread to give, fewer take part.
            with suppress(RuntimeError):
                for number in range(1, min(_SIDE_BY_SIDE, len(complete))):
                    name = f"taking-{number}"
                    thread = threading.Thread(target=self._take_each, args=(complete,), name=name, daemon=True)
                    thread.start()
                    others.append(thread)
            self._take_each(complete)
        finally:
            # The next look must not meet what they are at.
            for thread in others:
                thread.join()

    def _take_each(self, complete: deque[_Complete]) -> None:
        while not self._stopping.is_set():
            try:
                one = complete.popleft()
            except IndexError:
                return
            self._busy_since = time.monotonic()
            self._take(one)

    def _walk(self) -> Iterator[Path]:
        """Files and links below the folder; a subfolder that cannot be read is told of once, and left out.

        Raises:
            OSError: the folder itself cannot be read.
        """
        waiting = [self.folder]
        while waiting:
            folder = waiting.pop()
            try:
                for path in _files(folder):
                    try:
                        mode = path.lstat().st_mode
                    except FileNotFoundError:
                        continue
                    if stat.S_ISDIR(mode):
                        waiting.append(path)
                    elif stat.S_ISREG(mode) or stat.S_ISLNK(mode):
                        yield path
                self._unreadable.discard(folder)
            except OSError as error:
                if folder == self.folder:
                    raise
                if not isinstance(error, FileNotFoundError) and folder not in self._unreadable:
                    self._unreadable.add(folder)
                    tell("a folder in the folder for incoming files cannot be read, the others are", error)

    def _reject_lone_sidecars(self, sidecars: dict[Path, Path], names: set[Path]) -> None:
        """A sidecar that no file came for must not be taken for another patient's later file of that name."""
        now = time.monotonic()
        self._bare = {page: since for page, since in self._bare.items() if now - since < _ALONE_SECONDS}
        alone = {page: sidecar for page, sidecar in sidecars.items() if page not in names}
        self._alone = {sidecar: self._alone.get(sidecar, now) for sidecar in alone.values()}
        for page, sidecar in alone.items():
            if self._later.get(sidecar, 0.0) > now:
                continue
            late = (key := str(sidecar if is_hints(sidecar) else page)) in self._bare
            if not late and (now - self._alone[sidecar] < _ALONE_SECONDS or _is_on_the_way(page)):
                continue
            try:
                self._reject([sidecar], _late() if late else _lonely())
                self._bare.pop(key, None)
            except OSError as error:
                self._later[sidecar] = now + _RETRY_SECONDS
                tell("a sidecar without its file cannot be moved now", error)

    def _reject(self, files: list[Path], error: InputError) -> None:
        self._intake.reject([(file, file.relative_to(self.folder).as_posix()) for file in files], error)

    def _recover(self) -> None:
        """Go on with files that have left their place but could not become a job."""
        if self._recover_at is None or self._recover_at > time.monotonic():
            return
        for job in self._intake.recover():
            self._submit(job)
        self._recover_at = time.monotonic() + _RETRY_SECONDS if self._intake.unfinished() else None

    def _is_ready(self, file: Path, *, alone: bool) -> bool:
        now = time.monotonic()
        if self._later.get(file, 0.0) > now:
            return False
        try:
            found = file.lstat()
        except OSError:
            return False
        with self._lock:
            if alone and file.suffix.lower() == _TEXT:
                # Its page or PDF may be on the way.
                self._complete.written(file)
            return self._complete.is_complete(file, found.st_size, found.st_mtime_ns, now)

    def _take(self, one: _Complete) -> None:
        """Make a job of a file and what lies beside it; whatever goes wrong, the others go on."""
        job = None
        try:
            job = self._make_job(one, one.sidecar or _missed_sidecar(one.file))
        except Exception as error:  # noqa: BLE001 - one file must not keep the others out
            self._later[one.file] = self._recover_at = time.monotonic() + _RETRY_SECONDS
            tell(f"a file cannot be taken now, it is tried again in {_RETRY_SECONDS:g} s", error)
            return
        finally:
            with self._lock:
                self._complete.forget(one.file)
            self._hand_on(one.job_id, job)
        if job is None and self._intake.unfinished():
            # The disk kept the folder of a file that was rejected.
            self._recover_at = time.monotonic() + _RETRY_SECONDS

    def _hand_on(self, job_id: str, job: Job | None) -> None:
        """Submit what has come, each after those before it: a MergeJob takes in what follows."""
        with self._handing_on:
            self._taking[job_id] = [job]
            while self._taking and (over := self._taking[first := next(iter(self._taking))]):
                del self._taking[first]
                if over[0] is not None:
                    self._submit(over[0])

    def _make_job(self, one: _Complete, sidecar: Path | None) -> Job | None:
        """A job, or None for what was rejected."""
        file, beside = one.file, one.beside
        if file.is_symlink():
            link = InputError("a link is not followed", remedy="copy the file itself")
            self._reject([file, *beside, *([sidecar] if sidecar else [])], link)
            return None
        title = file.relative_to(self.folder).as_posix()
        if not any(map(is_hints, beside)):
            self._bare |= dict.fromkeys(map(str, hints_of(file)), time.monotonic())
        if sidecar is None:
            job = self._intake.take([file, *beside], Submission(title, source=SOURCE), job_id=one.job_id)
            self._bare[str(file)] = time.monotonic()
            return job
        try:
            if str(file) in self._bare:
                # Whether it belongs to this file or to the one before, nobody can say.
                raise _late()
            submission = read_sidecar(sidecar, title, SOURCE)
        except InputError as error:
            self._reject([file, *beside, sidecar], error)
            self._bare.pop(str(file), None)
            return None
        return self._intake.take([file, *beside], submission, sidecar, job_id=one.job_id)


def _files(folder: Path) -> Iterator[Path]:
    """What is in a folder and meant to become a job."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not is_left_alone(entry.name):
                yield Path(entry.path)


def _is_sidecar(file: Path) -> bool:
    return file.suffix.lower() == _SIDECAR and not is_hints(file)


def _page_of(hints: Path) -> Path:
    """What hints are about, or the beginning of its name."""
    return hints.with_name(hints.name[: -len(HINTS)])


def _missed_sidecar(file: Path) -> Path | None:
    """The listing may be older than the sidecar, which is there before its file."""
    sidecar = file.with_name(file.name + _SIDECAR)
    return sidecar if os.path.lexists(sidecar) else None


def _is_on_the_way(page: Path) -> bool:
    """Whether a file is being written under a temporary name: `x.pdf.part`, `.x.pdf.k3Qz`."""
    with suppress(OSError), os.scandir(page.parent) as entries:
        return any(entry.name.lstrip(".").startswith(page.name) for entry in entries if is_left_alone(entry.name))
    return False


def _late() -> InputError:
    return InputError(
        "the sidecar came after its file was taken", remedy="rename the sidecar in first, and its file after it"
    )


def _lonely() -> InputError:
    return InputError(
        f"the sidecar lay alone for {_ALONE_SECONDS / 60:g} minutes",
        cause="no file of the name before .json came",
        remedy="drop it again together with its file",
    )
