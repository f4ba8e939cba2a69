"""`dicomprinter events`: what people have been told."""

from __future__ import annotations

import json
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import click

from dicomprinter.cli.messages import examples, invocation, json_option, plain, verbose_option
from dicomprinter.cli.spools import base_option, existing_base, no_access
from dicomprinter.engine.events import NewEvents, read_events
from dicomprinter.engine.spool_view import SpoolView

if TYPE_CHECKING:
    from pathlib import Path

_LOOK_SECONDS: Final = 0.5


@click.command(
    "events",
    epilog=examples("dicomprinter events --last 5", "dicomprinter events --follow", "dicomprinter events --json"),
)
@base_option
@click.option("--last", default=20, show_default=True, type=click.IntRange(min=0), help="So many, the newest.")
@click.option("--follow", is_flag=True, help="Go on with those that come, until Ctrl-C.")
@json_option
@verbose_option
def command(base: Path | None, last: int, follow: bool) -> int:
    """Show what Notify has told people, the newest last. It may hold patient data.

    With --json each is a JSON object in a line of its own.
    """
    place = existing_base(base)
    file = SpoolView(place).events_file
    try:
        new = NewEvents(file)
        for event in deque(read_events(file), maxlen=last):
            _show(event)
        while follow:
            for event in new.take():
                _show(event)
            time.sleep(_LOOK_SECONDS)
    except PermissionError:
        raise no_access(place) from None
    return 0


def _show(event: dict[str, Any]) -> None:
    if invocation().as_json:
        click.echo(json.dumps(event, ensure_ascii=False))
        return
    head = " ".join(str(event.get(key, "")) for key in ("time", "job", "action"))
    click.echo(plain(f"{head}: {event.get('private') or event.get('message', '')}"))
