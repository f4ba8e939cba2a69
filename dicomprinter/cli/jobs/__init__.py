"""`dicomprinter jobs`: what operators do, beside a running service or without one."""

from __future__ import annotations

import logging

import click

from dicomprinter.cli.jobs.lists import list_
from dicomprinter.cli.jobs.match import match
from dicomprinter.cli.jobs.orders import discard, resume
from dicomprinter.cli.jobs.restore import restore
from dicomprinter.cli.jobs.show import show
from dicomprinter.cli.messages import examples, show_help, verbose_option
from dicomprinter.service.redaction import quiet_libraries


@click.group(
    "jobs",
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    epilog=examples(
        "dicomprinter jobs list",
        "dicomprinter jobs show 20260131T09",
        "dicomprinter jobs resume 20260131T09 --base /var/lib/dicomprinter",
    ),
)
@verbose_option
@click.pass_context
def command(ctx: click.Context) -> int:
    """List, show, match, resume, restore or discard the jobs of a spool. An id may be shortened to its beginning."""
    if ctx.invoked_subcommand is None:
        return show_help(ctx)
    quiet_libraries()
    log = logging.getLogger("dicomprinter")
    if not log.hasHandlers():
        # Else logging tells warnings on standard error, beside what the command says itself.
        log.addHandler(logging.NullHandler())
    return 0


for _one in (list_, show, match, resume, discard, restore):
    command.add_command(_one)
