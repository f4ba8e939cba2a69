"""A job: everything that is known of it, in one object; its folder keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pydicom import Dataset
from pydicom.valuerep import VR

from dicomprinter.dicom.uids import derive_uid
from dicomprinter.errors import PermanentError
from dicomprinter.job.parts import START, Entry, Flags, Instance, Payload, Position, Sent, State

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from dicomprinter.config.placeholders import Template
    from dicomprinter.job.folder import JobFolder
    from dicomprinter.job.merged import Taken
    from dicomprinter.job.parts import Asked, Facts

_REPRESENTATIONS: Final = frozenset(VR)


@dataclass
class Job:
    """One piece of work on its way through the workflow.

    The engine writes it down after every node. `dataset` is Unicode and holds what Query, SetTag and the like
    gave; `retries` counts each Suspend by its position; `leaving` is the outcome of a job that has only to be entered
    in the ledger and removed. `waits_for` is the destination (`AET@host:port`) whose failure has suspended it. `asks`
    is what a job that is `manual` wants to know, `match` the operator's answer, which the node at its position takes.
    `taken` are the jobs that were merged into this one.
    """

    id: str
    facts: Facts
    folder: JobFolder
    state: State = State.QUEUED
    reason: str | None = None
    position: Position = START
    wake_at: datetime | None = None
    waits_for: str | None = None
    flags: Flags = field(default_factory=Flags)
    payload: Payload = field(default_factory=Payload)
    dataset: Dataset = field(default_factory=Dataset)
    dataset_version: int = 0
    retries: dict[str, int] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    leaving: str | None = None
    asks: Asked | None = None
    match: Dataset | None = None
    taken: list[Taken] = field(default_factory=list)
    at: Position | None = None
    """The node that runs; it is not written down."""

    def note(self, message: str, *, level: str = "INFO", private: str = "", deeper: int = 1, **details: Any) -> None:
        """Write a line of history and one of the log, which itself leaves out what it must not tell.

        Args:
            message: what happened; nothing of the patient.
            level: DEBUG, INFO, SUCCESS, WARN or ERROR.
            private: what may hold patient data; an `errors.Private` says which part of it does.
            deeper: how far below the node that runs the log indents it: 1 is what an action does, 2 each object.
            details: for programs, such as `status`, `peer` and `sop_class_uid`.
        """
        self.folder.note(self.id, message, level=level, private=private, context=self.log_context(deeper), **details)

    def log_context(self, deeper: int = 1) -> dict[str, object]:
        """What a log record's `extra` says of the job and of the node that runs; `deeper` as in `note`."""
        if self.at is None:
            return {"job": self.id}
        kind, _, action = self.at.node.partition(" ")
        found: dict[str, object] = {"job": self.id, "depth": self.at.depth + deeper, "node": self.at.path}
        return {**found, "action": action} if kind == "Perform" else found

    @property
    def study_instance_uid(self) -> str:
        """The study of the dataset, else the job's own, the same each time."""
        return str(self.dataset.get("StudyInstanceUID") or "") or derive_uid(self.id, "study")

    # Sent objects

    def sent(self) -> list[Sent]:
        """Every answer that archives have given, in order."""
        return self.folder.read_sent()

    @property
    def has_left(self) -> bool:
        """Whether anything of it is outside: stored, saved or printed."""
        folder = self.folder
        is_printed = any(film.printed for film in folder.read_films())
        return is_printed or folder.has_saved() or any(sent.stored for sent in self.sent())

    # Jobs that were merged into this one

    def take(self, taken: Taken) -> None:
        """Have another job's files beside its own, and as if they had been there from the beginning.

        So they stay when the job goes back to an earlier node.
        """
        self.taken = [*self.taken, taken]
        self.payload += taken.payload
        self.entries = [replace(entry, payload=entry.payload + taken.payload) for entry in self.entries]
        self.facts = replace(self.facts, size=self.facts.size + taken.size)

    # Entry states

    def enter(self, position: Position) -> None:
        """Keep the state in which a Perform is first entered. The job must have been written down as it is."""
        if not any(entry.position == position for entry in self.entries):
            self.entries.append(Entry(position, self.dataset_version, self.flags, self.payload))

    def put_back(self, position: Position) -> bool:
        """Go back to the state in which a Perform was first entered; False when it never was.

        What was entered later is forgotten: it will run as if for the first time.
        """
        index = self._entry_index(position)
        if index is None:
            return False
        entry = self.entries[index]
        self.dataset = self.folder.read_dataset(entry.dataset)
        self.dataset_version = entry.dataset
        self.flags, self.payload = entry.flags, entry.payload
        self.entries = [*self.entries[:index], replace(entry, position=position)]
        return True

    def start_again(self) -> None:
        """Go back to how the job came in."""
        if self.entries:
            self.put_back(self.entries[0].position)
            self.entries = []

    def _entry_index(self, position: Position) -> int | None:
        exact = [i for i, entry in enumerate(self.entries) if entry.position == position]
        # After a change of the file the same action may stand elsewhere.
        same_node = [i for i, entry in enumerate(self.entries) if entry.position.node == position.node]
        return next(iter(exact or same_node), None)

    # Placeholders (the protocol of dicomprinter.config.placeholders.Source)

    def expand(self, template: Template, place: str) -> str:
        """Fill in a value; a tag that the job lacks is nothing, and the history says so."""
        text, missing = template.expand(self, place)
        for placeholder in missing:
            self.note(f"{place}: the job has no value for {placeholder}; it is left empty", level="WARN")
        return text

    def moment(self) -> datetime:
        """The job's now."""
        return self.facts.created

    def fact(self, name: str) -> str:
        """A fact by its placeholder's name."""
        if name in ("InputFile", "OutputFile"):
            raise PermanentError(f"#{{{name}}} has a value only in a Run")
        facts = self.facts
        known = {"Name": facts.name, "User": facts.user, "Host": facts.host, "Id": self.id, "Source": facts.source}
        return known[name.removeprefix("Job.")]

    def tag_text(self, tag: int) -> str | None:
        """A tag's value as text, several joined by a backslash; None when the job lacks the tag."""
        return text_of(self.dataset, tag)

    def fresh_uid(self, place: str) -> str:
        """A UID of the job's own, one for each place in the configuration."""
        return derive_uid(self.id, "placeholder", place)

    # What job.json holds

    def to_json(self) -> dict[str, Any]:
        """Everything but the dataset, the history and the answers, which have files of their own.

        Entry states mostly have the same payload: `payloads` holds each once, by number.
        """
        payloads = list(dict.fromkeys([self.payload, *(entry.payload for entry in self.entries)]))
        return {
            "version": 1,
            "id": self.id,
            "state": self.state.value,
            "reason": self.reason,
            "position": self.position.__dict__,
            "wake_at": self.wake_at.isoformat() if self.wake_at else None,
            "waits_for": self.waits_for,
            "facts": self.facts.to_json(),
            "flags": self.flags.to_json(),
            "payloads": [payload.to_json() for payload in payloads],
            "payload": payloads.index(self.payload),
            "dataset": self.dataset_version,
            "retries": self.retries,
            "leaving": self.leaving,
            "asks": self.asks.to_json() if self.asks else None,
            "match": self.match.to_json_dict() if self.match is not None else None,
            "merged": [taken.to_json() for taken in self.taken],
            "instances": [instance.__dict__ for instance in self.instances.values()],
            "entries": [
                {
                    "position": entry.position.__dict__,
                    "dataset": entry.dataset,
                    "flags": entry.flags.to_json(),
                    "payload": payloads.index(entry.payload),
                }
                for entry in self.entries
            ],
        }

    def path(self, name: str) -> Path:
        """A payload file's place on the disk."""
        return self.folder.path / name


def text_of(dataset: Dataset, tag: int) -> str | None:
    """A tag's value as text, several joined by a backslash; None for a sequence, and where the tag is not there."""
    element = dataset.get(tag)
    if element is None or element.VR == "SQ":
        return None
    if element.value is None:
        return ""
    values = element.value if element.VM > 1 else [element.value]
    return "\\".join(str(value) for value in values)


def read_dataset(content: str | dict[str, Any]) -> Dataset:
    """A dataset that has been kept as DICOM JSON (PS3.18 Annex F).

    Raises:
        one of `record.DAMAGE`: it is torn, a value representation is none, or it could not be kept again.
    """
    dataset = Dataset.from_json(content)
    _check_representations(dataset)
    dataset.to_json_dict()
    return dataset


def _check_representations(dataset: Dataset) -> None:
    """For pydicom takes any, even NaN, and fails when the element is written or compared."""
    for element in dataset:
        if element.VR not in _REPRESENTATIONS:
            raise ValueError("vr")
        for item in element.value if element.VR == VR.SQ else ():
            _check_representations(item)


def dataset_text(dataset: Dataset) -> str:
    """A dataset as DICOM JSON (PS3.18 Annex F), one line, the same for the same content."""
    return json.dumps(dataset.to_json_dict(), separators=(",", ":"), sort_keys=True)
