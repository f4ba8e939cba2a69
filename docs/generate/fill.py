"""Fills the marks of a page: `<!-- generated: elements -->` becomes what the program says of its elements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docs.generate import command_line, elements, identity, message_page, statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MARK = re.compile(r"^<!-- generated: ([a-z -]+) -->$", re.MULTILINE)

GENERATED: Mapping[str, Callable[[], str]] = {
    "elements": elements.reference,
    "commands": command_line.reference,
    "messages": message_page.reference,
    "implementation": identity.implementation,
    "answers to a store": statuses.store_table,
    "answers to a find": statuses.find_table,
    "rejections": statuses.rejections,
}


def filled(page: str) -> str:
    """The page with every mark filled.

    Raises:
        KeyError: a mark that nothing stands for.
    """
    return _MARK.sub(lambda mark: GENERATED[mark[1]](), page)
