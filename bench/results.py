"""What came out: a table for the reader, JSON for the record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import Figure


@dataclass(frozen=True)
class Row:
    """One comparison, or one figure of ours with its target.

    Args:
        item: the item's name.
        what: what was measured.
        ours: this program.
        theirs: the public tool, None where there is none.
        target: what `score` is to reach, None where there is no target.
        at_most: whether the target is an upper bound.
        score: what is held against the target; the ratio when unsaid.
        remark: what a reader has to know.
        details: more figures, for the JSON alone.
    """

    item: str
    what: str
    ours: Figure
    theirs: Figure | None = None
    target: float | None = None
    at_most: bool = False
    score: float | None = None
    remark: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times faster than theirs."""
        if self.theirs is None:
            return None
        quick = self.theirs.median / self.ours.median
        return quick if self.ours.unit in ("ms", "s") else 1 / quick

    @property
    def reached(self) -> bool | None:
        """None without a target."""
        held = self.score if self.score is not None else self.ratio
        if self.target is None or held is None:
            return None
        return held <= self.target if self.at_most else held >= self.target

    def to_json(self) -> dict[str, Any]:
        """Everything, every round included."""
        return {
            "item": self.item,
            "what": self.what,
            "ours": _figure(self.ours),
            "theirs": _figure(self.theirs) if self.theirs else None,
            "ratio": self.ratio,
            "target": self.target,
            "target_is": None if self.target is None else "at most" if self.at_most else "at least",
            "score": self.score if self.score is not None else self.ratio,
            "reached": self.reached,
            "remark": self.remark,
            "details": {key: _figure(one) if isinstance(one, Figure) else one for key, one in self.details.items()},
        }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "median": round(figure.median, 3),
        "unit": figure.unit,
        "values": [round(value, 3) for value in figure.values],
    }


def show(rows: Sequence[Row], left_out: Sequence[str]) -> None:
    """Print the table, and what could not be measured."""
    table = Table("", "what", "ours", "theirs", "ratio", "target", "reached", "remark", highlight=False)
    for row in rows:
        ratio = f"{row.ratio:.2f}×" if row.ratio is not None else ""
        table.add_row(
            row.item, row.what, str(row.ours), str(row.theirs or ""), ratio, _target(row), _reached(row), row.remark
        )
    # In a file or a log as well, no column is cut.
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)
    for row in missed(rows):
        console.print(f"missed: {row.item}, {row.what}", highlight=False, markup=False)
    for reason in left_out:
        console.print(f"left out: {reason}", highlight=False, markup=False)


def missed(rows: Sequence[Row]) -> list[Row]:
    """Those that have not reached their target."""
    return [row for row in rows if row.reached is False]


def _target(row: Row) -> str:
    if row.target is None:
        return ""
    unit = "×" if row.score is None else f" {row.ours.unit}"
    return f"{'≤' if row.at_most else '≥'} {row.target:g}{unit}"


def _reached(row: Row) -> str:
    return {None: "", True: "yes", False: "NO"}[row.reached]


def keep(folder: Path, name: str, rows: Sequence[Row], facts: dict[str, Any], left_out: Sequence[str]) -> Path:
    """Write the JSON; the file's name tells the time and the items."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}.json"
    found = {"facts": facts, "rows": [row.to_json() for row in rows], "left_out": list(left_out)}
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file
