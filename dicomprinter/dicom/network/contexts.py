"""Presentation contexts: what is proposed, and what the peer makes of it (PS3.8 9.3.2.2 and 9.3.3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_CONTEXTS: Final = 128


@dataclass(frozen=True)
class Context:
    """A presentation context: one SOP class in one transfer syntax, under an odd number from 1 to 255."""

    number: int
    sop_class: str
    transfer_syntax: str


@dataclass(frozen=True)
class Answer:
    """What the peer made of our proposal.

    Args:
        accepted: the contexts it took, in the order proposed.
        refused: the others, each with the result that it gave (PS3.8 table 9-18).
        max_pdu: the longest PDU in bytes that it accepts; 0 is unlimited.
    """

    accepted: tuple[Context, ...]
    refused: tuple[tuple[Context, int], ...]
    max_pdu: int


def number_contexts(wanted: Sequence[tuple[str, Sequence[str]]]) -> tuple[Context, ...]:
    """Give each (SOP class, transfer syntax) a context of its own, once.

    Raises:
        ValueError: nothing, or more than 128 contexts (PS3.8 9.3.2.2).
    """
    pairs = dict.fromkeys((str(sop_class), str(syntax)) for sop_class, syntaxes in wanted for syntax in syntaxes)
    if not 0 < len(pairs) <= MOST_CONTEXTS:
        raise ValueError(f"an association has 1 to {MOST_CONTEXTS} presentation contexts, not {len(pairs)}")
    return tuple(Context(2 * index + 1, *pair) for index, pair in enumerate(pairs))
