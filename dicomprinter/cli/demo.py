"""`dicomprinter demo`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydicom.uid import UID

from dicomprinter.cli.messages import examples, invocation, json_option, print_json, verbose_option
from dicomprinter.cli.tables import show_table
from dicomprinter.demo.show import configuration, demonstrate
from dicomprinter.service.logs import Logs

if TYPE_CHECKING:
    from dicomprinter.demo.pacs import StoredInstance
    from dicomprinter.demo.show import Demonstration

_COLUMNS = ("Archive", "Patient", "Study", "SOP class", "Transfer syntax", "Size", "Institution")


@click.command("demo", epilog=examples("dicomprinter demo", "dicomprinter demo --keep"))
@click.option("--keep", is_flag=True, help="Keep the folder with the pages and the stored objects.")
@json_option
@verbose_option
def command(*, keep: bool) -> int:
    """Print a report and a scanned page of an invented patient to archives inside this program.

    A worklist and two archives listen on this machine alone; the configuration is the complete example.
    """
    folder = Path(tempfile.mkdtemp(prefix="dicomprinter-demo-"))
    verbose = invocation().verbose
    try:
        with Logs.open(None, screen=verbose, verbose=verbose):
            shown = demonstrate(folder)
        stored = [
            _stored(name, one) for name, held in (("primary", shown.primary), ("backup", shown.backup)) for one in held
        ]
        if invocation().as_json:
            print_json(_to_json(folder, keep, shown, stored))
        else:
            _show(folder, keep, shown, stored)
        return 0 if shown.succeeded else 1
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _stored(archive: str, instance: StoredInstance) -> dict[str, Any]:
    attributes = instance.attributes
    return {
        "archive": archive,
        "patient": f"{attributes.PatientName} ({attributes.PatientID})",
        "study": str(attributes.get("AccessionNumber") or attributes.StudyInstanceUID),
        "sop_class": UID(instance.sop_class).name,
        "transfer_syntax": UID(instance.transfer_syntax).name.partition(",")[0],
        "size": instance.path.stat().st_size,
        "institution": str(attributes.get("InstitutionName", "")),
        "file": str(instance.path),
    }


def _to_json(folder: Path, keep: bool, shown: Demonstration, stored: list[dict[str, Any]]) -> dict[str, Any]:
    jobs = [
        {
            "file": str(job.file),
            "outcome": "done" if job.is_done else "not done",
            "reason": job.reason,
            "asked": job.asked,
            "found": job.found,
        }
        for job in shown.jobs
    ]
    return {"jobs": jobs, "stored": stored, "folder": str(folder) if keep else None}


def _show(folder: Path, keep: bool, shown: Demonstration, stored: list[dict[str, Any]]) -> None:
    click.echo(f"the configuration is {configuration()}")
    for job in shown.jobs:
        click.secho(f"\n{job.file.name}", bold=True)
        click.echo(f"  asked the worklist for {_pairs(job.asked)}")
        click.echo(f"  found {_pairs(job.found)}")
        if not job.is_done:
            click.secho(f"  not done: {job.reason}", fg="red")
    click.echo()
    show_table(_COLUMNS, [_row(one) for one in stored], title="What the archives hold")
    if keep:
        pages = ", ".join(job.file.name for job in shown.jobs)
        click.echo(f"kept in {folder}: {pages}, primary/, backup/")
    else:
        click.echo(f"the objects lay in {folder}, which is removed now; --keep keeps it")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    size = f"{one['size'] / 1024:,.0f} KB"
    names = ("archive", "patient", "study", "sop_class", "transfer_syntax")
    return (*(one[name] for name in names), size, one["institution"])


def _pairs(values: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items()) or "nothing"
