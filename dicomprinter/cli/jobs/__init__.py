"""`dicomprinter jobs`: what operators do, beside a running service or without one."""

from __future__ import annotations

import logging

import click

from dicomprinter.cli.lazy import LazyGroup
from dicomprinter.cli.messages import examples, show_help, verbose_option

_HERE = "dicomprinter.cli.jobs"
_PLACES = {
    "list": f"{_HERE}.lists:list_",
    "show": f"{_HERE}.show:show",
    "match": f"{_HERE}.match:match",
    "resume": f"{_HERE}.orders:resume",
    "discard": f"{_HERE}.orders:discard",
    "restore": f"{_HERE}.restore:restore",
}


@click.group(
    "jobs",
    cls=LazyGroup,
    places=_PLACES,
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
    if ctx.invoked_subcommand != "list":
        from dicomprinter.service.redaction import quiet_libraries  # noqa: PLC0415 - pydicom, which a list has no use for

        quiet_libraries()
    log = logging.getLogger("dicomprinter")
    if not log.hasHandlers():
        # Else logging tells warnings on standard error, beside what the command says itself.
        log.addHandler(logging.NullHandler())
    return 0
