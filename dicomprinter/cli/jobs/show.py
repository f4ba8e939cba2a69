"""`jobs show`: a job of the spool, one that has finished, or a rejected file."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from dicomprinter.cli.jobs.lists import summary
from dicomprinter.cli.jobs.spools import find_job, is_there, spool_of
from dicomprinter.cli.messages import age_text, examples, invocation, json_option, plain, print_json, verbose_option
from dicomprinter.cli.report import Report, show_history, show_instances
from dicomprinter.cli.spools import WAY_ON, base_option
from dicomprinter.errors import SpoolError
from dicomprinter.intake.rejected import RejectedFile, rejected_files, rejected_group
from dicomprinter.job.glance import Glance

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dicomprinter.engine.spool import Spool
    from dicomprinter.job.job import Job

_LEDGER = ("time", "outcome", "reason", "into", "source", "accepted", "pages", "documents", "stored", "printed")


@click.command("show", epilog=examples("dicomprinter jobs show 20260131T09", "dicomprinter jobs show 2026 --json"))
@click.argument("job_id", metavar="ID")
@base_option
@json_option
@verbose_option
def show(job_id: str, base: Path | None) -> int:
    """Everything that is known of a job, also of one that has finished, or of a rejected file.

    It may hold patient data.
    """
    spool = spool_of(base)
    try:
        job = find_job(spool, job_id)
    except SpoolError:
        if is_there(spool, job_id):
            raise
        line, file = spool.left(job_id), _rejected(spool, job_id)
        if line is not None:
            _show_finished(line)
        elif file is not None:
            _show_rejected(spool, file)
        else:
            raise
    else:
        looked_at = Glance.of(job).seen(spool.is_owned())
        job.state, job.reason = looked_at.state, looked_at.reason
        _show_job(job)
    return 0


def _rejected(spool: Spool, name: str) -> RejectedFile | None:
    names = {file.name for file in rejected_group(spool.rejected, name)}
    return next((file for file in rejected_files(spool.rejected) if file.name in names), None)


def _show_job(job: Job) -> None:
    report = Report.of(job, job.state.value)
    if invocation().as_json:
        details = {**summary(Glance.of(job)), "facts": job.facts.to_json(), "payload": job.payload.to_json()}
        details |= {"dataset": job.dataset.to_json_dict(), "history": report.history, "instances": report.instances}
        print_json(details)
        return
    _show_lines(_details(job))
    if len(job.dataset):
        click.echo("dataset")
        click.echo(plain("\n".join(f"  {line}" for line in str(job.dataset).splitlines())))
    click.echo("history")
    show_history(report.history)
    show_instances(report.instances)


def _show_finished(line: dict[str, Any]) -> None:
    """What the ledger says, which is all that is left of a job that has finished."""
    if invocation().as_json:
        print_json(line)
        return
    known = [(name, line[name]) for name in _LEDGER if line.get(name) not in (None, "")]
    _show_lines([("job", line.get("job")), ("state", "has left the spool; the ledger says:"), *known])


def _show_rejected(spool: Spool, file: RejectedFile) -> None:
    if invocation().as_json:
        print_json({"name": file.name, "reason": file.reason, "private": file.private, "sidecars": file.sidecars})
        return
    back = shlex.join(["dicomprinter", "jobs", "restore", file.name, "--base", str(spool.base)])
    _show_lines(
        [
            ("rejected", f"{spool.rejected / file.name}"),
            ("reason", file.reason),
            *([("details", file.private)] if file.private else []),
            ("came with", ", ".join(file.sidecars) or "-"),
            ("age", age_text(timedelta(seconds=file.age_seconds))),
            ("try again", back),
        ]
    )


def _show_lines(lines: Iterable[tuple[str, object]]) -> None:
    told = list(lines)
    width = max(len(title) for title, _ in told)
    for title, value in told:
        click.echo(plain(f"{title:<{width}}  {value}"))


def _details(job: Job) -> list[tuple[str, object]]:
    facts, payload = job.facts, job.payload
    return [
        ("job", job.id),
        ("state", job.state.value),
        ("reason", job.reason or "-"),
        *_asks(job),
        ("position", job.position),
        ("wakes up", _moment(job.wake_at)),
        *([("waits for", job.waits_for)] if job.waits_for else []),
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
        ("first choice", job.asks.default or "-"),
        ("queries that may help", ", ".join(job.asks.queries) or "-"),
    ]


def _moment(moment: datetime | None) -> str:
    return moment.astimezone().isoformat(" ", timespec="seconds") if moment else "-"
