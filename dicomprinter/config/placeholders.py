"""`#{…}` inside values: read once at load, filled in for each job."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from dicomprinter.dicom.tags import parse_tag, suggest_keyword
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from datetime import datetime

_PLACEHOLDER = re.compile(r"#\{([^{}]*)\}")
_DATE = re.compile(r"Date(?:\s*,\s*([+-]?\d{1,5})(?:\s*,\s*(\d{1,5}))?)?", re.IGNORECASE)

FACTS = ("Job.Name", "Job.User", "Job.Host", "Job.Id", "Job.Source")
MOMENTS = {"Time": "%H%M%S", "Year": "%Y", "Month": "%m", "Day": "%d"}
FILES = ("InputFile", "OutputFile")
_KNOWN = (
    f"known are the keyword or number of a tag, Date[,days[,spread]], {', '.join(MOMENTS)}, UID, {', '.join(FACTS)}"
)


class Source(Protocol):
    """Where placeholders find their values: a job."""

    def moment(self) -> datetime:
        """The job's date and time, read once."""

    def fact(self, name: str) -> str:
        """`Job.Name` and its like; also `InputFile` and `OutputFile` of older files."""

    def tag_text(self, tag: int) -> str | None:
        """A tag's value as text, or None when the job lacks it."""

    def fresh_uid(self, place: str) -> str:
        """A UID, the same for the same place each time it is asked for."""


@dataclass(frozen=True)
class Placeholder:
    """One `#{…}`: its text as written, the kind, and what the kind needs."""

    text: str
    kind: str
    tag: int = 0
    days: int = 0
    spread: int | None = None

    def expand(self, source: Source, place: str) -> str | None:
        """The value for this job; None when a tag is missing."""
        match self.kind:
            case "tag":
                return source.tag_text(self.tag)
            case "date":
                return _date_text(source.moment().date(), self.days, self.spread)
            case "uid":
                return source.fresh_uid(place)
            case "fact":
                return source.fact(self.text)
        return source.moment().strftime(MOMENTS[self.text])


@dataclass(frozen=True)
class Template:
    """A value of the file: literal text and placeholders, in order."""

    source: str
    parts: tuple[str | Placeholder, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read a value.

        Raises:
            ValueError: a placeholder that is neither a tag nor one of ours, with the nearest name.
        """
        parts: list[str | Placeholder] = []
        end = 0
        for match in _PLACEHOLDER.finditer(text):
            parts += _literal(text[end : match.start()], text)
            parts.append(_placeholder(match[1].strip()))
            end = match.end()
        parts += _literal(text[end:], text)
        return cls(text, tuple(parts))

    @property
    def is_literal(self) -> bool:
        """Whether there is nothing to fill in."""
        return all(isinstance(part, str) for part in self.parts)

    def expand(self, source: Source, place: str) -> tuple[str, list[str]]:
        """The text for a job, and the placeholders whose tag the job lacks (they expand to nothing).

        `place` tells one `#{UID}` from another: the action and what of it is filled in.
        """
        text, missing = "", []
        for index, part in enumerate(self.parts):
            value = part if isinstance(part, str) else part.expand(source, f"{place}#{index}")
            if value is None and not isinstance(part, str):
                missing.append("#{" + part.text + "}")
            text += value or ""
        return text, missing


def _literal(piece: str, text: str) -> list[str]:
    if "#{" in piece:
        raise ValueError(f'a placeholder has no closing brace in "{text}"')
    return [piece] if piece else []


def _placeholder(text: str) -> Placeholder:
    known = {name.lower(): name for name in (*FACTS, *MOMENTS, *FILES, "UID")}
    dated = _DATE.fullmatch(text)
    if dated:
        return Placeholder(text, "date", days=int(dated[1] or 0), spread=int(dated[2]) if dated[2] else None)
    name = known.get(text.lower())
    if name is not None:
        return Placeholder(name, "uid" if name == "UID" else "moment" if name in MOMENTS else "fact")
    try:
        return Placeholder(text, "tag", tag=int(parse_tag(text)))
    except ValueError:
        known["date"] = "Date"
        near = difflib.get_close_matches(text.lower(), known, n=1, cutoff=0.6)
        hint = f'; did you mean "#{{{known[near[0]]}}}"?' if near else suggest_keyword(text) or f"; {_KNOWN}"
        raise ValueError(f'"#{{{text}}}" is neither a tag nor a placeholder{hint}') from None


def _date_text(today: date, days: int, spread: int | None) -> str:
    """PS3.4 C.2.2.2.5: `first-last`; a spread of 0 or none is a single date."""
    reach = timedelta(days=spread or 0)
    try:
        middle = today + timedelta(days=days)
        first, last = (f"{end:%Y%m%d}" for end in (middle - reach, middle + reach))
    except OverflowError:
        raise PermanentError(
            "a date lies outside the calendar",
            cause=f"the job is of the year {today.year}, and #{{Date}} leads out of the years 1 to 9999",
            remedy="correct the clock of the program that gave the job's time",
        ) from None
    return f"{first}-{last}" if spread else first
