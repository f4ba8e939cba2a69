"""`jobs resume` and `jobs discard`, and how any command reaches a job."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dicomprinter.cli.jobs.spools import spool_of, unfinished_job
from dicomprinter.cli.messages import examples, invocation, json_option, plain, print_json, say, verbose_option
from dicomprinter.cli.spools import base_option
from dicomprinter.engine import commands as operators
from dicomprinter.engine.commands import Answer
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool, SpoolInUseError
from dicomprinter.engine.tools import tools
from dicomprinter.errors import SpoolError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.job.folder import JobFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

ANSWER_SECONDS = 10.0
LATER = "no service runs here: it goes on when one is started"


@click.command(
    "resume",
    epilog=examples(
        "dicomprinter jobs resume 20260131T091502",
        "dicomprinter jobs resume 20260131T091502 20260131T104411 --base /var/lib/dicomprinter",
    ),
)
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@base_option
@json_option
@verbose_option
def resume(job_ids: tuple[str, ...], base: Path | None) -> int:
    """Send jobs that wait on, at the node where they stand."""
    return _order("resume", job_ids, base)


@click.command(
    "discard",
    epilog=examples("dicomprinter jobs discard 20260131T091502", "dicomprinter jobs discard 20260131T091502 --json"),
)
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@base_option
@json_option
@verbose_option
def discard(job_ids: tuple[str, ...], base: Path | None) -> int:
    """End jobs and remove their files; a line in the ledger stays."""
    return _order("discard", job_ids, base)


def _order(name: str, job_ids: tuple[str, ...], base: Path | None) -> int:
    """Give a command for each job; one that fails does not stop the others."""
    spool = spool_of(base)
    # By the whole id, so that a job named twice gets the command once.
    targets: dict[str, JobFolder | Answer] = {}
    for job_id in job_ids:
        try:
            folder = unfinished_job(spool, job_id)
            targets[folder.path.name] = folder
        except SpoolError as error:
            targets[job_id] = Answer(str(error), succeeded=False)
    answers = (
        (found, target if isinstance(target, Answer) else attempt(partial(give, spool, target, name)))
        for found, target in targets.items()
    )
    return tell(name, answers)


def tell(command: str, answers: Iterable[tuple[str, Answer]]) -> int:
    """Say what became of a command for each id; the exit code."""
    results, code = [], 0
    for found, answer in answers:
        if not answer.succeeded:
            code = SpoolError.exit_code
        results.append({"id": found, "succeeded": answer.succeeded, "message": answer.message})
        if not invocation().as_json:
            _tell_one(found, answer)
    if invocation().as_json:
        print_json({"command": command, "jobs": results})
    return code


def _tell_one(found: str, answer: Answer) -> None:
    # A name that the message itself says is not said twice.
    line = answer.message if found in answer.message else f"{found}: {answer.message}"
    if answer.succeeded:
        click.echo(plain(line))
    else:
        say(f"error: {line}", "red")


def attempt(give_it: Callable[[], Answer]) -> Answer:
    """The answer, also when the spool or the disk refuses."""
    try:
        return give_it()
    except SpoolError as error:
        return Answer(str(error), succeeded=False)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        why = error.strerror or type(error).__name__
        return Answer(f"the disk or the system failed: {where}{why}", succeeded=False)


def give(spool: Spool, folder: JobFolder, name: str, **details: Any) -> Answer:
    """Give a command to the service that owns the spool; without one, carry it out here.

    Raises:
        SpoolError: the service does not answer.
        OSError: the command cannot be written.
    """
    try:
        owned = Spool.open(spool.base)
    except SpoolInUseError:
        return operators.ask_service(spool, folder, name, timeout=ANSWER_SECONDS, **details)
    with owned, Decoder() as decoder:
        runner = Runner(owned, tools(decoder, owned), _no_program)
        job = owned.load(folder.path.name)
        answer = operators.apply(job, {"command": name, **details}, lambda job: runner.leave(job, "discarded"))
    if name != "discard" and answer.succeeded:
        return Answer(f"{answer.message}; {LATER}")
    return answer


def _no_program() -> NoReturn:
    raise AssertionError("a command of an operator's performs nothing")
