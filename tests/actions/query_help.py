"""What the tests of Query share: a Query from XML, a job with values, a network that is the real one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from pydicom.dataset import Dataset

from dicomprinter.actions.base import Tools
from dicomprinter.actions.query.action import Query
from dicomprinter.config.canonical import canonical
from dicomprinter.config.spec import Report
from dicomprinter.config.tree import Node
from dicomprinter.config.xml import parse
from dicomprinter.dicom.network.association import Association
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.engine.outside.messenger import DryMessenger
from dicomprinter.engine.outside.programs import RealPrograms
from dicomprinter.engine.siblings import NoSiblings
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import Facts

NOW = datetime(2026, 3, 15, 10, 30).astimezone()
NOBODY = (
    "<ConnectionParameters><PeerAETitle>RIS</PeerAETitle><Host>127.0.0.1</Host>"
    "<Port>{}</Port><DimseTimeout>5</DimseTimeout></ConnectionParameters>"
)


def checked(xml: str) -> tuple[Node, Report]:
    report = Report()
    return canonical(parse(xml.encode(), Path("config.xml")), Query.spec, report), report


def query(inner: str = "", attributes: str = 'type="Worklist"', port: int = 104) -> Query:
    node, report = checked(f'<Query name="Find" {attributes}>{NOBODY.format(port)}{inner}</Query>')
    assert report.errors == []
    return Query.read(node)


def changes(inner: str = "", attributes: str = "") -> Node:
    (spec,) = Query.overriding()
    report = Report()
    node = canonical(parse(f"<Query {attributes}>{inner}</Query>".encode(), Path("config.xml")), spec, report)
    assert report.errors == []
    return node


def make_job(folder: Path, **values: Any) -> Job:
    facts = Facts("report.pdf", "anna", "ward-3", "folder", NOW, NOW)
    job_id = "20260315T103000-0001"
    job = Job(job_id, facts, JobFolder.create(folder / job_id))
    for keyword, value in values.items():
        setattr(job.dataset, keyword, value)
    return job


@dataclass
class RealNetwork:
    """Opens what is asked for, and keeps who asked."""

    actions: list[str] = field(default_factory=list)

    def open(self, peer: Peer, contexts: Sequence[tuple[str, Sequence[str]]], *, action: str) -> Association:
        self.actions.append(action)
        return Association.open(peer, contexts)


def tools(network: RealNetwork | None = None) -> Tools:
    return Tools(
        lambda: NOW,
        network or RealNetwork(),
        cast("Any", None),
        lambda _: None,
        RealPrograms(),
        outside=Path,
        messenger=DryMessenger(),
        siblings=NoSiblings(),
    )


def messages(job: Job) -> list[str]:
    return [line["message"] for line in job.folder.history()]


def private(job: Job) -> str:
    return " | ".join(line.get("private", "") for line in job.folder.history())


def data(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def entry(**values: Any) -> Dataset:
    """A worklist entry; what begins with `step_` belongs to its step."""
    step = {"Modality": "US", "ScheduledProcedureStepStartDate": "20260314", "ScheduledProcedureStepID": "S1"}
    root = {
        "SpecificCharacterSet": "ISO_IR 192",
        "PatientName": "Doe^Jane",
        "PatientID": "P1",
        "AccessionNumber": "A1",
        "StudyInstanceUID": "1.2.3",
        "RequestedProcedureID": "R1",
        "RequestedProcedureDescription": "Abdomen",
    }
    for keyword, value in values.items():
        (step if keyword.startswith("step_") else root)[keyword.removeprefix("step_")] = value
    given = {keyword: value for keyword, value in root.items() if value is not None}
    return data(**{"ScheduledProcedureStepSequence": [data(**step)], **given})
