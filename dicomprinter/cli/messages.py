"""What is told to a person on standard error, and to a program on standard output."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dicomprinter.errors import ConfigError, DicomPrinterError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomprinter.imaging.process import ChildProcess

F = TypeVar("F", bound=Callable[..., Any])
# What cannot be read is told by whoever reads it.
PATH = click.Path(path_type=Path, readable=False)
# All but tab and line feed: a name must not command the terminal.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass
class Invocation:
    """How the program was called; `child` gets ready to decode while the command is imported, where it will."""

    as_json: bool = False
    verbose: bool = False
    child: ChildProcess | None = None


def invocation() -> Invocation:
    """Of the command that runs."""
    found = click.get_current_context().find_root().obj
    return found if isinstance(found, Invocation) else Invocation()


def _verbose(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    root = ctx.find_root()
    if value and isinstance(root.obj, Invocation):
        root.obj.verbose = True


def verbose_option(command: F) -> F:
    """`-v`."""
    option = click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=_verbose, help="Tell more, on standard error."
    )
    return option(command)


def json_option(command: F) -> F:
    """`--json`, asked for by `invocation()`."""
    option = click.option("--json", is_flag=True, expose_value=False, help="Print one JSON object and nothing else.")
    return option(command)


def examples(*lines: str) -> str:
    """The end of a command's help, for `click.command(…, epilog=examples("dicomprinter check config.xml"))`.

    Each line stays as it is: a whole command, which may end with `  # what it does`.
    """
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def plain(text: str) -> str:
    """A text that may be shown on a terminal."""
    return _CONTROLS.sub("?", text)


def say(text: str, colour: str | None = None) -> None:
    """A line on standard error; nothing for an empty text."""
    if text:
        click.secho(plain(text), fg=colour, err=True)


def age_text(age: timedelta) -> str:
    """`12 s`, `3 h`."""
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def show_help(ctx: click.Context) -> int:
    """The help in place of a command that is missing; the exit code."""
    click.echo(ctx.get_help(), err=True)
    return click.UsageError.exit_code


def say_error(error: DicomPrinterError, how: Invocation) -> None:
    """Tell an error; with `--json` as `{"error": …, "problems": […]}`."""
    if isinstance(error, ConfigError):
        say_problems(error.warnings, "yellow", "warning: ")
        say_problems(error.problems, "red")
        what = "the configuration cannot be used"
        problems = error.problems
    else:
        # What must not be logged may be told to the one who has just named it.
        what = f"{error.private}: {error}" if error.private else str(error)
        say(f"error: {what}", "red")
        problems = []
    if how.as_json:
        print_json({"error": what, "problems": [problem_json(problem) for problem in problems]})


def say_problems(problems: Iterable[Problem], colour: str, head: str = "") -> None:
    """Each on a line, as `file:line:column: message; suggestion`."""
    for problem in problems:
        say(f"{head}{problem}", colour)


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem for a program."""
    return {**asdict(problem), "file": str(problem.file)}


def print_json(value: object) -> None:
    """The one object on standard output; ASCII alone, whatever the terminal's encoding."""
    click.echo(json.dumps(value, indent=2))
