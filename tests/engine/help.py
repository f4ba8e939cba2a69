"""A spool, a program and an action whose effects a test can see."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import ClassVar

from dicomprinter.actions import registry
from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, Tools, common
from dicomprinter.config.kinds import TEXT, integer
from dicomprinter.config.spec import Attribute, Spec
from dicomprinter.engine.outside.messenger import DryMessenger
from dicomprinter.engine.outside.programs import RealPrograms
from dicomprinter.engine.siblings import NoSiblings
from dicomprinter.engine.spool import Spool
from dicomprinter.errors import OperatorNeeded, PermanentError, TransientError
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import Facts, PageRef, Payload
from dicomprinter.program import Program, load

ERRORS = {"transient": TransientError, "permanent": PermanentError, "operator": OperatorNeeded}


@dataclass(frozen=True)
class Mark(Action):
    """A site's own action: writes its name behind PatientComments.

    With `fails` it fails `times` times, where `on` is given only when the comments end so.
    """

    spec = Spec(
        "Mark",
        attributes=(
            NAME_ATTRIBUTE,
            ON_ERROR_ATTRIBUTE,
            Attribute("fails", TEXT, default=""),
            Attribute("on", TEXT, default=""),
            Attribute("times", integer(1), default=1),
        ),
    )
    trace: ClassVar[list[str]] = []
    failures: ClassVar[dict[str, int]] = {}

    fails: str
    on: str
    times: int

    @classmethod
    def read(cls, node):
        return cls(*common(node), node["fails"], node["on"], node["times"])

    def perform(self, job: Job, tools: Tools) -> None:
        Mark.trace.append(self.name)
        before = str(job.dataset.get("PatientComments") or "")
        job.dataset.PatientComments = before + self.name
        failed = Mark.failures.get(self.name, 0)
        if self.fails and failed < self.times and before.endswith(self.on):
            Mark.failures[self.name] = failed + 1
            if self.fails == "disk":
                raise PermissionError(13, "Permission denied")
            raise ERRORS[self.fails](f"{self.name} fails", private="Muster^Erika")


def with_marks(monkeypatch) -> None:
    """Install the action as a site would, by the entry point."""
    mark = EntryPoint("Mark", "tests_mark:Mark", registry.GROUP)
    monkeypatch.setattr(EntryPoint, "load", _load(EntryPoint.load))
    monkeypatch.setattr(registry, "entry_points", lambda group: [*entry_points(group=group), mark])
    Mark.trace.clear()
    Mark.failures.clear()


def _load(original):
    return lambda self: Mark if self.value == "tests_mark:Mark" else original(self)


def program(folder: Path, actions: str, workflow: str, general: str = "") -> Program:
    file = folder / "config.xml"
    file.write_text(
        f"<DicomPrinter><General><SuspensionTime>0</SuspensionTime>{general}</General>"
        f"<Actions>{actions}</Actions><Workflow>{workflow}</Workflow></DicomPrinter>",
        encoding="utf-8",
    )
    return load(file, environment={})


def new_job(spool: Spool, *, payload: Payload | None = None, accepted: datetime | None = None, **tags: str) -> Job:
    """A job in the spool, as the intake leaves it."""
    now = datetime.now().astimezone()
    job_id = spool.new_id()
    facts = Facts("page.png", "ward", "ecg-cart", "test", now, accepted or now)
    job = Job(job_id, facts, JobFolder.create(spool.jobs / job_id))
    job.folder.write_arrival(facts, [], {})
    job.payload = payload or Payload(pages=(PageRef("payload/0001.png"),))
    job.folder.complete_arrival(job.payload)
    for keyword, value in tags.items():
        setattr(job.dataset, keyword, value)
    job.folder.save(job, secure=True)
    return job


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = field(default_factory=lambda: datetime.now().astimezone())
    passed: float = 0.0

    def __call__(self) -> datetime:
        return self.now

    def steady(self) -> float:
        """Seconds that have really passed."""
        return self.passed

    def forward(self, **amount: float) -> None:
        """Time passes."""
        self.now += timedelta(**amount)
        self.passed += timedelta(**amount).total_seconds()

    def jump(self, **amount: float) -> None:
        """Somebody sets the clock."""
        self.now += timedelta(**amount)


class NoNetwork:
    """Nothing may be called."""

    def open(self, peer, contexts, *, action):
        raise AssertionError(f"{action} calls {peer}")


def tools(clock=None, network=None, decoder=None) -> Tools:
    return Tools(
        clock or (lambda: datetime.now().astimezone()),
        network or NoNetwork(),
        decoder,
        lambda job: job.folder.save(job, secure=True),
        RealPrograms(),
        outside=Path,
        messenger=DryMessenger(),
        siblings=NoSiblings(),
    )
