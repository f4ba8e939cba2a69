"""Fills the marks of a page: `<!-- generated: elements -->` becomes what the program says of its elements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docs.generate import action_page, command_line, differences, elements, identity, message_page, statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MARK = re.compile(r"^<!-- generated: ([a-zA-Z -]+) -->$", re.MULTILINE)

GENERATED: Mapping[str, Callable[[], str]] = {
    "elements": elements.reference,
    "actions": action_page.overview,
    "commands": command_line.reference,
    "differences": differences.differences,
    "messages": message_page.reference,
    "implementation": identity.implementation,
    "answers to a store": statuses.store_table,
    "answers to a find": statuses.find_table,
    "answers to a print": statuses.print_table,
    "rejections": statuses.rejections,
}

OF_ONE: Mapping[str, Callable[[str], str]] = {
    "action": action_page.declaration,
    "example": action_page.example,
}
"""Marks with a name: `<!-- generated: action PrintText -->`, `<!-- generated: example print-text -->`."""


def filled(page: str) -> str:
    """The page with every mark filled.

    Raises:
        KeyError: a mark that nothing stands for.
    """
    return _MARK.sub(lambda mark: _made(mark[1]), page)


def _made(mark: str) -> str:
    what, _, name = mark.partition(" ")
    return OF_ONE[what](name) if what in OF_ONE else GENERATED[mark]()
