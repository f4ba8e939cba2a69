"""A job's folder: the only code that knows its layout.

job.json          where the job stands; replaced as a whole, never changed in place
datasets/N.json   the job's dataset after its Nth change (DICOM JSON model); job.json and its entry states name them
payload/          pages, PDFs, texts, DICOM files; never changed
sent.jsonl        archives' answers, a line each, added as they come
history.jsonl     what happened, a line each
work/             objects being built and sent; may go at any time
command.json      an operator's command, renamed in, taken away when it is answered
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydicom import Dataset

from dicomprinter.errors import DicomPrinterError, SpoolError
from dicomprinter.job import lines
from dicomprinter.job.job import Job, dataset_text
from dicomprinter.job.parts import Entry, Facts, Flags, Instance, Payload, Position, Sent, State

if TYPE_CHECKING:
    from pathlib import Path

JOB_FILE = "job.json"
_VERSION = 1
ARRIVAL_FILE = "arrival.json"
COMMAND_FILE = "command.json"
_LOG = logging.getLogger("dicomprinter.job")
_LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "SUCCESS": 25, "WARN": logging.WARNING, "ERROR": logging.ERROR}


class DamagedJobError(DicomPrinterError):
    """A job folder whose job.json cannot be read: torn by a loss of power, or edited by hand."""


@dataclass
class JobFolder:
    """A folder and what was last written into it."""

    path: Path
    _dataset: str = field(default="", repr=False)
    _highest: int = field(default=0, repr=False)

    @classmethod
    def create(cls, path: Path) -> JobFolder:
        """Make an empty job folder, open to its owner alone."""
        path.mkdir(mode=0o700, parents=True)
        for name in ("datasets", "payload"):
            (path / name).mkdir(mode=0o700)
        return cls(path)

    # Arriving

    def write_arrival(self, facts: Facts, files: list[dict[str, Any]], tags: dict[str, str]) -> None:
        """Write down what comes in before the first file is moved, so that a crash can be rolled forward."""
        data = {"facts": facts.to_json(), "files": files, "tags": tags}
        _write(self.path / ARRIVAL_FILE, json.dumps(data, indent=1), secure=True)
        sync_folder(self.path)

    def arrival(self) -> dict[str, Any]:
        """What `write_arrival` wrote; raises OSError or ValueError."""
        data = json.loads((self.path / ARRIVAL_FILE).read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise ValueError("not an object")
        return data

    def read_arrival(self) -> tuple[Facts, Payload]:
        """The facts and the payload as they arrived."""
        data = self.arrival()
        return Facts.from_json(data["facts"]), Payload.from_json(data["payload"])

    def complete_arrival(self, payload: Payload) -> None:
        """Add what the files turned out to be."""
        data = {**self.arrival(), "payload": payload.to_json()}
        _write(self.path / ARRIVAL_FILE, json.dumps(data, indent=1), secure=True)

    def first_dataset(self) -> Dataset:
        """The dataset with which the job arrived; empty when it cannot be read."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return self.read_dataset(1)
        return Dataset()

    # Writing

    def save(self, job: Job, *, secure: bool = False) -> None:
        """Write the job down by one atomic replace; `secure`: it also survives a loss of power."""
        text = dataset_text(job.dataset)
        if text != self._dataset or job.dataset_version == 0:
            self._highest += 1
            job.dataset_version = self._highest
            _write(self.path / "datasets" / f"{self._highest}.json", text, secure=False)
            self._dataset = text
        if secure:
            # Entry states name datasets that an ordinary save has written.
            for version in {job.dataset_version, *(entry.dataset for entry in job.entries)}:
                _sync_file(self.path / "datasets" / f"{version}.json")
        _write(self.path / JOB_FILE, json.dumps(job.to_json(), indent=1), secure=secure)
        if secure:
            sync_folder(self.path / "datasets")
            sync_folder(self.path)

    def secure_payload(self) -> None:
        """Bring the payload to the disk before anyone is told that it is accepted."""
        for file in (self.path / "payload").iterdir():
            _sync_file(file)
        sync_folder(self.path / "payload")

    def note(self, job_id: str, message: str, *, level: str, private: str, **details: Any) -> None:
        """Add a line of history; the log gets the message alone."""
        line = {
            "time": datetime.now().astimezone().isoformat(timespec="milliseconds"),
            "level": level,
            "message": message,
        }
        if private:
            line["private"] = private
        lines.append(self.path / "history.jsonl", {**line, **details})
        _LOG.log(_LEVELS[level], "%s", message, extra={"job": job_id})

    def add_sent(self, sent: Sent) -> None:
        """Write down an archive's answer before the next object goes out."""
        lines.append(self.path / "sent.jsonl", sent.__dict__)

    def remove(self) -> None:
        """Take the folder away; it vanishes under its name at once, its files after that."""
        gone = self.path.with_name(f".gone-{self.path.name}")
        with suppress(FileNotFoundError):
            self.path.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    # Reading

    def load(self) -> Job:
        """Read the job as it was last written down.

        Raises:
            DamagedJobError: its files are torn or gone.
            SpoolError: another version wrote it, or the folder is a copy of another job's.
            OSError: its files cannot be read now.
        """
        try:
            data = json.loads((self.path / JOB_FILE).read_text(encoding="utf-8"))
            job = self._from_json(data)
        except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise DamagedJobError(
                f"the job folder {self.path.name} cannot be read",
                cause=f"{JOB_FILE} or its dataset is damaged ({type(error).__name__})",
                remedy="look at its history.jsonl and payload, then resume or discard it",
            ) from error
        return job

    def _from_json(self, data: dict[str, Any]) -> Job:
        if data["version"] != _VERSION:
            raise SpoolError(
                f"the job {self.path.name} was written by another version of this program",
                remedy="run that version, or discard the job's folder by hand",
            )
        if data["id"] != self.path.name:
            raise SpoolError(
                f"the folder {self.path.name} is a copy of the job {data['id']}",
                remedy="take the copy out of the spool",
            )
        versions = [int(file.stem) for file in (self.path / "datasets").glob("*.json")]
        self._highest = max(versions, default=0)
        dataset = self.read_dataset(data["dataset"])
        self._dataset = dataset_text(dataset)
        payloads = [Payload.from_json(payload) for payload in data["payloads"]]
        return Job(
            id=data["id"],
            facts=Facts.from_json(data["facts"]),
            folder=self,
            state=State(data["state"]),
            reason=data["reason"],
            position=Position(**data["position"]),
            wake_at=datetime.fromisoformat(data["wake_at"]) if data["wake_at"] else None,
            flags=Flags.from_json(data["flags"]),
            payload=payloads[data["payload"]],
            dataset=dataset,
            dataset_version=data["dataset"],
            retries={str(key): int(count) for key, count in data["retries"].items()},
            leaving=data["leaving"],
            instances={instance["key"]: Instance(**instance) for instance in data["instances"]},
            entries=[
                Entry(
                    Position(**entry["position"]),
                    entry["dataset"],
                    Flags.from_json(entry["flags"]),
                    payloads[entry["payload"]],
                )
                for entry in data["entries"]
            ],
        )

    def read_dataset(self, version: int) -> Dataset:
        """The job's dataset after its Nth change."""
        text = (self.path / "datasets" / f"{version}.json").read_text(encoding="utf-8")
        dataset = Dataset.from_json(text)
        self._dataset = text
        return dataset

    def read_sent(self) -> list[Sent]:
        """Every answer that was written down."""
        answers = []
        for line in lines.read(self.path / "sent.jsonl"):
            with suppress(TypeError):
                answers.append(Sent(**line))
        return answers

    def history(self) -> list[dict[str, Any]]:
        """The history's lines."""
        return list(lines.read(self.path / "history.jsonl"))

    def work(self) -> Path:
        """A place for objects being built, emptied."""
        work = self.path / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        return work

    # Operators' commands

    def write_command(self, command: dict[str, Any]) -> None:
        """Rename a command into the folder."""
        _write(self.path / COMMAND_FILE, json.dumps(command), secure=False)

    def has_command(self) -> bool:
        """Whether a command waits."""
        return (self.path / COMMAND_FILE).exists()

    def read_command(self) -> dict[str, Any] | None:
        """The command that waits; None when there is none. One that is no command is empty.

        Raises:
            OSError: it cannot be read now.
        """
        try:
            command = json.loads((self.path / COMMAND_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            command = {}
        return command if isinstance(command, dict) else {}

    def clear_command(self) -> None:
        """Take the command away once it has been carried out: a crash before that repeats it."""
        (self.path / COMMAND_FILE).unlink(missing_ok=True)


def _write(file: Path, text: str, *, secure: bool) -> None:
    temporary = file.with_name(file.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        lines.give_to_owner(descriptor, file.parent)
        stream.write(text)
        if secure:
            stream.flush()
            os.fsync(stream.fileno())
    temporary.replace(file)


def _sync_file(file: Path) -> None:
    # Windows syncs only what is open for writing; elsewhere a file that is read-only can be synced all the same.
    descriptor = os.open(file, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder last; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    _sync_file(folder)
