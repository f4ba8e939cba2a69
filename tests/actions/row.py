"""A row of the table in test_elements, and short ways to write many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """What it covers, the snippet, where the value stands in what was read, the value, words of each warning.

    `covers` is `Element@attribute` or `Element/Child`, by the names of the Spec that declares it; `no …` shows
    what holds without it. `path` joins attributes, indices and keys by dots; `#` is the length.
    """

    covers: str
    xml: str
    path: str
    value: Any
    warnings: tuple[str, ...] = ()


def pick(value: Any, path: str) -> Any:
    for part in path.split("."):
        if part == "#":
            value = len(value)
        elif isinstance(value, Mapping):
            value = value[part]
        else:
            value = value[int(part)] if part.isdecimal() else getattr(value, part)
    return value


def elements(spec: str, wrap: Callable[[str], str], prefix: str, *cells: tuple[Any, ...]) -> list[Row]:
    """Rows for children that hold a text: (name, text, field, value, warning…); a name may be an older spelling
    when the name of today stands before it with a `<`: `FilmSizeId<FilmSizeID`.
    """
    rows = []
    for name, text, field, value, *warnings in cells:
        today, _, spelling = name.partition("<")
        spelling = spelling or today
        rows.append(
            Row(f"{spec}/{today}", wrap(f"<{spelling}>{text}</{spelling}>"), prefix + field, value, tuple(warnings))
        )
    return rows
