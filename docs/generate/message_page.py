"""Every message of the program with its cause and its remedy, by room and file."""

from __future__ import annotations

import ast
from itertools import groupby
from typing import TYPE_CHECKING

from docs.generate.markdown import plain, sections, table
from docs.generate.sites import messages
from docs.generate.source import modules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docs.generate.sites import Message

# From what an operator meets first to what is rare.
ROOMS = {
    "intake": "Files that come in",
    "imaging": "Pictures and PDFs",
    "dicom": "Archives, worklists and DICOM values",
    "actions": "Actions",
    "workflow": "The workflow",
    "engine": "The spool and its jobs",
    "job": "A job's folder",
    "service": "The service",
    "cli": "Commands",
    "program": "The configuration as a whole",
    "config": "Reading the configuration",
    "demo": "The demonstration",
}
_KINDS = {
    "TransientError": "worth another try",
    "PermanentError": "permanent",
    "TransientError / PermanentError": "worth another try, or permanent, as the peer says",
    "InputError": "refused",
    "SpoolError": "the spool cannot be used",
    "SpoolInUseError": "the spool cannot be used",
    "DamagedJobError": "the job is held",
    "OperatorNeeded": "waits for a person",
    "InternalFault": "a fault of the program: the job is held",
    "DicomPrinterError": "a fault of the program",
}


def reference() -> str:
    """The whole page."""
    trees = modules()
    by_room: dict[str, list[Message]] = {}
    for message in messages(trees):
        by_room.setdefault(message.module.split("/")[0].removesuffix(".py"), []).append(message)
    parts = []
    for room in [*ROOMS, *sorted(by_room.keys() - ROOMS.keys())]:
        if room in by_room:
            parts += [f"## {ROOMS.get(room, room)}", *_files(by_room[room], trees)]
    return sections(*parts)


def kind(message: Message) -> str:
    """What becomes of it, in words."""
    return _KINDS.get(message.kind, message.kind)


def _files(found: list[Message], trees: dict[str, ast.Module]) -> Iterator[str]:
    for module, group in groupby(found, key=lambda message: message.module):
        yield f"### `{module}`"
        about = (ast.get_docstring(trees[module]) or "").splitlines()
        yield about[0].replace("<", "&lt;") if about else ""
        rows = ((plain(one.what), plain(one.cause), plain(one.remedy), plain(kind(one))) for one in group)
        yield table(("Message", "Likely cause", "What to do", "Taken as"), rows)
