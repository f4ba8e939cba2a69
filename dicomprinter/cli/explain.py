"""`dicomprinter explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from dicomprinter.cli.bases import base_for, refuse_folder
from dicomprinter.cli.messages import (
    PATH,
    examples,
    invocation,
    json_option,
    plain,
    print_json,
    say_problems,
    verbose_option,
)
from dicomprinter.errors import InputError
from dicomprinter.program import load
from dicomprinter.workflow.mermaid import flowchart
from dicomprinter.workflow.outline import outline
from dicomprinter.workflow.words import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomprinter.program import Program
    from dicomprinter.workflow.outline import Entry

_WIDE = 10_000


@click.command(
    "explain",
    epilog=examples(
        "dicomprinter explain config.xml",
        "dicomprinter explain config.xml --format mermaid > workflow.mmd",
    ),
)
@click.argument("config", type=PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid"]),
    default="text",
    show_default=True,
    help="A tree for people, or a flowchart in Mermaid's language.",
)
@click.option("--base", type=PATH, help="The base directory, for its .env files.")
@json_option
@verbose_option
def command(config: Path, form: str, base: Path | None) -> int:
    """Show what CONFIG does: every path, what each action does where, and what becomes of a job when one fails.

    In brackets stands each node's position, which `jobs list` names where a job waits.
    """
    if form == "mermaid" and invocation().as_json:
        raise InputError("--json and --format mermaid do not go together", remedy="choose one of them")
    refuse_folder(config)
    program = load(config, base_for(config, base))
    say_problems(program.remarks, "yellow", "warning: ")
    if invocation().as_json:
        nodes = [entry.to_json() for entry in outline(program)]
        print_json({"file": str(config), "suspension_seconds": program.suspension_time.total_seconds(), "nodes": nodes})
    elif form == "mermaid":
        click.echo(flowchart(program), nl=False)
    else:
        _show(program)
    return 0


def _show(program: Program) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        # In a pipe each line stays one.
        console = Console(highlight=False, markup=False, emoji=False, width=_WIDE)
    tree = Tree(Text(plain(str(program.file)), style="bold"))
    _add(tree, outline(program))
    tree.add(Text("the end: the job is done"))
    console.print(tree)
    general = program.general
    click.echo(
        f"\na suspended job waits {duration(general.suspension_time)}; "
        f"an unfinished one expires after {duration(general.validity_period)}"
    )


def _add(tree: Tree, entries: Iterable[Entry]) -> None:
    for entry in entries:
        text = Text.assemble((f"[{entry.path}] ", "dim"), (plain(entry.title), "bold"))
        for note in entry.notes:
            text.append(f"\n  {plain(note)}")
        twig = tree.add(text)
        for branch in entry.branches:
            below = twig.add(Text(plain(branch.answer), style="cyan"))
            _add(below, branch.entries)
            if not branch.entries:
                below.add(Text("nothing"))
