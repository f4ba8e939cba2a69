"""The moments at which the service can be killed: each call that changes the disk or sends to a peer, by its name."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self

# What differs from job to job: ids, the number in a dropped file's name, that of a file that is saved, and the digest
# in the name of a PDF or text that jobs have become.
_OWN: Final = (
    (re.compile(r"\d{8}T\d{12}-[0-9a-f]{6}"), "ID"),
    (re.compile(r"-\d{4}(?=[./]|$)"), "-N"),
    (re.compile(r"(?<=DP_)\d+"), "N"),
    (re.compile(r"(?<=merged-)[0-9a-f]{16}"), "DIGEST"),
)
# Calls of which a part may happen.
_TEARABLE: Final = ("write ", "send ")
ANY: Final = "any call"


class How(StrEnum):
    """Where in the call the process ends."""

    BEFORE = "before"
    AFTER = "after"
    TORN = "torn"
    """Half of the bytes are written."""


@dataclass(frozen=True)
class Point:
    """One moment of a round.

    Args:
        call: the call and what it touches: `rename jobs/ID/job.json.new`; or ANY.
        nth: which of these calls, from 1.
        how: where in it.
    """

    call: str
    nth: int
    how: How

    def __str__(self) -> str:
        return f"{self.how} {self.call} #{self.nth}"

    def to_json(self) -> dict[str, Any]:
        """For the process that is to end."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(data["call"], data["nth"], How(data["how"]))


def name_of(call: str, path: str) -> str:
    """A call's name, the same for every job; `path` is below the base directory."""
    for pattern, instead in _OWN:
        path = pattern.sub(instead, path)
    return f"{call} {path.removeprefix('spool/')}"


def points_of(calls: list[str]) -> list[Point]:
    """Every moment of a round in which these calls were made: before each, and in the middle of each write.

    To end before an fsync is to end before what follows it, as long as the machine goes on.
    """
    counts: dict[str, int] = {}
    found = []
    for call in calls:
        if call.startswith("fsync "):
            continue
        counts[call] = nth = counts.get(call, 0) + 1
        found.append(Point(call, nth, How.BEFORE))
        if call.startswith(_TEARABLE):
            found.append(Point(call, nth, How.TORN))
    if found:
        found.append(Point(found[-1].call, found[-1].nth, How.AFTER))
    return found
