"""One hierarchy of errors: each says what happened, the likely cause and what to do.

A message is safe for a log: it names tags, files and peers, never a patient's values. What may hold
patient data (a peer's ErrorComment, say) goes into `private` and is kept in the job's history alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

MASK = "****"


class Private(str):
    """A text with patient data; `redacted` is the same text with `****` in place of the values.

    Where only a `str` is left of it (after a `+`, say), all of it counts as a value: nothing can come out by mistake.
    """

    redacted: str

    def __new__(cls, text: str, redacted: str = MASK) -> Self:
        """Of a text of which nothing may be shown, or of one and what may be shown in its place."""
        made = super().__new__(cls, text)
        made.redacted = redacted
        return made

    @classmethod
    def fill(cls, template: str, *values: object) -> Self:
        """`Private.fill("compared with {}", value)`: the template itself holds nothing of the patient."""
        return cls(template.format(*values), template.format(*(MASK for _ in values)))

    @classmethod
    def joined(cls, separator: str, texts: Iterable[str]) -> Self:
        """Several private texts as one."""
        parts = list(texts)
        return cls(separator.join(parts), separator.join(redacted(part) for part in parts))


def redacted(text: str) -> str:
    """What a log may show of a private text; nothing of an empty one."""
    if isinstance(text, Private):
        return text.redacted
    return MASK if text else ""


class DicomPrinterError(Exception):
    """The base of every error this program raises on purpose.

    Args:
        what: what happened, one sentence without a full stop.
        cause: the likely cause.
        remedy: what the reader can do about it.
        private: details that may hold patient data; a log shows them only when its redaction is off.
        details: what a program that reads the log may want, such as a status code; no patient data.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        cause: str = "",
        remedy: str = "",
        private: str = "",
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.cause = cause
        self.remedy = remedy
        self.private = private
        self.details = dict(details or {})

    def __str__(self) -> str:
        return "; ".join(part for part in (self.what, self.cause, self.remedy) if part)


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a configuration file; line and column count from 1."""

    file: Path
    line: int
    column: int
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        tail = f"; {self.suggestion}" if self.suggestion else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{tail}"


class ConfigError(DicomPrinterError):
    """A configuration that cannot be used; holds every problem found, in the order of the file."""

    exit_code = 2

    def __init__(self, problems: list[Problem], warnings: list[Problem] | None = None) -> None:
        self.problems = sorted(problems)
        self.warnings = sorted(warnings or [])
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InputError(DicomPrinterError):
    """A file or an argument from outside that cannot become a job."""

    exit_code = 2


class SpoolError(DicomPrinterError):
    """A spool that cannot be used: it belongs to another process, or cannot be written."""

    exit_code = 2


class TransientError(DicomPrinterError):
    """Worth trying again: the peer is away, busy or full."""

    exit_code = 4


class PermanentError(DicomPrinterError):
    """The same attempt would fail again: something has to be changed first."""

    exit_code = 3


class OperatorNeeded(DicomPrinterError):  # noqa: N818 - not a fault, a state
    """Only a person can decide how the job goes on."""

    exit_code = 3


class DiscardJob(DicomPrinterError):  # noqa: N818 - not a fault, a wish
    """An action wants the job to end and its files to go; no policy is asked."""

    exit_code = 5


class SuspendJob(DicomPrinterError):  # noqa: N818 - not a fault, a wish
    """An action wants to be performed again after SuspensionTime; no policy is asked."""

    exit_code = 4


class Interrupted(Exception):  # noqa: N818 - not a fault, an order
    """The service ends before an action is done: the node counts as not begun, and is repeated at the next start."""
