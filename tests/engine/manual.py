"""What the tests of Manual share: a workflow that asks twice, a job that waits, a match that is renamed in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom import Dataset

from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.program import Program
from dicomprinter.workflow.interpreter import Held

from .help import new_job, program, tools

CONNECTION = (
    "<ConnectionParameters><PeerAETitle>PACS</PeerAETitle><Host>127.0.0.1</Host><Port>104</Port></ConnectionParameters>"
)
ASK = '<Query name="Ask" type="Manual"/>'
AFTER = '<SetTag name="After"><DcmTag tag="PatientComments">#{PatientID}/#{PatientName}</DcmTag></SetTag>'
KEEP = '<Query name="Keep" type="Manual"/>'


def asks_twice(folder: Path) -> Program:
    """Asks, sets a comment, and asks again: so that a test sees what came of the first answer."""
    workflow = "".join(f'<Perform action="{name}"/>' for name in ("Ask", "After", "Keep"))
    return program(folder, ASK + AFTER + KEEP, workflow)


def runner(spool: Spool, what: Program, network: Any = None) -> Runner:
    return Runner(spool, tools(network=network), lambda: what)


def parked(spool: Spool, what: Program, **tags: str) -> Job:
    job = new_job(spool, **tags)
    outcome = runner(spool, what).run(job)
    assert isinstance(outcome, Held)
    assert outcome.manual
    return job


def data(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def told(job: Job) -> list[str]:
    return [str(line["message"]) for line in JobFolder(job.folder.path).history()]


def drop(job: Job, text: str | bytes, name: str = "match") -> Path:
    """As another program does: renamed in."""
    file = job.folder.path / name
    partial = file.with_name(".partial")
    partial.write_bytes(text.encode() if isinstance(text, str) else text)
    partial.rename(file)
    return file
