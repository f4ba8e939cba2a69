"""Tables on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dicomprinter.cli.messages import plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

_WIDE = 10_000
_NARROW = 110
_MANY = 200


def show_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    title: str | None = None,
    *,
    whole: Collection[str] = (),
    cut: Collection[str] = (),
) -> None:
    """Print rows of texts; in a pipe each row is one line, and so it is where they are very many.

    Args:
        titles: of the columns.
        rows: a text for each column.
        title: of the table.
        whole: the columns that are never wrapped.
        cut: the columns that are cut to one line, and give way first.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=_WIDE)
    if len(rows) > _MANY:
        # To lay these out cell by cell would take seconds.
        click.echo("\n".join(_even_lines(titles, rows, console.width if console.is_terminal else _WIDE)))
        return
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in titles:
        table.add_column(name, overflow="fold", no_wrap=name in whole, min_width=len(name))
    for row in rows:
        table.add_row(
            *(_cut(cell) if name in cut else Text(plain(cell)) for name, cell in zip(titles, row, strict=True))
        )
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    lines = (line.rstrip() for line in captured.get().splitlines())
    # The rule below the titles would be as long as the longest text.
    click.echo("\n".join(line for line in lines if line.strip("─ ")))


def is_narrow() -> bool:
    """Whether a table goes to a terminal that is no wider than 110 letters."""
    console = Console()
    return console.is_terminal and console.width <= _NARROW


def _even_lines(titles: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> Iterator[str]:
    """A line each for the titles and the rows, the columns below each other, nothing wider than `width`."""
    columns = [_even(column) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        line = " " + "   ".join([texts[cell] for texts, cell in zip(columns, row, strict=True)]).rstrip()
        yield line if cell_len(line) <= width else set_cell_size(line, width - 1) + "…"


def _even(column: Iterable[str]) -> dict[str, str]:
    """How each cell of a column is shown; most of them stand there many times."""
    lines = {cell: plain(" ".join(cell.split())) for cell in set(column)}
    lengths = {cell: cell_len(line) for cell, line in lines.items()}
    width = max(lengths.values())
    return {cell: line + " " * (width - lengths[cell]) for cell, line in lines.items()}


def _cut(cell: str) -> Text:
    return Text(plain(" ".join(cell.split())), no_wrap=True, overflow="ellipsis")
