"""Finds the actions: those of this program and those that a site adds by the entry point `dicomprinter.actions`."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dicomprinter.actions.base import Action

GROUP = "dicomprinter.actions"


def actions() -> dict[str, type[Action]]:
    """Every kind of action by its element's name; a site's own kind may not take the name of another."""
    found: dict[str, type[Action]] = {}
    for entry in sorted(
        entry_points(group=GROUP), key=lambda entry: (not entry.value.startswith("dicomprinter."), entry.name)
    ):
        kind: type[Action] = entry.load()
        found.setdefault(kind.spec.name, kind)
    return found
