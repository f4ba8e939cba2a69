"""The edits by their kinds, to and from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from dicomprinter.errors import PermanentError
from dicomprinter.imaging.edits.base import PageEdit
from dicomprinter.imaging.edits.print_image import PrintImage
from dicomprinter.imaging.edits.print_text import PrintText
from dicomprinter.imaging.edits.resize import Resize
from dicomprinter.imaging.edits.rotate import Rotate
from dicomprinter.imaging.edits.trim import Trim

_ALL: Final = (PrintImage, PrintText, Resize, Rotate, Trim)
_EDITS: Final[Mapping[str, type[PageEdit]]] = MappingProxyType({edit.kind: edit for edit in _ALL})


def edit_to_json(edit: PageEdit) -> tuple[str, str]:
    """An edit's kind, and its arguments as JSON text: the same text for the same edit."""
    return edit.kind, json.dumps(asdict(edit), sort_keys=True)


def edit_from_json(kind: str, arguments: str) -> PageEdit:
    """The same edit again.

    Raises:
        PermanentError: there is no such edit, or its arguments are damaged.
    """
    made = _EDITS.get(kind)
    if made is None:
        raise PermanentError(f'this version knows no change of pages called "{kind}"', remedy="print the job again")
    try:
        values = {name: _tuples(value) for name, value in json.loads(arguments).items()}
        hints = get_type_hints(made)
        if all(_fits(value, hints[name]) for name, value in values.items()):
            return made(**values)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        pass
    raise PermanentError(f'the arguments of the change "{kind}" are damaged', remedy="print the job again")


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _fits(value: object, hint: Any) -> bool:
    """Whether a value from JSON is of the kind that a field wants."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if kind is Literal:
        return value in parts
    if kind is tuple:
        return isinstance(value, tuple) and _are(value, parts)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _are(values: tuple[object, ...], hints: tuple[Any, ...]) -> bool:
    if len(hints) == 2 and hints[1] is Ellipsis:
        return all(_fits(one, hints[0]) for one in values)
    return len(values) == len(hints) and all(map(_fits, values, hints))
