"""What peers may answer, as the program itself understands it."""

from __future__ import annotations

from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING

from dicomprinter.dicom.network.failures import rejected
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.status import Kind, Status, find_status, print_status, store_status
from docs.generate.markdown import code, plain, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_KINDS = {
    Kind.SUCCESS: "success",
    Kind.WARNING: "stored, with a warning",
    Kind.DUPLICATE: "stored, if an earlier try of this job sent it; else permanent",
    Kind.TRANSIENT: "worth another try",
    Kind.PERMANENT: "permanent",
}
_CODES = range(0x10000)
_SOURCES, _REASONS = range(1, 4), range(1, 8)


def store_table() -> str:
    """Answers to a C-STORE."""
    return _statuses(store_status)


def find_table() -> str:
    """Final answers to a C-FIND."""
    return _statuses(find_status)


def print_table() -> str:
    """Answers of a printer."""
    return _statuses(print_status, {Kind.SUCCESS: "success", Kind.WARNING: "done, with a warning"})


def rejections() -> str:
    """Reasons of an A-ASSOCIATE-RJ (PS3.8 table 9-21)."""
    peer = Peer("PEER", "127.0.0.1", 104)
    rows = []
    for source in _SOURCES:
        for reason in _REASONS:
            error = rejected(peer, 1, source, reason)
            if "not in the standard" not in error.cause:
                rows.append((str(source), str(reason), plain(error.cause), plain(error.remedy)))
    return table(("Source", "Reason", "Meaning", "What to do"), rows)


def _statuses(meaning_of: Callable[[int], Status], words: Mapping[Kind, str] = MappingProxyType({})) -> str:
    lines = []
    known = (found for found in map(meaning_of, _CODES) if not found.meaning.startswith("unknown status"))
    for (kind, meaning, cause, remedy), group in groupby(known, key=_said):
        codes = [found.code for found in group]
        shown = f"{codes[0]:04X}" if len(codes) == 1 else f"{codes[0]:04X} to {codes[-1]:04X}"
        lines.append((code(shown), plain(meaning), plain(words.get(kind, _KINDS[kind])), plain(cause), plain(remedy)))
    return table(("Status", "Meaning", "Taken as", "Likely cause", "What to do"), lines)


def _said(status: Status) -> tuple[Kind, str, str, str]:
    return status.kind, status.meaning, status.cause, status.remedy
