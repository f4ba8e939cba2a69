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


def show_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None, *, whole: str = "", cut: str = ""
) -> None:
    """Print rows of texts; in a pipe each row is one line.

    Args:
        titles: of the columns.
        rows: a text for each column.
        title: of the table.
        whole: the column that is never wrapped.
        cut: the column that is cut to one line, and gives way first.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=_WIDE)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in titles:
        table.add_column(name, overflow="fold", no_wrap=name == whole)
    for row in rows:
        table.add_row(
            *(_cut(cell) if name == cut else Text(plain(cell)) for name, cell in zip(titles, row, strict=True))
        )
    console.print(table)


def _cut(cell: str) -> Text:
    return Text(plain(" ".join(cell.split())), no_wrap=True, overflow="ellipsis")
