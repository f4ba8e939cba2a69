"""What was wanted and what was found: a table for the reader, an exit code for the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Check:
    """One line of the table.

    Args:
        item: the item's name.
        what: what was looked at.
        wanted: what it has to be, in words or a number: "≥ 300", "0".
        found: what it is.
        passed: whether that is what was wanted.
    """

    item: str
    what: str
    wanted: str
    found: str
    passed: bool

    @classmethod
    def none(cls, item: str, what: str, found: int) -> Check:
        """A count that has to be 0."""
        return cls(item, what, "0", str(found), found == 0)

    @classmethod
    def at_least(cls, item: str, what: str, wanted: float, found: float) -> Check:
        """A figure with a lower bound."""
        return cls(item, what, f"≥ {_figure(wanted)}", _figure(found), found >= wanted)

    @classmethod
    def at_most(cls, item: str, what: str, wanted: float, found: float) -> Check:
        """A figure with an upper bound."""
        return cls(item, what, f"≤ {_figure(wanted)}", _figure(found), found <= wanted)


def _figure(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def show(checks: Sequence[Check]) -> int:
    """Print the table; 0 when every check has passed, else 1. No check at all is none that has passed."""
    table = Table("", "what", "wanted", "found", "passed", highlight=False)
    for check in checks:
        table.add_row(check.item, check.what, check.wanted, check.found, "yes" if check.passed else "NO")
    # In a file or a log as well, no column is cut.
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table, markup=False)
    return 0 if checks and all(check.passed for check in checks) else 1
