"""Arguments of the form `NAME=value`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from dicomprinter.actions.store.action import Store
from dicomprinter.cli.messages import F
from dicomprinter.config.canonical import nearest
from dicomprinter.config.kinds import BOOLEAN
from dicomprinter.dicom.tags import parse_tag
from dicomprinter.errors import InputError
from dicomprinter.workflow.conditions import FIELDS, YES_OR_NO, Condition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomprinter.program import Program

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^:\[\]\s]+)):(?P<port>[0-9]{1,9})")
_FIELD = re.compile(r"(\w+)\s*(?:\(\s*(.*?)\s*\))?")


def assignments(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """An option's `NAME=value`s taken apart; a value may hold more equals signs."""
    return tuple(_assignment(text) for text in values)


def _assignment(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise click.BadParameter(f'"{text}" is not of the form NAME=value')
    return name.strip(), value


def endpoint_option(command: F) -> F:
    """`--endpoint NAME=host:port`, as a mapping of names to hosts and ports."""
    option = click.option(
        "--endpoint",
        "endpoints",
        metavar="NAME=HOST:PORT",
        multiple=True,
        callback=_endpoints,
        help="Another address for an action or an AE title.",
    )
    return option(command)


def _endpoints(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, tuple[str, int]]:
    return dict(_endpoint(text) for text in values)


def _endpoint(text: str) -> tuple[str, tuple[str, int]]:
    # An action's name may hold an equals sign, an address never does.
    name, _, address = text.rpartition("=")
    found = _ADDRESS.fullmatch(address.strip())
    way_out = "is not of the form NAME=host:port or NAME=[IPv6 address]:port"
    if not name.strip() or found is None:
        raise click.BadParameter(f'"{text}" {way_out}')
    if not 0 < int(found["port"]) <= 65535:
        raise click.BadParameter(f'"{text}" {way_out}: {found["port"]} is not a port from 1 to 65535')
    return name.strip(), (found["six"] or found["host"], int(found["port"]))


def assumptions(program: Program, given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What `--assume` says, by a condition's label.

    Raises:
        InputError: no such field, tag or Store, or a value that is neither true nor false where it has to be.
    """
    return dict(_assumption(program, name, value) for name, value in given)


def _assumption(program: Program, name: str, value: str) -> tuple[str, str]:
    match = _FIELD.fullmatch(name)
    field = match[1].upper() if match else name
    if match is None or field not in FIELDS:
        raise InputError(f'--assume: "{name}" is not a field of conditions', remedy=nearest(field, FIELDS))
    try:
        label = _label(program, field, match[2])
        if field in YES_OR_NO:
            BOOLEAN.parse(value)
    except ValueError as error:
        raise InputError(f"--assume {name}: {error}") from None
    return label, value


def _label(program: Program, field: str, inside: str | None) -> str:
    if inside is None:
        return field
    if field == "TAG_VALUE":
        return Condition(field, parse_tag(inside), None, "", True).label
    if field != "STORE_SUCCEEDED":
        raise ValueError(f"{field} takes nothing in parentheses")
    stores = [action.name for action in program.actions.values() if isinstance(action, Store)]
    if inside not in stores:
        raise ValueError(f'there is no Store "{inside}"; {nearest(inside, stores)}')
    return Condition(field, None, inside, "", True).label
