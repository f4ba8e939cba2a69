"""The data dictionary (PS3.6) that pydicom brings, without the rest of pydicom.

pydicom imports numpy, Pillow and its decoders by itself, which takes longer than to check a configuration that
needs nothing but the names and representations of tags. So its table is loaded by its file.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_FILE: Final = "_dicom_dict.py"

# Value representation, value multiplicity, name, "Retired" or nothing, keyword.
_Entry = tuple[str, str, str, str, str]


class _Repeater(NamedTuple):
    """An entry for many tags: those that have the bits `fixed` under `mask`."""

    fixed: int
    mask: int
    entry: _Entry


class _Tables(NamedTuple):
    entries: Mapping[int, _Entry]
    repeaters: tuple[_Repeater, ...]


@cache
def _tables() -> _Tables:
    # Finding a package does not import it.
    package = importlib.util.find_spec("pydicom")
    folders = package.submodule_search_locations if package else None
    if not folders:
        raise ModuleNotFoundError("pydicom is not installed", name="pydicom")
    spec = importlib.util.spec_from_file_location("dicomprinter_data_dictionary", Path(folders[0]) / _FILE)
    if spec is None or spec.loader is None:
        raise ImportError(f"pydicom has no {_FILE}", name="pydicom")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    repeaters: Mapping[str, _Entry] = module.RepeatersDictionary
    return _Tables(module.DicomDictionary, tuple(_repeater(text, entry) for text, entry in repeaters.items()))


def _repeater(text: str, entry: _Entry) -> _Repeater:
    """Of `60xx0010`: each `x` is any digit."""
    mask = "".join("0" if digit == "x" else "F" for digit in text)
    return _Repeater(int(text.replace("x", "0"), 16), int(mask, 16), entry)


def _entry(tag: int) -> _Entry | None:
    tables = _tables()
    found = tables.entries.get(tag)
    # A private tag may lie in a repeating group, but is not of it.
    if found is None and not tag >> 16 & 1:
        found = next((one.entry for one in tables.repeaters if tag & one.mask == one.fixed), None)
    return found


def vr(tag: int) -> str | None:
    """A tag's value representation, `US or SS` where there are several; None if unknown or private."""
    found = _entry(tag)
    return found[0] if found else None


def vm(tag: int) -> str | None:
    """A tag's value multiplicity, such as `1-n`; None if unknown or private."""
    found = _entry(tag)
    return found[1] if found else None


def keyword(tag: int) -> str:
    """A tag's keyword, or the empty text."""
    found = _entry(tag)
    return found[4] if found else ""


@cache
def keywords() -> Mapping[str, int]:
    """The tag of every keyword; those of repeating groups have none."""
    return {entry[4]: tag for tag, entry in _tables().entries.items() if entry[4]}
