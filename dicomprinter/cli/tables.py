"""Tables on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dicomprinter.cli.messages import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDE = 10_000


def show_table(titles: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> None:
    """Print rows of texts; in a pipe each row is one line."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=_WIDE)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in titles:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    console.print(table)
