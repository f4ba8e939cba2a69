"""`dicomprinter check`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomprinter.cli.bases import base_for, refuse_folder
from dicomprinter.cli.messages import (
    PATH,
    examples,
    invocation,
    json_option,
    print_json,
    problem_json,
    say,
    say_problems,
    verbose_option,
)
from dicomprinter.cli.quirks.differences import quirks as quirks_of
from dicomprinter.config.canonical import expand_environment
from dicomprinter.config.environment import read_environment
from dicomprinter.config.spec import EnoughError, Report
from dicomprinter.config.xml import parse
from dicomprinter.errors import ConfigError, Problem
from dicomprinter.program import load, root_spec

if TYPE_CHECKING:
    from dicomprinter.cli.quirks.differences import Quirk


@click.command(
    "check",
    epilog=examples(
        "dicomprinter check /etc/dicomprinter/config.xml",
        "dicomprinter check config.xml --strict --base /var/lib/dicomprinter",
        "dicomprinter check config.xml --from-incumbent",
    ),
)
@click.argument("config", type=PATH)
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option(
    "--from-incumbent",
    is_flag=True,
    help="Say also what does another thing here than on the incumbent, the program that the file was written for.",
)
@click.option("--base", type=PATH, help="The base directory, for its .env files.")
@json_option
@verbose_option
def command(config: Path, strict: bool, from_incumbent: bool, base: Path | None) -> int:
    """Load CONFIG and say everything that is wrong with it.

    Exit code 0, or 2 when it cannot be used. Without --base, CONFIG's base directory is taken when it lies as
    BASE/config/config.xml.
    """
    refuse_folder(config)
    errors: list[Problem] = []
    try:
        warnings = load(config, base_for(config, base)).remarks
    except ConfigError as error:
        errors, warnings = error.problems, error.warnings
    quirks = _quirks(config, base_for(config, base)) if from_incumbent else None
    is_valid = not errors and not (strict and warnings)
    say_problems(warnings, "yellow", "error: " if strict else "warning: ")
    say_problems(errors, "red")
    for quirk in quirks or ():
        at = quirk.position
        differs = f"there: {quirk.there}; here: {quirk.here}"
        say(f"differs: {config}:{at.line}:{at.column}: {quirk.what}; {differs}", "cyan")
    if quirks == []:
        say(f"{config}: nothing in it is known to differ from the incumbent")
    if invocation().as_json:
        lists = {"problems": errors, "warnings": warnings}
        found = {name: [problem_json(problem) for problem in problems] for name, problems in lists.items()}
        if from_incumbent:
            found["quirks"] = [_quirk_json(config, quirk) for quirk in quirks or ()]
        print_json({"file": str(config), "valid": is_valid, **found})
    elif is_valid:
        click.echo(f"{click.format_filename(config)}: valid")
    else:
        count = len(errors) + (len(warnings) if strict else 0)
        say(f"{config}: {count} error{'s' if count > 1 else ''}")
    return 0 if is_valid else ConfigError.exit_code


def _quirks(config: Path, base: Path | None) -> list[Quirk] | None:
    """Also of a file that cannot be used; None of one that is no XML, which its errors tell."""
    try:
        root = parse(config.read_bytes(), config)
        # What is not set has been told.
        with suppress(EnoughError):
            expand_environment(root, read_environment(base), Report())
    except ConfigError:
        return None
    return quirks_of(root, root_spec())


def _quirk_json(config: Path, quirk: Quirk) -> dict[str, Any]:
    place = {"file": str(config), "line": quirk.position.line, "column": quirk.position.column}
    return {**place, "what": quirk.what, "there": quirk.there, "here": quirk.here}
