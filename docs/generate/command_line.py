"""Every command with its `--help`, as a terminal of 100 columns shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dicomprinter.cli.main import commands
from docs.generate.markdown import sections

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLUMNS = 100


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Each command below one, and itself: its full name, the command, its context."""
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from walk(inner, _context(inner, name, context))


def root() -> tuple[click.Command, click.Context]:
    """The program's own command."""
    return commands, _context(commands, "dicomprinter", None)


def reference() -> str:
    """The whole page."""
    blocks = []
    for name, command, context in walk(*root()):
        blocks += [f"## {name}", f"```text\n{command.get_help(context).rstrip()}\n```"]
    return sections(*blocks)


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    settings = {"terminal_width": _COLUMNS, "max_content_width": _COLUMNS, **command.context_settings}
    return command.context_class(command, info_name=name, parent=parent, **settings)
