"""Searching a job's values with the expressions of a configuration, which somebody may have written badly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    import regex

_SECONDS: Final = 2.0
# A time-out of nothing would be none at all.
_LEAST: Final = 0.001


def search(pattern: regex.Pattern[str], text: str, where: str, seconds: float | None = None) -> bool:
    """Whether an expression is found in a text.

    Args:
        pattern: the expression; what a job has filled in may be patient data, as the text may.
        text: what is searched.
        where: whose expression it is, for the message.
        seconds: of processor time that it may take; two when unsaid.

    Raises:
        PermanentError: it takes too long.
    """
    return Searcher(pattern, where, seconds).first(text) is not None


class Searcher:
    """Searches one text after the other with an expression; all of it together has a limit of processor time.

    Args:
        pattern: the expression.
        where: whose expression it is, for the message.
        seconds: the limit; two when unsaid.
    """

    def __init__(self, pattern: regex.Pattern[str], where: str, seconds: float | None = None) -> None:
        self._pattern = pattern
        self._where = where
        self._seconds = self._left = _SECONDS if seconds is None else seconds

    def first(self, text: str) -> regex.Match[str] | None:
        """Where the expression matches first. Other threads go on meanwhile.

        Raises:
            PermanentError: it takes too long, or too much memory.
        """
        began = time.thread_time()
        try:
            return self._pattern.search(text, timeout=max(self._left, _LEAST), concurrent=True)
        except TimeoutError:
            raise self._too_much(f"took longer than {self._seconds:g} s") from None
        except (MemoryError, RecursionError):
            raise self._too_much("took too much memory") from None
        finally:
            self._left -= time.thread_time() - began

    def _too_much(self, what: str) -> PermanentError:
        return PermanentError(
            f"the expression of {self._where} {what}",
            cause="it can be matched in too many ways (nested repetitions)",
            remedy="write it more simply",
        )
