"""Groups whose commands are imported when they are called: one that only lists is not to wait for DICOM."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyGroup(click.Group):
    """Knows its commands by name.

    Args:
        places: where each command stands, as `module:name`, in the order of the help.
        options: those of a click group.
    """

    def __init__(self, *, places: Mapping[str, str], **options: Any) -> None:
        super().__init__(**options)
        self._places = dict(places)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, in the order of `places`."""
        return list(self._places)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in self._places:
            return None
        module, _, name = self._places[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        return command if isinstance(command, click.Command) else None


def commands_of(group: click.Group, ctx: click.Context) -> list[click.Command]:
    """Every command of a group, each imported."""
    found = (group.get_command(ctx, name) for name in group.list_commands(ctx))
    return [command for command in found if command is not None]
