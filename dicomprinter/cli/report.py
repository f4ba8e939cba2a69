"""What became of a job: for a program as an object, for a person as a page."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import click
from pydicom.uid import UID

from dicomprinter.cli.messages import plain
from dicomprinter.dicom.status import store_status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dicomprinter.engine.dry_run import DryNetwork
    from dicomprinter.job.job import Job

_COLOURS = {"SUCCESS": "green", "WARN": "yellow", "ERROR": "red"}
_OUTCOME_COLOURS = {"done": "green", "suspended": "yellow", "manual": "yellow"}


@dataclass(frozen=True)
class Report:
    """What became of a job.

    Args:
        job: its id.
        outcome: done, held, manual, suspended or discarded.
        instances: each answer of an archive, or each object of a dry run, whose status is None.
        stored: whether an archive or a printer has confirmed anything of it.
        asks: whether it waits for `jobs match`.
    """

    job: str
    outcome: str
    reason: str | None = None
    history: tuple[dict[str, Any], ...] = ()
    instances: tuple[dict[str, Any], ...] = ()
    stored: bool = False
    asks: bool = False

    @classmethod
    def of(cls, job: Job, outcome: str, dry: DryNetwork | None = None) -> Self:
        """Read it from the job's folder, while that is there."""
        instances = []
        for sent in job.sent():
            instance = {
                "action": sent.action,
                "sop_class_uid": sent.sop_class_uid,
                "sop_instance_uid": sent.sop_instance_uid,
                "transfer_syntax_uid": sent.transfer_syntax_uid,
                "status": None if dry else sent.status,
            }
            if dry:
                instance["file"] = str(dry.file(sent.action, sent.sop_instance_uid).absolute())
            instances.append(instance)
        history, asks = tuple(job.folder.history()), job.asks is not None
        return cls(job.id, outcome, job.reason, history, tuple(instances), job.has_left, asks)

    def to_json(self) -> dict[str, Any]:
        """For a program, which has the instances' statuses."""
        return {name: value for name, value in asdict(self).items() if name not in ("stored", "asks")}


def show_report(report: Report, on: str, *, dry: bool, is_told: bool) -> None:
    """Print a report for a person.

    Args:
        report: what became of the job.
        on: how it goes on.
        dry: whether it was a dry run.
        is_told: whether the log has told the history on the screen already.
    """
    if dry:
        click.secho("a dry run: nobody is called, every Store and Print is answered with success", bold=True)
    # The outcome is told below.
    told = (report.outcome, f"{report.outcome}: {report.reason}")
    lines = (line for line in report.history if line.get("message") not in told)
    # A log leaves out what may hold patient data, for the person who runs the job to see here.
    show_history(tuple(line for line in lines if line.get("private") or not is_told))
    show_instances(report.instances)
    colour = _OUTCOME_COLOURS.get(report.outcome, "red")
    reason = f": {plain(report.reason)}" if report.reason else ""
    if report.outcome == "done" and not report.stored:
        colour, reason = "yellow", ", nothing stored"
    click.secho(f"{report.outcome}{reason}", fg=colour, bold=True)
    if on:
        click.echo(on)


def show_history(history: tuple[dict[str, Any], ...]) -> None:
    """Each line with its time of day."""
    for line in history:
        time, level = str(line.get("time", ""))[11:23], str(line.get("level", ""))
        private = f" ({line['private']})" if line.get("private") else ""
        click.secho(plain(f"  {time}  {line.get('message', '')}{private}"), fg=_COLOURS.get(level))


def show_instances(instances: tuple[dict[str, Any], ...]) -> None:
    """What archives answered, or where a dry run has put the objects."""
    for one in instances:
        what = f"{UID(one['sop_class_uid']).name}, {UID(one['transfer_syntax_uid']).name}"
        status = "no status" if one["status"] is None else str(store_status(one["status"]))
        click.echo(plain(f"  {one['action']}: {what}"))
        click.echo(plain(f"    {one['sop_instance_uid']}: {one.get('file', status)}"))


def way_on(base: Path, config: Path, report: Report, endpoints: Mapping[str, tuple[str, int]]) -> str:
    """Where a job that stays lies, and the commands with which it goes on."""
    serve = ["dicomprinter", "serve", "--base", str(base), "--config", str(config)]
    for name, (host, port) in endpoints.items():
        serve += ["--endpoint", f"{name}=[{host}]:{port}" if ":" in host else f"{name}={host}:{port}"]
    lines = [f"the job stays in {base / 'spool' / 'jobs' / report.job}"]
    if report.asks:
        match = shlex.join(["dicomprinter", "jobs", "match", report.job, "--base", str(base)])
        lines.append(f"answer it:   {match} TAG=VALUE...")
    elif report.outcome in ("held", "manual"):
        lines.append(f"send it on:  {shlex.join(['dicomprinter', 'jobs', 'resume', report.job, '--base', str(base)])}")
    elif report.outcome == "suspended":
        lines.append(f"at once:     {shlex.join(['dicomprinter', 'jobs', 'resume', report.job, '--base', str(base)])}")
    lines.append(f"let it run:  {shlex.join(serve)}")
    return "\n".join(lines)
