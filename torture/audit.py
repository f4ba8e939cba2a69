"""The books: what was dropped, what the spool holds, what the archives have, what was written down. Do they agree?

Nothing here uses the program's own readers: what a job's folder holds is read as its description says
(docs/architecture.md, A job on disk).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Protocol

from tests.canary import CANARY
from torture.archive import Arrived
from torture.files import SOME_PDF
from torture.scene import Drop

_SPOOL: Final = frozenset(
    {
        "incoming",
        "jobs",
        "rejected",
        "expired",
        "commands",
        "ledger.jsonl",
        "ledger.1.jsonl",
        "destinations.json",
        # Its next content; it is written whenever something happens.
        "destinations.json.new",
        ".lock",
        ".owner",
    }
)
_JOB: Final = frozenset(
    {
        "job.json",
        "steps.jsonl",
        "datasets",
        "payload",
        "arrival.json",
        "sent.jsonl",
        "saved.jsonl",
        "printed.jsonl",
        "history.jsonl",
        "sidecar.json",
        "match.refused",
        "merged",
    }
)
_WAITING: Final = ("suspended", "held", "manual", "expired")
_STATE: Final = re.compile(r"(suspended) until|(held): |(manual): |(expired): |(done)\b|(discarded)\b")
_FAULT: Final = re.compile(r"Traceback|a fault of|internal fault")


class Known(Protocol):
    """What is known of an archive."""

    @property
    def name(self) -> str:
        """As jobs name it: `AET@host:port`."""

    @property
    def is_well(self) -> bool:
        """Whether it listens and takes what comes."""

    def arrived(self) -> list[Arrived]:
        """What came, in order."""


@dataclass(frozen=True)
class Paper:
    """What was written down of one job.

    Args:
        id: of the job.
        has_left: whether it is what was kept of a finished job.
        folder: where it lies.
        job: what job.json says, or the last step after it.
        history: its lines.
        sent: the archives' answers.
        films: what was written down of films.
        into: the job that has taken it in; "" where none has.
    """

    id: str
    has_left: bool
    folder: Path
    job: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    sent: Sequence[Mapping[str, Any]]
    films: Sequence[Mapping[str, Any]] = ()
    into: str = ""

    @classmethod
    def read(cls, folder: Path, *, has_left: bool, into: str = "") -> Paper:
        """From a job's folder, or what was kept of it."""
        try:
            job = json.loads((folder / "job.json").read_text("utf-8"))
        except (OSError, ValueError):
            job = {}
        steps = _lines(folder / "steps.jsonl")
        if steps and steps[-1].get("serial") == job.get("serial", 1):
            job = steps[-1]
        history, sent, films = (_lines(folder / f"{name}.jsonl") for name in ("history", "sent", "printed"))
        return cls(folder.name, has_left, folder, job, history, sent, films, into)

    @property
    def title(self) -> str:
        """The job's name."""
        return str(self.job.get("facts", {}).get("name", ""))


@dataclass(frozen=True)
class Books:
    """Everything at one moment at which nothing moves.

    Args:
        spool: the folder.
        kept: the papers of the jobs that have left.
        temporary: where the service's temporary files are.
        drops: what was dropped.
        archives: by the names that drops use.
        said: the logs.
        clock_is_set: whether times may go back.
    """

    spool: Path
    kept: Path
    temporary: Path
    drops: Sequence[Drop]
    archives: Mapping[str, Known]
    said: str
    clock_is_set: bool = False
    papers: list[Paper] = field(default_factory=list)

    def faults(self) -> list[str]:
        """Everything that does not agree, in words; none when all is well."""
        self.papers[:] = [Paper.read(folder, has_left=True) for folder in _folders(self.kept)]
        # What was kept of a job that is there still was kept too early: it was killed on its way out.
        here = [*_folders(self.spool / "jobs"), *_folders(self.spool / "expired")]
        names = {folder.name for folder in here}
        self.papers[:] = [paper for paper in self.papers if paper.id not in names]
        self.papers.extend(Paper.read(folder, has_left=False) for folder in here)
        self.papers.extend(
            Paper.read(folder, has_left=paper.has_left, into=paper.id)
            for paper in [*self.papers]
            for folder in _folders(paper.folder / "merged")
        )
        found = [fault for drop in self.drops for fault in self._of_drop(drop)]
        for look in (self._of_archives, self._of_ledger, self._of_papers, self._of_leftovers, self._of_log):
            found += look()
        return found

    # A drop is in one place, and where it is it is whole

    def _of_drop(self, drop: Drop) -> Iterator[str]:
        papers = [paper for paper in self.papers if paper.title == drop.title]
        outside = [name for name in drop.files if (self.spool / "incoming" / name).exists()]
        rejected = [file for name in drop.files for file in (self.spool / "rejected").glob(f"*-{name}")]
        places = len(papers) + bool(outside) + bool(rejected)
        if places != 1:
            yield f"{drop.title} is in {places} places"
            return
        if outside:
            yield from (
                f"{name} was changed in incoming/"
                for name in outside
                if (self.spool / "incoming" / name).read_bytes() != drop.files[name]
            )
        elif rejected:
            yield from self._of_rejected(drop, rejected)
        elif papers[0].has_left:
            yield from self._of_finished(drop, papers[0])
        else:
            yield from self._of_waiting(drop, papers[0])

    def _of_rejected(self, drop: Drop, files: Sequence[Path]) -> Iterator[str]:
        if drop.outcome != "rejected":
            yield f"{drop.title} was rejected"
        if sorted(file.read_bytes() for file in files) != sorted(drop.files.values()):
            yield f"{drop.title}: what was rejected is not what was dropped"
        for file in files:
            reason = file.with_name(file.name + ".reason.txt")
            if not reason.exists() or not reason.read_text("utf-8").strip():
                yield f"{file.name} was rejected without a reason"

    def _of_finished(self, drop: Drop, paper: Paper) -> Iterator[str]:
        for name, wanted in drop.wanted.items():
            stored = [one for one in self.archives[name].arrived() if one.is_stored]
            sent = next(one.sent for one in self.papers if one.id == (paper.into or paper.id))
            mine = {line["sop_instance_uid"] for line in sent if line.get("stored")}
            for content in wanted:
                uids = {one.uid for one in stored if one.content == content}
                if content == SOME_PDF:
                    uids = {one.uid for one in stored if one.content.startswith("pdf ") and one.uid in mine}
                if len(uids) != 1:
                    yield f"{drop.title}: {name} has {len(uids)} UIDs for one of its pages"

    def _of_waiting(self, drop: Drop, paper: Paper) -> Iterator[str]:
        if paper.into:
            # It waits as part of another.
            return
        state, reason = paper.job.get("state"), str(paper.job.get("reason") or "")
        if state not in _WAITING:
            yield f"{drop.title} is {state} although nothing moves"
            return
        ill = [archive.name for archive in self.archives.values() if not archive.is_well]
        is_true = (
            state == "expired"
            or (state == "manual" and "waits for an operator" in reason)
            or any(name in reason for name in ill)
        )
        if not is_true:
            yield f"{drop.title} is {state}, and its reason is not true: {reason}"
        if (state == "suspended") != bool(paper.job.get("wake_at")):
            yield f"{drop.title} is {state} until {paper.job.get('wake_at')}"
        told = [match.lastgroup or match[0] for line in paper.history if (match := _STATE.match(line["message"]))]
        if not told or not told[-1].startswith(str(state)):
            yield f"{drop.title} is {state}, and its history ends with {told[-1:]}"
        held = sorted(file.read_bytes() for file in (paper.folder / "payload").iterdir())
        given = sorted(data for name, data in drop.files.items() if not name.endswith(".json"))
        if drop.kind != "text" and held != given:
            yield f"{drop.title}: its payload is not what was dropped"

    # Archives

    def _of_archives(self) -> Iterator[str]:
        known = {content for drop in self.drops for wanted in drop.wanted.values() for content in wanted}
        uids_of = defaultdict(set)
        for name, archive in self.archives.items():
            data_of = defaultdict(set)
            for one in archive.arrived():
                data_of[one.uid].add(one.data)
                uids_of[one.content].add(one.uid)
                if one.content not in known and not (SOME_PDF in known and one.content.startswith("pdf ")):
                    yield f"{name} has {one.uid}, which nobody has dropped"
            yield from (f"{name} has {uid} with {len(data)} contents" for uid, data in data_of.items() if len(data) > 1)
        yield from (f"a page has the UIDs {sorted(uids)}" for uids in uids_of.values() if len(uids) > 1)

    # What was written down

    def _of_ledger(self) -> Iterator[str]:
        lines = defaultdict(list)
        for line in [*_lines(self.spool / "ledger.1.jsonl"), *_lines(self.spool / "ledger.jsonl")]:
            lines[line.get("job")].append(line)
        outcomes = {drop.title: drop.outcome for drop in self.drops}
        for paper in self.papers:
            found = lines.pop(paper.id, [])
            if len(found) != paper.has_left:
                left = "has left" if paper.has_left else "has not left"
                yield f"{paper.title} {left}, and the ledger has {len(found)} lines of it"
            if not (found and paper.has_left):
                continue
            wanted = "merged" if paper.into else outcomes.get(paper.title)
            if found[-1].get("into", "") != paper.into:
                yield f"{paper.title} is part of {paper.into or 'none'}, and the ledger says {found[-1].get('into')}"
            if found[-1]["outcome"] != wanted:
                yield f"the ledger says {found[-1]['outcome']} of {paper.title}, which is to be {wanted}"
            stored = {
                (archive.name, one.uid)
                for archive in self.archives.values()
                for one in archive.arrived()
                if one.is_stored and one.uid in {instance["sop_instance_uid"] for instance in paper.job["instances"]}
            }
            if found[-1]["stored"] != len(stored):
                yield f"{paper.title}: {found[-1]['stored']} are stored, says the ledger; archives have {len(stored)}"
        yield from (f"the ledger has the job {job}, of which there is nothing else" for job in lines)

    def _of_papers(self) -> Iterator[str]:
        has = {
            archive.name: {one.uid for one in archive.arrived() if one.is_stored} for archive in self.archives.values()
        }
        for paper in self.papers:
            told = {
                (line["peer"], line["sop_instance_uid"])
                for line in paper.history
                if " stored by " in line["message"] and "sop_instance_uid" in line
            }
            sent = {(line["peer"], line["sop_instance_uid"]) for line in paper.sent if line.get("stored")}
            yield from (
                f"{paper.title}: {where} says that {peer} has {uid}, which is not true"
                for where, said in (("its history", told), ("sent.jsonl", sent))
                for peer, uid in said
                if uid not in has.get(peer, ())
            )
            mine = {instance["sop_instance_uid"] for instance in paper.job.get("instances", ())}
            there = {(peer, uid) for peer, uids in has.items() for uid in uids & mine}
            if paper.has_left:
                yield from (f"{paper.title}: no line says that {peer} has {uid}" for peer, uid in there - told - sent)
            messages = [line["message"] for line in paper.history]
            if not messages or not messages[0].startswith("accepted from"):
                yield f"{paper.title}: its history does not begin with how it came in: {messages[:1]}"
            end = "done" if paper.has_left and self._outcome(paper) == "done" else "discarded"
            if paper.has_left and not paper.into and not (messages and messages[-1].startswith(end)):
                yield f"{paper.title}: its history ends with {messages[-1:]}"
            times = [datetime.fromisoformat(line["time"]) for line in paper.history]
            if not self.clock_is_set and any(later < earlier for earlier, later in pairwise(times)):
                yield f"{paper.title}: the times of its history go back"

    def _outcome(self, paper: Paper) -> str:
        return next((drop.outcome for drop in self.drops if drop.title == paper.title), "done")

    # Nothing lies about

    def _of_leftovers(self) -> Iterator[str]:
        for path in self.spool.iterdir():
            if path.name not in _SPOOL:
                yield f"spool/{path.name} is nobody's"
        for path in (self.spool / "jobs").iterdir():
            if path.name.startswith("."):
                yield f"jobs/{path.name} was left over"
        for folder in [*_folders(self.spool / "jobs"), *_folders(self.spool / "expired")]:
            yield from (
                f"{folder.name}/{path.name} was left over" for path in folder.iterdir() if path.name not in _JOB
            )
        known = {name for drop in self.drops for name in drop.files}
        for path in (self.spool / "incoming").iterdir():
            if path.name not in known:
                yield f"incoming/{path.name} is nobody's"
        yield from (f"{path.name} is a temporary file" for path in self.temporary.rglob("*") if path.is_file())

    def _of_log(self) -> Iterator[str]:
        yield from (f"a log has {what}" for what in CANARY.values() if what in self.said)
        yield from (f"a log has: {line[:300]}" for line in self.said.splitlines() if _FAULT.search(line))


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[!.]*") if path.is_dir()) if folder.is_dir() else []


def _lines(file: Path) -> list[dict[str, Any]]:
    """Every whole line."""
    found = []
    for line in file.read_bytes().splitlines() if file.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [line for line in found if isinstance(line, dict)]
