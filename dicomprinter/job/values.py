"""Plain values from JSON, which may have been filled with anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from types import MappingProxyType, UnionType
from typing import Any, Final, TypeVar

Part = TypeVar("Part")
# The kinds of fields that JSON may have filled with something else.
_KINDS: Final[Mapping[str, type | UnionType]] = MappingProxyType(
    {"str": str, "int": int, "bool": bool, "str | None": str | None, "int | None": int | None}
)


def made(kind: type[Part], data: Mapping[str, Any]) -> Part:
    """A part from JSON.

    Raises:
        TypeError: it has other fields, or values of another kind.
    """
    for name, wanted in _wanted(kind):  # type: ignore[arg-type] # a class can be hashed
        if name in data and not isinstance(data[name], wanted):
            raise TypeError(name)
    return kind(**data)


@cache
def _wanted(kind: type) -> tuple[tuple[str, type | UnionType], ...]:
    """The fields of a part that hold plain values, and what these are."""
    return tuple((one.name, _KINDS[str(one.type)]) for one in fields(kind) if str(one.type) in _KINDS)


def moment(text: str) -> datetime:
    """A date and time with its offset.

    Raises:
        ValueError: it is none, or has no offset.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("no offset")
    return found


def texts(values: Collection[object]) -> tuple[str, ...]:
    """Texts, one after the other.

    Raises:
        TypeError: one is something else.
    """
    found = tuple(value for value in values if isinstance(value, str))
    if len(found) != len(values):
        raise TypeError("not a text")
    return found


def inside(name: str) -> str:
    """The name of a file below the job's folder, as it is.

    Raises:
        ValueError: it leads elsewhere.
    """
    parts = name.replace("\\", "/").split("/")
    if not all(parts) or ".." in parts or ":" in name or "\0" in name:
        raise ValueError("a file that is not in the job's folder")
    return name
