"""The text that an expression of the source makes, with … where a value stands."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = "…"
_DEEPEST = 8


def text_of(node: ast.expr | None, names: Mapping[str, ast.expr | str], depth: int = 0) -> str:
    """What an expression says.

    Args:
        node: a literal, an f-string, a sum of these, or a name for one.
        names: what names stand for; a text is taken as it is.
        depth: of names that stand for names.
    """
    if node is None or depth > _DEEPEST:
        return "" if node is None else UNKNOWN
    text = UNKNOWN
    match node:
        case ast.Constant(value=value):
            text = "" if value is None else str(value)
        case ast.JoinedStr(values=values):
            text = "".join(text_of(value, names, depth) for value in values)
        case ast.FormattedValue(value=ast.Name() as name):
            text = text_of(name, names, depth + 1)
        case ast.FormattedValue(value=ast.Attribute(attr="said")):
            text = f"<{UNKNOWN}>"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            text = text_of(left, names, depth) + text_of(right, names, depth)
        case ast.BoolOp(op=ast.Or(), values=[first, *_]):
            text = text_of(first, names, depth)
        case ast.IfExp(body=body, orelse=orelse):
            text = _either(text_of(body, names, depth), text_of(orelse, names, depth))
        case ast.Name(id=name) if name in names:
            found = names[name]
            text = found if isinstance(found, str) else text_of(found, names, depth + 1)
    return text


def says_something(text: str) -> bool:
    """Whether there is a word beside the values."""
    return any(character.isalpha() for character in text.replace(UNKNOWN, ""))


def _either(first: str, second: str) -> str:
    if not first or not second:
        return first or second
    return first if first == second else f"{first} / {second}"
