"""A job's folder: the only code that knows its layout.

job.json          where the job stood when it last rested, or when something outside was to see an effect; replaced as a
                  whole, never changed in place
steps.jsonl       what job.json would hold after each node since then, a line each
datasets/N.json   the job's dataset after its Nth change (DICOM JSON model); job.json and its entry states name them
payload/          pages, PDFs, texts, DICOM files; never changed
sent.jsonl        archives' answers, a line each, added as they come
saved.jsonl       the files that a Save writes outside the spool, a line each, before and after (job/saved.py)
printed.jsonl     films, before and after a printer was told to print them, a line each
history.jsonl     what happened, a line each
merged/           the folders of jobs that were merged into this one, by their ids (job/merged.py)
work/             objects being built and sent; may go at any time
orientation.json  which way up pages are, as it came in beside the file
command.json      an operator's command, renamed in, taken away when it is answered
match, match.json what an operator says the job is (job/match.py)
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydicom import Dataset

from dicomprinter.job import lines, merged
from dicomprinter.job.disk import give_to_owner, sync_file, sync_folder, write_whole
from dicomprinter.job.job import Job, dataset_text, read_dataset
from dicomprinter.job.parts import (
    Asked,
    Entry,
    Facts,
    Flags,
    Instance,
    Payload,
    Position,
    Sent,
    State,
)
from dicomprinter.job.printed import Film, add_film, read_films
from dicomprinter.job.record import (
    ARRIVAL_FILE,
    DAMAGE,
    JOB_FILE,
    STEPS_FILE,
    check_record,
    dataset_file,
    read_arrival,
    read_record,
    telling_damage,
)
from dicomprinter.job.saved import SAVED_FILE, Saved, read_saved
from dicomprinter.job.values import made, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_SENT = "sent.jsonl"
_HISTORY = "history.jsonl"
COMMAND_FILE = "command.json"
HINTS_FILE = "orientation.json"
_LOG = logging.getLogger("dicomprinter.job")
_LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "SUCCESS": 25, "WARN": logging.WARNING, "ERROR": logging.ERROR}


@dataclass
class JobFolder:
    """A folder and what was last written into it."""

    path: Path
    _dataset: str = field(default="", repr=False)
    _highest: int = field(default=0, repr=False)
    _serial: int = field(default=0, repr=False)
    """Which job.json it is, from 1; the lines of steps.jsonl name the one that they follow."""
    _unsynced: set[str] = field(default_factory=lambda: {_SENT, SAVED_FILE, _HISTORY}, repr=False)
    """Files of lines that may not be on the disk yet."""

    @classmethod
    def create(cls, path: Path) -> JobFolder:
        """Make an empty job folder, open to its owner alone."""
        path.mkdir(mode=0o700, parents=True)
        for name in ("datasets", "payload"):
            (path / name).mkdir(mode=0o700)
        return cls(path)

    def make_missing(self) -> None:
        """Make the folders in it that somebody has taken away."""
        for name in ("datasets", "payload"):
            (self.path / name).mkdir(mode=0o700, exist_ok=True)

    # Arriving

    def write_arrival(self, facts: Facts, files: list[dict[str, Any]], tags: dict[str, str]) -> None:
        """Write down what comes in before the first file is moved, so that a crash can be rolled forward."""
        data = {"facts": facts.to_json(), "files": files, "tags": tags}
        write_whole(self.path / ARRIVAL_FILE, json.dumps(data, indent=1), secure=True)
        sync_folder(self.path)

    def arrival(self) -> dict[str, Any]:
        """What `write_arrival` wrote; raises OSError or ValueError."""
        return read_arrival(self.path)

    def read_arrival(self) -> tuple[Facts, Payload]:
        """The facts and the payload as they arrived."""
        data = self.arrival()
        return Facts.from_json(data["facts"]), Payload.from_json(data["payload"])

    def complete_arrival(self, payload: Payload) -> None:
        """Add what the files turned out to be."""
        data = {**self.arrival(), "payload": payload.to_json()}
        write_whole(self.path / ARRIVAL_FILE, json.dumps(data, indent=1), secure=True)

    def first_dataset(self) -> Dataset:
        """The dataset with which the job arrived; empty when it cannot be read."""
        with suppress(OSError, *DAMAGE):
            return self.read_dataset(1)
        return Dataset()

    # Writing

    def save(self, job: Job, *, secure: bool = False) -> None:
        """Write the job down as it stands, whole or not at all; `secure`: it also survives a loss of power.

        To replace job.json costs a hundred times what a line costs, so between two secure ones there are lines.
        """
        text = dataset_text(job.dataset)
        if text != self._dataset or job.dataset_version == 0:
            self._highest += 1
            job.dataset_version = self._highest
            _write_new(dataset_file(self.path, self._highest), text)
            self._dataset = text
        if secure or self._serial == 0:
            self._replace(job, secure=secure)
        else:
            # That the job went on must not outlive what archives have confirmed, and what was saved.
            self._sync_lines(_SENT, SAVED_FILE)
            lines.append(self.path / STEPS_FILE, {**job.to_json(), "serial": self._serial})

    def _replace(self, job: Job, *, secure: bool) -> None:
        if secure:
            # Entry states name datasets that an ordinary save has written.
            for version in {job.dataset_version, *(entry.dataset for entry in job.entries)}:
                sync_file(dataset_file(self.path, version))
            # Before what names it.
            sync_folder(self.path / "datasets")
            self._sync_lines(_SENT, SAVED_FILE, _HISTORY)
        write_whole(self.path / JOB_FILE, json.dumps({**job.to_json(), "serial": self._serial + 1}), secure=secure)
        self._serial += 1
        if secure:
            sync_folder(self.path)
        # They follow the one before; left by a crash, nobody heeds them.
        (self.path / STEPS_FILE).unlink(missing_ok=True)

    def _sync_lines(self, *names: str) -> None:
        """Bring these files of lines to the disk, if something was added."""
        for name in self._unsynced.intersection(names):
            with suppress(FileNotFoundError):
                sync_file(self.path / name)
            self._unsynced.discard(name)

    def secure_payload(self) -> None:
        """Bring the payload to the disk before anyone is told that it is accepted."""
        for file in (self.path / "payload").iterdir():
            sync_file(file)
        sync_folder(self.path / "payload")

    def add_payload(self, name: str, data: bytes | memoryview) -> str:
        """Add a file to the payload, whole and on the disk; one of this name is replaced. `secure_payload` follows.

        Returns:
            what a payload names it by.
        """
        file = self.path / "payload" / name
        # A crash leaves no more than this, which the next attempt replaces.
        temporary = file.with_name(name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            give_to_owner(descriptor, file.parent)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
        return f"payload/{name}"

    def note(
        self,
        job_id: str,
        message: str,
        *,
        level: str,
        private: str,
        context: Mapping[str, object] | None = None,
        **details: Any,
    ) -> None:
        """Add a line of history; the log gets the same, with its `context`, and decides itself what it may show."""
        line = {
            "time": datetime.now().astimezone().isoformat(timespec="milliseconds"),
            "level": level,
            "message": message,
        }
        if private:
            line["private"] = private
        self._unsynced.add(_HISTORY)
        lines.append(self.path / _HISTORY, {**line, **details})
        told = {"job": job_id, **(context or {}), "private": private, "details": details}
        _LOG.log(_LEVELS[level], "%s", message, extra=told)

    def add_sent(self, sent: Sent) -> None:
        """Write down an archive's answer before the next object goes out, or that one is about to go out."""
        self._unsynced.add(_SENT)
        lines.append(self.path / _SENT, sent.__dict__)

    def add_saved(self, saved: Saved) -> None:
        """Write down that a file is about to get its name outside the spool, which survives a loss of power, or has."""
        if saved.done:
            self._unsynced.add(SAVED_FILE)
            lines.append(self.path / SAVED_FILE, saved.__dict__)
        else:
            lines.append_for_good(self.path / SAVED_FILE, saved.__dict__)

    def read_saved(self) -> list[Saved]:
        """Every file that a Save has written, or was about to write."""
        return list(read_saved(self.path))

    def has_saved(self) -> bool:
        """Whether a Save has written anything."""
        return any(saved.done for saved in read_saved(self.path))

    def add_film(self, film: Film) -> None:
        """Write down that a film is about to be printed, or a printer's answer: it is on the disk when this returns."""
        add_film(self.path, film)

    def read_films(self) -> list[Film]:
        """Every film that was written down, in order; those about to be printed have no status."""
        return read_films(self.path)

    def remove(self, sweep: Callable[[Path], object] | None = None) -> None:
        """Take the folder away: its name goes at once, its files after that, by `sweep` if there is one."""
        gone = self.path.with_name(f".gone-{self.path.name}")
        with suppress(FileNotFoundError):
            self.path.rename(gone)
            if sweep is None:
                shutil.rmtree(gone, ignore_errors=True)
            else:
                sweep(gone)

    # Reading

    def load(self) -> Job:
        """Read the job as it was last written down.

        Raises:
            DamagedJobError: its files are torn or gone.
            SpoolError: another version wrote it, or the folder is a copy of another job's.
            OSError: its files cannot be read now.
        """
        with telling_damage(self.path):
            data, step = read_record(self.path)
            self._serial = data.get("serial", 1)
            if step is not None:
                # After a loss of power a step's dataset may be gone, and job.json counts.
                with suppress(FileNotFoundError, *DAMAGE):
                    return self._whole(step)
            return self._whole(data)

    def _whole(self, data: dict[str, Any]) -> Job:
        job = self._from_json(data)
        merged.absorb(job)
        return job

    def _from_json(self, data: dict[str, Any]) -> Job:
        check_record(data, self.path)
        versions = [int(file.stem) for file in (self.path / "datasets").iterdir()]
        self._highest = max(versions, default=0)
        if not {data["dataset"], *(entry["dataset"] for entry in data["entries"])} <= {*versions}:
            raise LookupError("a dataset is gone")
        dataset = self.read_dataset(data["dataset"])
        payloads = [Payload.from_json(payload) for payload in data["payloads"]]
        return Job(
            id=data["id"],
            facts=Facts.from_json(data["facts"]),
            folder=self,
            state=State(data["state"]),
            reason=data["reason"],
            position=made(Position, data["position"]),
            wake_at=moment(data["wake_at"]) if data["wake_at"] else None,
            waits_for=data.get("waits_for"),
            flags=Flags.from_json(data["flags"]),
            payload=payloads[data["payload"]],
            dataset=dataset,
            dataset_version=data["dataset"],
            retries={str(key): int(count) for key, count in data["retries"].items()},
            leaving=data["leaving"],
            asks=Asked.from_json(data["asks"]) if data.get("asks") else None,
            match=read_dataset(data["match"]) if data.get("match") is not None else None,
            taken=[merged.Taken.from_json(taken) for taken in data.get("merged", ())],
            instances={instance["key"]: made(Instance, instance) for instance in data["instances"]},
            entries=[
                Entry(
                    made(Position, entry["position"]),
                    entry["dataset"],
                    Flags.from_json(entry["flags"]),
                    payloads[entry["payload"]],
                )
                for entry in data["entries"]
            ],
        )

    def read_dataset(self, version: int) -> Dataset:
        """The job's dataset after its Nth change."""
        text = (dataset_file(self.path, version)).read_text(encoding="utf-8")
        dataset = read_dataset(text)
        self._dataset = text
        return dataset

    def read_hints(self, most: int) -> bytes | None:
        """`orientation.json` as it came in, at most so many bytes and one; None when none came.

        Raises:
            OSError: it cannot be read now.
        """
        with suppress(FileNotFoundError), (self.path / HINTS_FILE).open("rb") as stream:
            return stream.read(most + 1)
        return None

    def read_sent(self) -> list[Sent]:
        """Every answer that was written down."""
        return [sent for sent in self._sent() if sent.status is not None]

    def read_attempts(self) -> list[Sent]:
        """Every object of which a byte may have gone out before an answer came."""
        return [sent for sent in self._sent() if sent.status is None]

    def _sent(self) -> Iterator[Sent]:
        for line in lines.read(self.path / _SENT):
            with suppress(TypeError):
                yield made(Sent, line)

    def history(self) -> list[dict[str, Any]]:
        """The history's lines."""
        return list(lines.read(self.path / _HISTORY))

    @contextmanager
    def work(self) -> Iterator[Path]:
        """A place for objects being built; what is left there goes with the block."""
        work = self.path / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)

    # Operators' commands

    def write_command(self, command: dict[str, Any]) -> None:
        """Rename a command into the folder."""
        write_whole(self.path / COMMAND_FILE, json.dumps(command), secure=False)

    def has_command(self) -> bool:
        """Whether a command waits."""
        return (self.path / COMMAND_FILE).exists()

    def read_command(self) -> dict[str, Any] | None:
        """The command that waits; None when there is none. One that is no command is empty.

        Raises:
            OSError: it cannot be read now.
        """
        try:
            command = lines.parsed((self.path / COMMAND_FILE).read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            command = {}
        return command

    def clear_command(self) -> None:
        """Take the command away once it has been carried out: a crash before that repeats it."""
        (self.path / COMMAND_FILE).unlink(missing_ok=True)


def _write_new(file: Path, text: str) -> None:
    """Write a file that nothing names yet: it need not be whole until something does."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        give_to_owner(descriptor, file.parent)
        data = text.encode("utf-8")
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)
