"""The network actions that every fault is tried on: one more joins with a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Subject:
    """A network action.

    Args:
        kind: the name of its element.
        element: its element, from its name and its ConnectionParameters.
        sends: whether it is itself what brings the job to an archive; for any other a Store follows.
    """

    kind: str
    element: Callable[[str, str], str]
    sends: bool = False


def _store(name: str, connection: str) -> str:
    return f'<Store name="{name}">{connection}</Store>'


def _query(name: str, connection: str) -> str:
    keys = '<DcmTag tag="PatientID"/><DcmTag tag="StudyInstanceUID"/>'
    return f'<Query name="{name}" type="Study">{connection}{keys}</Query>'


SUBJECTS: Final = (Subject("Store", _store, sends=True), Subject("Query", _query))
