"""The commands as shell completion needs them: names, options, arguments, and nothing imported to know them.

`completion.json` holds what the commands declare; `make completion` writes it, a test keeps it current.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import click

from dicomprinter.cli.lazy import commands_of

_FILE = "completion.json"


def stand_in(name: str) -> click.Command | None:
    """A command that can be completed and not run; None when the file does not know it."""
    text = resources.files("dicomprinter.cli").joinpath(_FILE).read_text(encoding="utf-8")
    known: dict[str, Any] = json.loads(text)
    return _command(name, known[name]) if name in known else None


def completion_text(commands: click.Group) -> str:
    """What the file is to hold: each command of the program's."""
    context = click.Context(commands)
    described = {command.name or "": description(command) for command in commands_of(commands, context)}
    return json.dumps(described, indent=1, sort_keys=True) + "\n"


def description(command: click.Command) -> dict[str, Any]:
    """What a command declares, for the file."""
    described: dict[str, Any] = {
        "help": command.get_short_help_str(limit=100),
        "parameters": [_parameter(parameter) for parameter in command.params],
    }
    if isinstance(command, click.Group):
        described["commands"] = {
            inner.name or "": description(inner) for inner in commands_of(command, click.Context(command))
        }
    return described


def _parameter(parameter: click.Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"names": [*parameter.opts, *parameter.secondary_opts], "count": parameter.nargs}
    if isinstance(parameter, click.Option):
        described |= {"help": parameter.help or "", "flag": parameter.is_flag, "multiple": parameter.multiple}
    if isinstance(parameter.type, click.Choice):
        described["choices"] = [str(choice) for choice in parameter.type.choices]
    elif isinstance(parameter.type, click.Path):
        described["path"] = True
    return described


def _command(name: str, described: dict[str, Any]) -> click.Command:
    parameters = [_stand_in_parameter(one) for one in described["parameters"]]
    # The root's names of the help option are taken over by each command below it.
    if "commands" not in described:
        return click.Command(name, params=parameters, help=described["help"])
    commands = {inner: _command(inner, its) for inner, its in described["commands"].items()}
    return click.Group(name, commands, params=parameters, help=described["help"])


def _stand_in_parameter(described: dict[str, Any]) -> click.Parameter:
    kind: click.ParamType[Any] | None = None
    if "choices" in described:
        kind = click.Choice(described["choices"])
    elif "path" in described:
        kind = click.Path()
    if "flag" not in described:
        return click.Argument(described["names"], nargs=described["count"], type=kind)
    if described["flag"]:
        return click.Option(described["names"], is_flag=True, help=described["help"])
    return click.Option(
        described["names"], nargs=described["count"], type=kind, multiple=described["multiple"], help=described["help"]
    )
