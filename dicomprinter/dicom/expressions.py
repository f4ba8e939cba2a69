"""Searching a job's values with the expressions of a configuration, which somebody may have written badly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    import regex

_SECONDS: Final = 2.0


def search(pattern: regex.Pattern[str], text: str, where: str) -> bool:
    """Whether an expression is found in a text.

    Args:
        pattern: the expression; what a job has filled in may be patient data, as the text may.
        text: what is searched.
        where: whose expression it is, for the message.

    Raises:
        PermanentError: it takes too long.
    """
    try:
        return pattern.search(text, timeout=_SECONDS) is not None
    except TimeoutError:
        raise PermanentError(
            f"the expression of {where} took longer than {_SECONDS:g} s",
            cause="it can be matched in too many ways (nested repetitions)",
            remedy="write it more simply",
        ) from None
