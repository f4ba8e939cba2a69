"""What an answer's values must be: single values, wildcards, ranges and expressions (PS3.4 C.2.2.2).

Matching ignores case, the spaces around a value, how an accent is composed and, in PN, trailing `^`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from dicomprinter.dicom.expressions import search
from dicomprinter.dicom.text import is_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import regex

WILDCARD_VRS: Final = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
NUMBER_VRS: Final = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_MOMENT_VRS: Final = frozenset({"DA", "TM", "DT"})

# A time zone reaches from -1200 to +1400 (PS3.5 table 6.2-1), which tells `-0500` from a range's second year.
_ZONE = r"(?:[+-](?:0\d|1[0-4])[0-5]\d)"
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[Ee][+-]?\d+)?"
_SINGLE: Final = {
    "DA": r"\d{8}|\d{4}\.\d{2}\.\d{2}",
    "TM": r"\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,6})?)?)?",
    "DT": rf"\d{{4}}(?:\d{{2}}){{0,5}}(?:\.\d{{1,6}})?{_ZONE}?",
    "IS": _NUMBER,
    "DS": _NUMBER,
}
_MOMENT_DIGITS: Final = 20


class Criterion(Protocol):
    """One thing that a value can be asked."""

    def matches(self, value: str) -> bool:
        """Whether this value of an answer is meant."""


@dataclass(frozen=True)
class Condition:
    """What an element must hold: one of `wanted` where there are any, and none of `excluded`."""

    wanted: tuple[Criterion, ...] = ()
    excluded: tuple[Criterion, ...] = ()

    def admits(self, values: Sequence[str]) -> bool:
        """Whether an element with these values may stand; an empty element has the value `""`."""
        if any(one.matches(value) for one in self.excluded for value in values):
            return False
        return not self.wanted or any(one.matches(value) for one in self.wanted for value in values)


@dataclass(frozen=True)
class Wildcard:
    """A text in which `*` is any text and `?` any character.

    A name without `=` may match any of a PN's groups; with it, each of its groups must match the value's.
    """

    text: str
    vr: str

    def matches(self, value: str) -> bool:
        """See the class."""
        if self.vr != "PN":
            return self._is(self.text, value)
        groups = value.split("=")
        if "=" not in self.text:
            return any(self._is(self.text, group) for group in groups)
        groups += [""] * 3
        return all(
            self._is(wanted, group)
            for wanted, group in zip(self.text.split("="), groups, strict=False)
            if wanted.strip(" ^")
        )

    def _is(self, wanted: str, value: str) -> bool:
        wanted, value = _folded(wanted, self.vr), _folded(value, self.vr)
        if not has_wildcard(wanted):
            return wanted == value
        return _fits([re.escape(piece).replace(r"\?", ".") for piece in wanted.split("*")], value)


@dataclass(frozen=True)
class Literal:
    """A text of several parts, of which only the file's may hold wildcards: `*` and `?` of a job stand for themselves.

    Each part is its text and whether it is the job's.
    """

    parts: tuple[tuple[str, bool], ...]
    vr: str

    def matches(self, value: str) -> bool:
        """See the class."""
        pieces = [""]
        for part, is_the_jobs in self._folded_parts():
            same, *others = (part,) if is_the_jobs else part.split("*")
            pieces[-1] += re.escape(same) if is_the_jobs else re.escape(same).replace(r"\?", ".")
            pieces += [re.escape(piece).replace(r"\?", ".") for piece in others]
        return _fits(pieces, _folded(value, self.vr))

    def _folded_parts(self) -> list[tuple[str, bool]]:
        folded = [(_cased(part, self.vr), is_the_jobs) for part, is_the_jobs in self.parts if part]
        if folded:
            # The spaces around the whole say nothing.
            folded[0] = (folded[0][0].lstrip(" \0"), folded[0][1])
            folded[-1] = (folded[-1][0].rstrip(" \0"), folded[-1][1])
        return folded


@dataclass(frozen=True)
class Expression:
    """A regular expression, looked for in the value; in a PN also in each of its groups.

    `where` says in messages whose expression it is.
    """

    pattern: regex.Pattern[str]
    vr: str
    where: str

    def matches(self, value: str) -> bool:
        """See the class; raises PermanentError when it takes too long."""
        texts = [value, *value.split("=")] if self.vr == "PN" else [value]
        return any(search(self.pattern, _tidy(text, self.vr), self.where) for text in texts)


@dataclass(frozen=True)
class Moments:
    """A date, time or both, or a range of them, ends included; a shorter text means all that it may be continued to.

    Time zones count only where both sides have one.
    """

    first: str
    last: str

    def matches(self, value: str) -> bool:
        """See the class."""
        value = value.strip()
        if not _is_moment(value):
            return False
        after = not self.first or _digits(value, self.first, "0") >= _digits(self.first, value, "0")
        return after and (not self.last or _digits(value, self.last, "0") <= _digits(self.last, value, "9"))


@dataclass(frozen=True)
class Numbers:
    """A number, or a range of them, ends included."""

    first: float | None
    last: float | None

    def matches(self, value: str) -> bool:
        """See the class."""
        try:
            number = float(value)
        except ValueError:
            return False
        return (self.first is None or number >= self.first) and (self.last is None or number <= self.last)


def _fits(pieces: Sequence[str], value: str) -> bool:
    """Whether a text is these expressions in this order, with anything between them."""
    first, *others = pieces
    # What a `*` takes up to the first place where the next piece stands is settled: else many take for ever.
    between = "".join(f"(?>.*?{piece})" for piece in others[:-1])
    last = f".*{others[-1]}" if others else ""
    return re.fullmatch(first + between + last, value, re.DOTALL) is not None


def has_wildcard(text: str) -> bool:
    """Whether a text holds `*` or `?`."""
    return "*" in text or "?" in text


def split_range(text: str, vr: str) -> tuple[str, str] | None:
    """A range's two ends, one of which may be empty (PS3.4 C.2.2.2.5); None for a single value or another VR.

    In IS and DS a leading minus is a range's: `-5` is anything up to 5.
    """
    single = _SINGLE.get(vr)
    text = text.strip()
    if single is None or (vr in _MOMENT_VRS and re.fullmatch(single, text)):
        return None
    ends = re.fullmatch(rf"({single})?\s*-\s*({single})?", text)
    if ends is None or not (ends[1] or ends[2]):
        return None
    return ends[1] or "", ends[2] or ""


def range_problem(text: str, vr: str) -> str | None:
    """Why a text is neither a value of this VR (DA, TM, DT, IS, DS) nor a range of them, or None."""
    text = text.strip()
    ends = split_range(text, vr)
    # What `split_range` takes for a range up to a number may also be a negative one.
    if _is_single(text, vr):
        return None
    if ends is None or not all(_is_single(end, vr) for end in ends if end):
        return f'"{text}" is neither a {vr} nor a range of it'
    return f'"{text}" ends before it begins' if all(ends) and not _are_in_order(*ends, vr) else None


def _is_single(text: str, vr: str) -> bool:
    return re.fullmatch(_SINGLE[vr], text) is not None and is_value(vr, text)


def _are_in_order(first: str, last: str, vr: str) -> bool:
    if vr in NUMBER_VRS:
        return float(first) <= float(last)
    return _digits(first, last, "0") <= _digits(last, first, "9")


def criterion(text: str, vr: str) -> Criterion:
    """How a value of this VR is compared with a text that may be a range or hold wildcards."""
    if has_wildcard(text):
        return Wildcard(text, vr)
    ends = split_range(text, vr)
    if vr in _MOMENT_VRS and (ends or re.fullmatch(_SINGLE[vr], text.strip())):
        return Moments(*(ends or (text.strip(), text.strip())))
    if vr in NUMBER_VRS and (ends or re.fullmatch(_NUMBER, text.strip())):
        first, last = ends or (text, text)
        return Numbers(float(first) if first else None, float(last) if last else None)
    return Wildcard(text, vr)


def _tidy(text: str, vr: str) -> str:
    text = unicodedata.normalize("NFC", text).strip(" \0")
    return text.rstrip(" ^") if vr == "PN" else text


def _folded(text: str, vr: str) -> str:
    # A UID has no case, and nothing else may look like one.
    return _cased(_tidy(text, vr), vr)


def _cased(text: str, vr: str) -> str:
    return text if vr == "UI" else unicodedata.normalize("NFC", text).casefold()


def _is_moment(text: str) -> bool:
    return any(re.fullmatch(_SINGLE[vr], text) for vr in _MOMENT_VRS)


def _digits(text: str, other: str, filler: str) -> str:
    """A date or time as digits that compare as text, filled up; in UTC where the other side has a zone too."""
    bare = re.sub(rf"{_ZONE}$", "", text)
    zone = text[len(bare) :]
    digits = re.sub(r"\D", "", bare).ljust(_MOMENT_DIGITS, filler)
    if not zone or not re.search(rf"{_ZONE}$", other) or len(bare) < 12:
        return digits
    ahead = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    try:
        moment = datetime.strptime(digits[:12], "%Y%m%d%H%M") - ahead
    except (ValueError, OverflowError):
        return digits
    return moment.strftime("%Y%m%d%H%M") + digits[12:]
