"""What whoever made a file says of which way up its pages are: `x.pdf.orientation.json`, or `x.orientation.json`.

    {"version": 1, "pages": {"x.pdf#2": {"recommendedClockwiseDegrees": 90, "confidence": 0.87}}}

`x.pdf#2` is the second page of `x.pdf`, `x.pdf` each page that has no hint of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from dicomprinter.errors import InputError
from dicomprinter.imaging.orientation.finding import Finding

MOST_BYTES: Final = 1 << 20
_TURNS: Final = (0, 90, 180, 270)


@dataclass(frozen=True)
class Hint:
    """What is said of a page.

    Args:
        clockwise: degrees by which it should be turned: 0, 90, 180 or 270.
        confidence: how sure that is, 0 to 1.
    """

    clockwise: int
    confidence: float

    def beside(self, finding: Finding) -> Finding:
        """What is found of the page with this hint: where both say the same, the doubts of both are multiplied."""
        if finding.clockwise != self.clockwise:
            return finding
        doubt = 1 - self.confidence
        return replace(finding, axis=1 - (1 - finding.axis) * doubt, direction=1 - (1 - finding.direction) * doubt)


@dataclass(frozen=True)
class Hints:
    """The hints of a job, by what they name."""

    pages: Mapping[str, Hint]

    def of(self, file: str, index: int) -> Hint | None:
        """The hint for a page of a file, from 0, by the name that it came with."""
        return self.pages.get(f"{file}#{index + 1}") or self.pages.get(file)


def read_hints(data: bytes) -> Hints:
    """Hints from JSON.

    Args:
        data: at most `MOST_BYTES`.

    Raises:
        InputError: it is no such file, or something in it is wrong; says what, never which page.
    """
    if len(data) > MOST_BYTES:
        raise _wrong("it is larger than 1 MB")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise _wrong("it is not JSON") from None
    if not isinstance(found, dict) or found.get("version") != 1 or not isinstance(found.get("pages"), dict):
        raise _wrong('it has no "version": 1 with "pages"')
    return Hints({name: _hint(said) for name, said in found["pages"].items()})


def _hint(said: Any) -> Hint:
    if not isinstance(said, dict):
        raise _wrong("what it says of a page is no object")
    turn, confidence = said.get("recommendedClockwiseDegrees"), said.get("confidence")
    if isinstance(turn, bool) or turn not in _TURNS:
        raise _wrong("recommendedClockwiseDegrees is not 0, 90, 180 or 270")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise _wrong("confidence is not a number from 0 to 1")
    return Hint(int(turn), float(confidence))


def _wrong(cause: str) -> InputError:
    return InputError(
        "the hints of which way up pages are cannot be used",
        cause=cause,
        remedy='write {"version": 1, "pages": {"FILE": {"recommendedClockwiseDegrees": 90, "confidence": 0.95}}}',
    )
