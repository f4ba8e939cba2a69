"""The demonstration: a report and a scanned page go through the seed's example to archives inside this process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dicomprinter.demo.listener import LOOPBACK
from dicomprinter.demo.pacs import EmbeddedPacs, StoredInstance
from dicomprinter.demo.pages import Patient, report_pdf, scanned_page
from dicomprinter.demo.worklist import EmbeddedWorklist, worklist_entry
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import tools
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import COMMAND_LINE, Intake
from dicomprinter.intake.submission import Submission
from dicomprinter.program import load, with_endpoints
from dicomprinter.workflow.interpreter import Done

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

    from dicomprinter.job.job import Job
    from dicomprinter.program import Program

SEED: Final = "seed.xml"


@dataclass(frozen=True)
class Finished:
    """What became of one file.

    Args:
        asked: the keys of its query that had a value, by keyword.
        found: what the worklist's answer gave, by keyword.
    """

    file: Path
    is_done: bool
    reason: str | None
    asked: dict[str, str]
    found: dict[str, str]


@dataclass(frozen=True)
class Demonstration:
    """What was asked, found and stored."""

    jobs: tuple[Finished, ...]
    primary: tuple[StoredInstance, ...]
    backup: tuple[StoredInstance, ...]

    @property
    def succeeded(self) -> bool:
        """Whether every file is in both archives."""
        expected = len(self.jobs)
        return all(job.is_done for job in self.jobs) and len(self.primary) == len(self.backup) == expected


def configuration() -> Path:
    """The seed's example: inside the installed package, or in `examples/` of a checkout."""
    shipped = Path(__file__).with_name(SEED)
    return shipped if shipped.is_file() else Path(__file__).parents[2] / "examples" / SEED


def demonstrate(folder: Path) -> Demonstration:
    """Run it; everything that it makes lies in `folder`, the objects in its `primary` and `backup`.

    Raises:
        ConfigError: the seed's example does not load.
        SpoolError: the folder cannot be written.
    """
    patient, now = Patient(), datetime.now().astimezone()
    files = (folder / "report.pdf", folder / "scan.png")
    report_pdf(files[0], patient)
    scanned_page(files[1])
    entry = worklist_entry(
        patient_name=f"{patient.family_name}^{patient.given_name}",
        patient_id=patient.patient_id,
        accession_number=patient.accession_number,
        description="Spirometry",
        start=now,
        birth_date=patient.birth_date.replace("-", ""),
        sex=patient.sex,
    )
    with (
        EmbeddedWorklist([entry]) as worklist,
        EmbeddedPacs(folder / "primary") as primary,
        EmbeddedPacs(folder / "backup") as backup,
        Spool.open(folder) as spool,
        Decoder() as decoder,
    ):
        program = with_endpoints(
            load(configuration()),
            {
                "FindPatient": (LOOPBACK, worklist.port),
                "SendToPrimaryPACS": (LOOPBACK, primary.port),
                "SendToBackup": (LOOPBACK, backup.port),
            },
        )
        jobs = tuple(_run(spool, decoder, program, worklist, file) for file in files)
        return Demonstration(jobs, primary.instances, backup.instances)


def _run(spool: Spool, decoder: Decoder, program: Program, worklist: EmbeddedWorklist, file: Path) -> Finished:
    used = tools(decoder, spool)
    submission = Submission(file.name, user="demo", source=COMMAND_LINE, tags={"PatientID": Patient().patient_id})
    job = Intake(spool, decoder, used.clock).copy([file], submission)
    before = len(worklist.queries)
    outcome = Runner(spool, used, lambda: program).run(job)
    queries = worklist.queries[before:]
    asked = dict(_filled(queries[0])) if queries else {}
    return Finished(file, isinstance(outcome, Done), job.reason, asked, _found(job))


def _found(job: Job) -> dict[str, str]:
    wanted = ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber")
    return {keyword: str(job.dataset[keyword].value) for keyword in wanted if keyword in job.dataset}


def _filled(keys: Dataset) -> Iterator[tuple[str, str]]:
    """The keys that have a value, those of the scheduled step as well."""
    for element in keys:
        if element.VR == "SQ":
            for item in element.value:
                yield from _filled(item)
        elif element.keyword != "SpecificCharacterSet" and str(element.value or ""):
            yield element.keyword, str(element.value)
