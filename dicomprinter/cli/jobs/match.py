"""`jobs match`: the answer to a job that waits for an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dicomprinter.cli.arguments import assignments
from dicomprinter.cli.jobs.orders import attempt, give, tell
from dicomprinter.cli.jobs.spools import spool_of, unfinished_job
from dicomprinter.cli.messages import examples, json_option, say, verbose_option
from dicomprinter.cli.spools import base_option
from dicomprinter.dicom.query.match import from_pairs
from dicomprinter.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset


@click.command(
    "match",
    epilog=examples(
        "dicomprinter jobs match 20260131T09 PatientID=4711 'PatientName=Muster^Erika'",
        "dicomprinter jobs match 20260131T09 '(0010,0030)=19800131' AccessionNumber=  # an empty value too",
    ),
)
@click.argument("job_id", metavar="ID")
@click.argument("values", metavar="TAG=VALUE...", nargs=-1, required=True, callback=assignments)
@base_option
@json_option
@verbose_option
def match(job_id: str, values: tuple[tuple[str, str], ...], base: Path | None) -> int:
    """Say whose a job is that asks an operator. It then goes on after the Query that asked."""
    spool = spool_of(base)
    folder = unfinished_job(spool, job_id)
    given = _checked(values).to_json_dict()
    answer = attempt(lambda: give(spool, folder, "match", values=given))
    return tell("match", [(folder.path.name, answer)])


def _checked(values: tuple[tuple[str, str], ...]) -> Dataset:
    for tag, value in values:
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise InputError(f"the value of {tag} is not UTF-8", remedy="use a terminal with UTF-8") from None
    found = from_pairs(values)
    if found.left_out:
        raise InputError(
            "; ".join(remark.message for remark in found.left_out),
            remedy="nothing was written",
            private=", ".join(remark.private for remark in found.left_out),
        )
    if len(found.values) < len(values):
        raise InputError("a tag is given twice", remedy="give each tag once")
    for remark in found.remarks:
        say(f"note: {remark.message}", "yellow")
    return found.values
