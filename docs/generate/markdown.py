"""Markdown that shows a text as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MARKS = str.maketrans({mark: f"&#{ord(mark)};" for mark in "&<>*_[]`|\\~#"})


def plain(text: str) -> str:
    """A text without any meaning for Markdown; line breaks become blanks."""
    return " ".join(text.split()).translate(_MARKS)


def code(text: str) -> str:
    """A text as code, also inside a table."""
    return f"<code>{plain(text)}</code>" if text else ""


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; empty without rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}", *lines])


def sections(*parts: str) -> str:
    """Blocks with an empty line between them; empty ones are left out."""
    return "\n\n".join(part for part in parts if part)
