"""`dicomprinter jobs`: what operators do, beside a running service or without one."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dicomprinter.cli.bases import BASE_HELP, service_base
from dicomprinter.cli.messages import (
    PATH,
    F,
    invocation,
    json_option,
    plain,
    print_json,
    say,
    show_help,
    verbose_option,
)
from dicomprinter.cli.report import Report, show_history, show_instances
from dicomprinter.cli.tables import show_table
from dicomprinter.engine import commands as operators
from dicomprinter.engine.commands import Answer
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool, SpoolInUseError
from dicomprinter.engine.tools import local_now, tools
from dicomprinter.errors import InputError, SpoolError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import REASON
from dicomprinter.job.folder import DamagedJobError, JobFolder
from dicomprinter.service.redaction import quiet_libraries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomprinter.job.job import Job

_ANSWER_SECONDS = 10.0


def _base_option(function: F) -> F:
    return click.option("--base", type=PATH, help=BASE_HELP)(function)


@click.group("jobs", invoke_without_command=True, subcommand_metavar="COMMAND [ARGS]...")
@click.pass_context
def command(ctx: click.Context) -> int:
    """List, show, resume or discard the jobs of a spool. An id may be shortened to its beginning."""
    if ctx.invoked_subcommand is None:
        return show_help(ctx)
    quiet_libraries()
    return 0


@command.command("list")
@_base_option
@json_option
@verbose_option
def list_(base: Path | None) -> int:
    """Every job of the spool, in order of arrival."""
    spool = _spool(base)
    jobs = list(_all(spool))
    if invocation().as_json:
        print_json({"base": str(spool.base), "jobs": [_summary(job) for job in jobs]})
        return 0
    if jobs:
        titles = ("Id", "State", "Name", "Age", "Position", "Wakes up", "Reason")
        show_table(titles, [_row(job) for job in jobs], whole="Id", cut="Reason")
    else:
        click.echo(f"no jobs in {spool.jobs}")
    files = spool.rejected.iterdir() if spool.rejected.is_dir() else ()
    rejected = sum(not file.name.endswith(REASON) for file in files)
    if rejected:
        say(f"{rejected} rejected file{'s' if rejected > 1 else ''} in {spool.rejected}, each with its reason")
    return 0


@command.command("show")
@click.argument("job_id", metavar="ID")
@_base_option
@json_option
@verbose_option
def show(job_id: str, base: Path | None) -> int:
    """Everything that is known of a job. It may hold patient data."""
    spool = _spool(base)
    job = _find(spool, job_id)
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


@command.command("resume")
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@_base_option
@json_option
@verbose_option
def resume(job_ids: tuple[str, ...], base: Path | None) -> int:
    """Send jobs that wait on, at the node where they stand."""
    return _order("resume", job_ids, base)


@command.command("discard")
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@_base_option
@json_option
@verbose_option
def discard(job_ids: tuple[str, ...], base: Path | None) -> int:
    """End jobs and remove their files; a line in the ledger stays."""
    return _order("discard", job_ids, base)


def _spool(base: Path | None) -> Spool:
    spool = Spool(service_base(base))
    if not spool.root.is_dir():
        raise InputError(f"there is no spool in {spool.base}", remedy="name the base directory with --base")
    return spool


def _all(spool: Spool) -> Iterator[Job]:
    """The jobs and those that have expired; one that cannot be read is told of, one that vanishes meanwhile is not."""
    for path in (*(spool.jobs / job_id for job_id in spool.job_ids()), *sorted(spool.expired.glob("*"))):
        try:
            yield spool.load(path.name) if path.parent == spool.jobs else JobFolder(path).load()
        except (DamagedJobError, SpoolError) as error:
            if path.exists():
                say(f"error: {error}", "red")
        except OSError as error:
            if path.exists():
                say(f"error: the job {path.name} cannot be read now: {error.strerror}", "red")


def _find(spool: Spool, job_id: str) -> Job:
    try:
        return spool.load(spool.find(job_id).path.name)
    except SpoolError:
        expired = [path for path in spool.expired.glob("*") if path.name.startswith(job_id)]
        if len(expired) != 1:
            raise
        return JobFolder(expired[0]).load()


def _summary(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "state": job.state.value,
        "name": job.facts.name,
        "accepted": job.facts.accepted.isoformat(),
        "position": str(job.position),
        "wake_at": job.wake_at.isoformat() if job.wake_at else None,
        "reason": job.reason,
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


def _moment(moment: datetime | None) -> str:
    return moment.astimezone().isoformat(" ", timespec="seconds") if moment else "-"


def _order(name: str, job_ids: tuple[str, ...], base: Path | None) -> int:
    """Give a command for each job; one that fails does not stop the others."""
    spool = _spool(base)
    # By the whole id, so that a job named twice gets the command once.
    targets: dict[str, JobFolder | Answer] = {}
    for job_id in job_ids:
        try:
            folder = spool.find(job_id)
            targets[folder.path.name] = folder
        except SpoolError as error:
            targets[job_id] = Answer(str(error), succeeded=False)
    results, code = [], 0
    for found, target in targets.items():
        answer = target if isinstance(target, Answer) else _try(spool, target, name)
        if not answer.succeeded:
            code = SpoolError.exit_code
        results.append({"id": found, "succeeded": answer.succeeded, "message": answer.message})
        if not invocation().as_json:
            show = click.echo if answer.succeeded else say
            show(plain(f"{found}: {answer.message}"))
    if invocation().as_json:
        print_json({"command": name, "jobs": results})
    return code


def _try(spool: Spool, folder: JobFolder, name: str) -> Answer:
    try:
        return _give(spool, folder, name)
    except SpoolError as error:
        return Answer(str(error), succeeded=False)
    except OSError as error:
        return Answer(f"the disk or the system failed: {error.strerror or type(error).__name__}", succeeded=False)


def _give(spool: Spool, folder: JobFolder, name: str) -> Answer:
    try:
        owned = Spool.open(spool.base)
    except SpoolInUseError:
        return operators.ask_service(spool, folder, name, timeout=_ANSWER_SECONDS)
    with owned, Decoder() as decoder:
        runner = Runner(owned, tools(decoder), _no_program)
        job = owned.load(folder.path.name)
        answer = operators.apply(job, {"command": name}, lambda job: runner.leave(job, "discarded"))
    if name == "resume" and answer.succeeded:
        return Answer(f"{answer.message}; no service runs here: it goes on when one is started")
    return answer


def _no_program() -> NoReturn:
    raise AssertionError("a command of an operator's performs nothing")
