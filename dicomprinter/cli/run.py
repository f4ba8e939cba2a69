"""`dicomprinter run`: one job in the foreground."""

from __future__ import annotations

import getpass
import os
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dicomprinter.cli.arguments import assignments, assumptions, endpoint_option
from dicomprinter.cli.bases import base_for, refuse_folder
from dicomprinter.cli.log_option import log_format_option
from dicomprinter.cli.messages import (
    PATH,
    examples,
    invocation,
    json_option,
    print_json,
    say,
    say_problems,
    verbose_option,
)
from dicomprinter.cli.own_spool import interruptible, keep_environment, put_back, spool_of_a_run
from dicomprinter.cli.report import Report, show_report, way_on
from dicomprinter.engine.dry_run import DryNetwork, DryPrograms, kept_below
from dicomprinter.engine.outside.messenger import DryMessenger
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.tools import below, tools
from dicomprinter.errors import InputError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import COMMAND_LINE, Intake
from dicomprinter.intake.submission import Submission, read_sidecar, sidecars
from dicomprinter.program import load, with_endpoints
from dicomprinter.service.log_form import Form
from dicomprinter.service.logs import Logs
from dicomprinter.workflow.interpreter import Discarded, Done, Held, Suspended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomprinter.engine.spool import Spool
    from dicomprinter.job.job import Job
    from dicomprinter.program import Program
    from dicomprinter.workflow.interpreter import Outcome

_INTERRUPTED = 130


@dataclass(frozen=True)
class _Order:
    """What the command line asks for."""

    program: Program
    files: tuple[Path, ...]
    submission: Submission
    base: Path | None
    endpoints: Mapping[str, tuple[str, int]]
    output_dir: Path | None
    """Of a dry run; None is a real one."""
    form: Form = Form.TEXT
    """Of the log."""


@click.command(
    "run",
    epilog=examples(
        "dicomprinter run config.xml scan.pdf --set PatientID=4711 --set 'PatientName=Muster^Erika'",
        "dicomprinter run config.xml scan.png --endpoint SendToPACS=127.0.0.1:11112",
        "dicomprinter run config.xml scan.png --dry-run --output-dir out --assume QUERY_FOUND=true",
    ),
)
@click.argument("config", type=PATH)
@click.argument("files", type=PATH, nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--set", "tags", metavar="KEYWORD=VALUE", multiple=True, callback=assignments, help="A tag of the job's dataset."
)
@click.option("--name", help="The job's name; the first file's.")
@click.option("--user", help="Whose job it is; yours.")
@click.option("--host", help="The client's host; this machine.")
@endpoint_option
@click.option("--base", type=PATH, help="The base directory; a spool of its own when unsaid.")
@click.option("--dry-run", is_flag=True, help="Call nobody: write what would be sent to --output-dir.")
@click.option("--output-dir", type=PATH, help="Where a dry run writes the objects.")
@click.option(
    "--assume",
    "assumed",
    metavar="FIELD=VALUE",
    multiple=True,
    callback=assignments,
    help="What a dry run takes for a condition's field, such as QUERY_FOUND=true.",
)
@json_option
@log_format_option
@verbose_option
def command(
    *,
    config: Path,
    files: tuple[Path, ...],
    tags: tuple[tuple[str, str], ...],
    name: str | None,
    user: str | None,
    host: str | None,
    endpoints: dict[str, tuple[str, int]],
    base: Path | None,
    dry_run: bool,
    output_dir: Path | None,
    assumed: tuple[tuple[str, str], ...],
    form: Form,
) -> int:
    """Make one job of FILEs and run it through CONFIG's workflow. The files stay where they are.

    What scan.pdf.json says of scan.pdf counts when it is one of FILEs; options count before it.

    Exit code: 0 done, 2 bad configuration or input, 3 held or waiting for an operator, 4 suspended, 5 discarded.
    """
    _check_dry_run(dry_run, output_dir, assumed)
    refuse_folder(config)
    _refuse_exchanged(config, files)
    program = with_endpoints(load(config, base_for(config, base)), endpoints)
    program = replace(program, assumed=assumptions(program, assumed))
    say_problems(program.remarks, "yellow", "warning: ")
    files, submission = _submitted(files)
    submission = replace(
        submission,
        title=name if name is not None else submission.title,
        user=user if user is not None else submission.user or _user(),
        host=host if host is not None else submission.host or socket.gethostname(),
        tags={**submission.tags, **dict(tags)},
    )
    return _run(_Order(program, files, submission, base, endpoints, output_dir if dry_run else None, form))


def _submitted(files: tuple[Path, ...]) -> tuple[tuple[Path, ...], Submission]:
    """The files without their sidecar, and what that says of them."""
    found = [file for file in sidecars(files) if file.exists()]
    others = tuple(file for file in files if file not in found)
    if len(found) > 1:
        raise InputError("one job has one sidecar", remedy="run each file with its own, or give its tags by --set")
    if found:
        return others, read_sidecar(found[0], others[0].name, COMMAND_LINE)
    beside = next((file for one in files if (file := one.with_name(f"{one.name}.json")).is_file()), None)
    if beside is not None:
        say(f"warning: {beside} is not read; name it as one of FILEs as well, and what it says counts", "yellow")
    return files, Submission(files[0].name, source=COMMAND_LINE)


def _refuse_exchanged(config: Path, files: tuple[Path, ...]) -> None:
    if config.suffix.lower() != ".xml" and any(file.suffix.lower() == ".xml" for file in files):
        raise InputError(
            f"{config} is no XML file", remedy="CONFIG comes first: dicomprinter run config.xml scan.png, say"
        )


def _check_dry_run(dry_run: bool, output_dir: Path | None, assumed: tuple[tuple[str, str], ...]) -> None:
    if dry_run and output_dir is None:
        raise InputError("--dry-run needs --output-dir", remedy="name the folder for the objects")
    if not dry_run and assumed:
        raise InputError("--assume goes with --dry-run only", remedy="a real run asks the peers")
    if not dry_run and output_dir is not None:
        raise InputError("--output-dir goes with --dry-run only", remedy="a real run sends the objects to the archive")
    for place in (output_dir, *output_dir.absolute().parents) if output_dir is not None else ():
        if place.exists() and not place.is_dir():
            raise InputError(f"--output-dir: {place} is a file", remedy="name a folder")
    if output_dir is not None:
        there = next(place for place in (output_dir, *output_dir.absolute().parents) if place.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            raise InputError(f"--output-dir: {there} cannot be written", remedy="name a folder of yours")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user need not have a name.
        return ""


def _run(order: _Order) -> int:
    dry = order.output_dir is not None
    with interruptible(), spool_of_a_run(order.base, dry=dry) as spool:
        verbose = invocation().verbose
        folder = None if dry else spool.base / "log"
        with Logs.open(folder, screen=verbose, verbose=verbose, form=order.form) as logs:
            logs.adopt(order.program.general)
            return _run_in(spool, order)


def _run_in(spool: Spool, order: _Order) -> int:
    reports: list[Report] = []

    def keep(job: Job, outcome: str) -> None:
        reports.append(Report.of(job, outcome, network))

    network = DryNetwork(order.output_dir) if order.output_dir is not None else None
    general = order.program.general
    with Decoder(general.limits, general.decoding_seconds, first=invocation().child) as decoder:
        if network is not None:
            outside = kept_below(network.folder)
            used = tools(
                decoder, spool, outside=outside, network=network, programs=DryPrograms(), messenger=DryMessenger()
            )
        else:
            used = tools(decoder, spool, outside=below(_beginning(order)))
        job = Intake(spool, decoder, used.clock).copy(order.files, order.submission)
        # At once: a peer that is silent must not look like a program that hangs.
        click.echo(f"job {job.id}", err=invocation().as_json)
        # A finished job's folder goes when it ends: what it says is read before.
        runner = Runner(
            spool,
            used,
            lambda: order.program,
            before_leaving=lambda job: keep(job, "left"),
            redact=lambda: order.program.general.redact,
        )
        try:
            outcome = runner.run(job)
        except KeyboardInterrupt:
            return _interrupted(spool, order, job)
        except Exception:
            # The job is not lost: who sees the error has to hear where it is.
            say(_stopped("stopped", spool, order, job), "red")
            raise
    name, code = _outcome(outcome)
    if not reports:
        keep(job, name)
    report = replace(reports[0], outcome=name)
    on = _way_on(spool, order, report)
    if invocation().as_json:
        print_json(report.to_json())
        say(on)
    else:
        show_report(report, on, dry=network is not None, is_told=invocation().verbose)
    return code


def _beginning(order: _Order) -> Path:
    """Where relative paths of the configuration begin: at the base directory, without one here."""
    return base_for(order.program.file, order.base) or Path.cwd()


def _outcome(outcome: Outcome) -> tuple[str, int]:
    match outcome:
        case Done():
            return "done", 0
        case Held(manual=manual):
            return ("manual" if manual else "held"), 3
        case Suspended():
            return "suspended", 4
        case Discarded():
            return "discarded", 5
    raise AssertionError("a run in the foreground goes on until the job stops")


def _way_on(spool: Spool, order: _Order, report: Report) -> str:
    """What to do next with a job that stays."""
    if report.outcome in ("done", "discarded"):
        return ""
    if order.output_dir is not None:
        return "of a dry run no job is kept"
    keep_environment(base_for(order.program.file, order.base), spool.base)
    return way_on(spool.base, order.program.file.absolute(), report, order.endpoints)


def _interrupted(spool: Spool, order: _Order, job: Job) -> int:
    what = _stopped("interrupted", spool, order, job)
    say(what, "red")
    if invocation().as_json:
        print_json({"error": what, "problems": []})
    return _INTERRUPTED


def _stopped(how: str, spool: Spool, order: _Order, job: Job) -> str:
    """Leave the job where a service finds it; what became of it and what to do next."""
    if order.output_dir is not None or not put_back(spool, job.id):
        return how
    with suppress(OSError):
        keep_environment(base_for(order.program.file, order.base), spool.base)
    return f"{how}; " + way_on(spool.base, order.program.file.absolute(), Report(job.id, how), order.endpoints)
