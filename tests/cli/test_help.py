"""Every command's help ends with examples, and every example is one that the command line takes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import click
import pytest

from dicomprinter.cli.main import commands
from dicomprinter.cli.messages import examples

_SHELL = {"|", ">", ">>", "<", "&&", ";", "2>"}


def walk(command: click.Command, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield names, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, f"{name} is listed and cannot be imported"
            yield from walk(inner, (*names, name))


ALL = dict(walk(commands))


def shown(command: click.Command) -> list[str]:
    """The lines of the block, without the indentation and without `sudo`."""
    context = click.Context(command, info_name="dicomprinter")
    _, found, block = command.get_help(context).partition("\n  Examples:\n")
    return [line.strip().removeprefix("sudo ") for line in block.splitlines() if line.strip()] if found else []


def words(line: str) -> list[str]:
    """The words of the program's own command; what the shell does with its output is not ours."""
    return list(takewhile(lambda word: word not in _SHELL, shlex.split(line, comments=True)))[1:]


def parse(arguments: list[str]) -> tuple[str, ...]:
    """The names of the command that would run; raises what the command line would say."""
    context = commands.make_context("dicomprinter", arguments)
    command: click.Command = commands
    names: tuple[str, ...] = ()
    # click keeps a group's first word apart from the others.
    while isinstance(command, click.Group) and (rest := [*context._protected_args, *context.args]):
        name, inner, rest = command.resolve_command(context, rest)
        assert name is not None
        assert inner is not None
        names += (name,)
        command, context = inner, inner.make_context(name, rest, parent=context)
    return names


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_help_has_examples_that_the_command_line_takes(
    names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [line for line in shown(ALL[names]) if line.startswith("dicomprinter ")]
    assert lines, "no example"
    for line in lines:
        called = parse(words(line))
        assert called[: len(names)] == names, line


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_option_says_what_it_does(names: tuple[str, ...]) -> None:
    silent = [one.name for one in ALL[names].params if isinstance(one, click.Option) and not one.help]
    assert silent == []


def test_lines_of_an_example_stay_as_they_are() -> None:
    long = "dicomprinter check " + "x" * 100
    command = click.Command("c", epilog=examples(long, "dicomprinter demo  # and why"))
    assert shown(command) == [long, "dicomprinter demo  # and why"]


@pytest.mark.parametrize(
    "wrong", ["check config.xml --none", "chekc config.xml", "run config.xml", "run c.xml f --endpoint PACS=nowhere"]
)
def test_a_wrong_example_would_be_seen(wrong: str) -> None:
    with pytest.raises(click.ClickException):
        parse(words(f"dicomprinter {wrong}"))


def test_what_the_shell_does_is_left_out() -> None:
    assert words("dicomprinter check 'a b.xml' --json | jq .  # why") == ["check", "a b.xml", "--json"]
