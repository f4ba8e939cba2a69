"""`jobs list`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from dicomprinter.cli.messages import age_text, examples, invocation, json_option, print_json, say, verbose_option
from dicomprinter.cli.spools import WAY_ON, base_option, every_glance, existing_base
from dicomprinter.cli.tables import is_narrow, show_table
from dicomprinter.engine.spool_view import SpoolView
from dicomprinter.intake.rejected import RejectedFile, count_rejected, rejected_files

# Of these no word is broken.
_WHOLE = ("Id", "State", "Age", "Wakes up")

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dicomprinter.job.glance import Glance


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
    spool = SpoolView(existing_base(base))
    if invocation().as_json:
        is_owned = spool.is_owned()
        jobs = [] if rejected else [summary(job.seen(is_owned)) for job in every_glance(spool)]
        files = [_rejected(file) for file in rejected_files(spool.rejected)]
        print_json({"base": str(spool.base), "jobs": jobs, "rejected": files})
    elif rejected:
        _show_rejected(spool, rejected_files(spool.rejected))
    else:
        is_owned = spool.is_owned()
        _show_jobs(spool, [job.seen(is_owned) for job in every_glance(spool)])
        if is_owned is False:
            say("no service runs on this spool: dicomprinter serve starts one")
    return 0


def _show_jobs(spool: SpoolView, jobs: Sequence[Glance]) -> None:
    if jobs:
        narrow = is_narrow()
        left_out = _left_out(jobs) if narrow else ()
        now = datetime.now(UTC)
        moment = "%d %b %H:%M" if narrow else "%Y-%m-%d %H:%M:%S"
        rows = [{name: text for name, text in _row(job, moment, now).items() if name not in left_out} for job in jobs]
        show_table(
            tuple(rows[0]),
            [tuple(row.values()) for row in rows],
            whole=_WHOLE,
            cut=("Name", "Reason") if narrow else ("Reason",),
        )
    else:
        click.echo(f"no jobs in {spool.jobs}")
    asking = sum(job.asks is not None for job in jobs)
    if asking:
        what = "1 job waits" if asking == 1 else f"{asking} jobs wait"
        say(f"{what} for an operator: {WAY_ON} ID TAG=VALUE...")
    rejected = count_rejected(spool.rejected)
    if rejected:
        what, whose = (
            ("1 rejected file", "with its") if rejected == 1 else (f"{rejected} rejected files", "each with its")
        )
        say(f"{what} in {spool.rejected}, {whose} reason: dicomprinter jobs list --rejected")


def _left_out(jobs: Sequence[Glance]) -> tuple[str, ...]:
    """The columns that give way to the others where there is little room."""
    return ("Position",) if any(job.wake_at for job in jobs) else ("Position", "Wakes up")


def _show_rejected(spool: SpoolView, files: Sequence[RejectedFile]) -> None:
    if files:
        rows = [(file.name, age_text(timedelta(seconds=file.age_seconds)), _whole_reason(file)) for file in files]
        show_table(("Name", "Age", "Reason"), rows, whole=("Name", "Age"), cut=("Reason",))
    else:
        click.echo(f"no files in {spool.rejected}")


def _whole_reason(file: RejectedFile) -> str:
    return f"{file.reason} ({file.private})" if file.private else file.reason


def _rejected(file: RejectedFile) -> dict[str, Any]:
    return {"name": file.name, "reason": file.reason}


def summary(job: Glance) -> dict[str, Any]:
    """A job for a program."""
    return {
        "id": job.id,
        "state": job.state.value,
        "name": job.facts.name,
        "accepted": job.facts.accepted.isoformat(),
        "position": str(job.position),
        "wake_at": job.wake_at.isoformat() if job.wake_at else None,
        "waits_for": job.waits_for,
        "reason": job.reason,
        "asks": job.asks.to_json() if job.asks else None,
        "folder": str(job.folder),
    }


def _row(job: Glance, moment: str, now: datetime) -> dict[str, str]:
    """The texts of a row, by the titles of their columns; `moment` is how a time is written."""
    return {
        "Id": job.id,
        "State": job.state.value,
        "Name": job.facts.name,
        "Age": age_text(now - job.facts.accepted),
        "Position": str(job.position),
        "Wakes up": _wakes_up(job, moment, now),
        "Reason": job.reason or "",
    }


def _wakes_up(job: Glance, moment: str, now: datetime) -> str:
    if job.wake_at is None:
        return ""
    # Its destination was to be asked then, and has not come back yet.
    return "when it answers" if job.waits_for and job.wake_at <= now else f"{job.wake_at.astimezone():{moment}}"
