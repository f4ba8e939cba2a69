"""`dicomprinter check`."""

from __future__ import annotations

from pathlib import Path

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
from dicomprinter.errors import ConfigError, Problem
from dicomprinter.program import load


@click.command(
    "check",
    epilog=examples(
        "dicomprinter check /etc/dicomprinter/config.xml",
        "dicomprinter check config.xml --strict --base /var/lib/dicomprinter",
    ),
)
@click.argument("config", type=PATH)
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option("--base", type=PATH, help="The base directory, for its .env files.")
@json_option
@verbose_option
def command(config: Path, strict: bool, base: Path | None) -> int:
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
    is_valid = not errors and not (strict and warnings)
    say_problems(warnings, "yellow", "error: " if strict else "warning: ")
    say_problems(errors, "red")
    if invocation().as_json:
        lists = {"problems": errors, "warnings": warnings}
        found = {name: [problem_json(problem) for problem in problems] for name, problems in lists.items()}
        print_json({"file": str(config), "valid": is_valid, **found})
    elif is_valid:
        click.echo(f"{click.format_filename(config)}: valid")
    else:
        count = len(errors) + (len(warnings) if strict else 0)
        say(f"{config}: {count} error{'s' if count > 1 else ''}")
    return 0 if is_valid else ConfigError.exit_code
