"""`dicomprinter status`: how the spool stands, in a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dicomprinter.cli.messages import examples, invocation, json_option, plain, print_json, say, verbose_option
from dicomprinter.cli.spools import base_option, existing_base, no_access
from dicomprinter.cli.state_report import state_json, state_lines
from dicomprinter.errors import PermanentError
from dicomprinter.service.spool_state import SpoolState, spool_state

if TYPE_CHECKING:
    from pathlib import Path

_WANTS_A_PERSON = PermanentError.exit_code


@click.command(
    "status",
    epilog=examples(
        "dicomprinter status --base /var/lib/dicomprinter",
        "dicomprinter status --json",
        "dicomprinter status > /dev/null || mail -s 'dicomprinter wants a person' ward@example.org < /dev/null",
    ),
)
@base_option
@json_option
@verbose_option
def command(base: Path | None) -> int:
    """Say how many jobs wait, for how long, how each destination does, and what wants a person.

    Beside a running service and without one. Exit code 0 when all is well, 3 when something wants a person.
    """
    place = existing_base(base)
    try:
        state = spool_state(place)
    except PermissionError:
        raise no_access(place) from None
    if invocation().as_json:
        owner = {"runs": state.is_owned, "pid": state.pid}
        print_json({"base": str(place), "service": owner, **state_json(state)})
    else:
        _show(state)
    return _WANTS_A_PERSON if state.attention else 0


def _show(state: SpoolState) -> None:
    for title, value in (("base", state.base), ("service", _service(state)), *state_lines(state)):
        click.echo(plain(f"{title:<11} {value}"))
    for sentence in state.attention:
        say(sentence, "yellow")
    if not state.attention:
        click.echo("all is well")


def _service(state: SpoolState) -> str:
    if state.is_owned is None:
        return "not known: the lock of the spool cannot be asked"
    if not state.is_owned:
        return "does not run"
    return f"runs, process {state.pid}" if state.pid else "runs"
