"""`jobs list` and `jobs show`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from dicomprinter.cli.jobs.spools import base_option, every_job, find_job, spool_of
from dicomprinter.cli.messages import examples, invocation, json_option, plain, print_json, say, verbose_option
from dicomprinter.cli.report import Report, show_history, show_instances
from dicomprinter.cli.tables import show_table
from dicomprinter.engine.matches import WAY_ON
from dicomprinter.engine.tools import local_now
from dicomprinter.intake.rejected import RejectedFile, rejected_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dicomprinter.engine.spool import Spool
    from dicomprinter.job.job import Job


@click.command(
    "list",
    epilog=examples(
        "dicomprinter jobs list --base /var/lib/dicomprinter",
        "dicomprinter jobs list --rejected  # the files that could not become a job, and why",
        "dicomprinter jobs list --json",
    ),
)
@click.option("--rejected", is_flag=True, help="The rejected files instead, by the names that restore takes.")
@base_option
@json_option
@verbose_option
def list_(base: Path | None, *, rejected: bool) -> int:
    """Every job of the spool, in order of arrival. It also says how many files were rejected."""
    spool = spool_of(base)
    files = rejected_files(spool.rejected)
    if invocation().as_json:
        jobs = [] if rejected else [_summary(job) for job in every_job(spool)]
        print_json({"base": str(spool.base), "jobs": jobs, "rejected": [_rejected(file) for file in files]})
    elif rejected:
        _show_rejected(spool, files)
    else:
        _show_jobs(spool, list(every_job(spool)), files)
    return 0


@click.command("show", epilog=examples("dicomprinter jobs show 20260131T09", "dicomprinter jobs show 2026 --json"))
@click.argument("job_id", metavar="ID")
@base_option
@json_option
@verbose_option
def show(job_id: str, base: Path | None) -> int:
    """Everything that is known of a job. It may hold patient data."""
    job = find_job(spool_of(base), job_id)
    report = Report.of(job, job.state.value)
    if invocation().as_json:
        details = {**_summary(job), "facts": job.facts.to_json(), "payload": job.payload.to_json()}
        details |= {"dataset": job.dataset.to_json_dict(), "history": report.history, "instances": report.instances}
        print_json(details)
        return 0
    for title, value in _details(job):
        click.echo(plain(f"{title:<10} {value}"))
    if len(job.dataset):
        click.echo("dataset")
        click.echo(plain("\n".join(f"  {line}" for line in str(job.dataset).splitlines())))
    click.echo("history")
    show_history(report.history)
    show_instances(report.instances)
    return 0


def _show_jobs(spool: Spool, jobs: Sequence[Job], files: Sequence[RejectedFile]) -> None:
    if jobs:
        titles = ("Id", "State", "Name", "Age", "Position", "Wakes up", "Reason")
        show_table(titles, [_row(job) for job in jobs], whole="Id", cut="Reason")
    else:
        click.echo(f"no jobs in {spool.jobs}")
    asking = sum(job.asks is not None for job in jobs)
    if asking:
        what = "1 job waits" if asking == 1 else f"{asking} jobs wait"
        say(f"{what} for an operator: {WAY_ON} ID TAG=VALUE...")
    if files:
        say(f"{len(files)} rejected file{'s' if len(files) > 1 else ''} in {spool.rejected}, each with its reason")


def _show_rejected(spool: Spool, files: Sequence[RejectedFile]) -> None:
    if files:
        rows = [(file.name, _age(timedelta(seconds=file.age_seconds)), file.reason) for file in files]
        show_table(("Name", "Age", "Reason"), rows, whole="Name", cut="Reason")
    else:
        click.echo(f"no files in {spool.rejected}")


def _rejected(file: RejectedFile) -> dict[str, Any]:
    return {"name": file.name, "reason": file.reason}


def _summary(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "state": job.state.value,
        "name": job.facts.name,
        "accepted": job.facts.accepted.isoformat(),
        "position": str(job.position),
        "wake_at": job.wake_at.isoformat() if job.wake_at else None,
        "reason": job.reason,
        "asks": job.asks.to_json() if job.asks else None,
        "folder": str(job.folder.path),
    }


def _row(job: Job) -> tuple[str, ...]:
    wakes = f"{job.wake_at.astimezone():%Y-%m-%d %H:%M:%S}" if job.wake_at else ""
    return (
        job.id,
        job.state.value,
        job.facts.name,
        _age(local_now() - job.facts.accepted),
        str(job.position),
        wakes,
        job.reason or "",
    )


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _details(job: Job) -> list[tuple[str, object]]:
    facts, payload = job.facts, job.payload
    return [
        ("job", job.id),
        ("state", job.state.value),
        ("reason", job.reason or "-"),
        *_asks(job),
        ("position", job.position),
        ("wakes up", _moment(job.wake_at)),
        ("name", facts.name),
        ("user", facts.user or "-"),
        ("host", facts.host or "-"),
        ("source", facts.source or "-"),
        ("accepted", _moment(facts.accepted)),
        ("pages", len(payload.pages)),
        ("PDFs", len(payload.documents)),
        ("folder", job.folder.path),
    ]


def _asks(job: Job) -> list[tuple[str, object]]:
    """What a job that waits for an operator wants, and the queries by which that may be found out."""
    if job.asks is None:
        return []
    return [
        ("asks", f"{job.asks.query}: {WAY_ON} {job.id} TAG=VALUE..."),
        ("default", job.asks.default or "-"),
        ("queries", ", ".join(job.asks.queries) or "-"),
    ]


def _moment(moment: datetime | None) -> str:
    return moment.astimezone().isoformat(" ", timespec="seconds") if moment else "-"
