"""How an installed service stands: what its supervisor, its spool and its log say."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomprinter.engine.spool import Spool
from dicomprinter.errors import SpoolError
from dicomprinter.intake.names import REASON
from dicomprinter.service.logs import LOG_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from dicomprinter.service.installation import Installation

_TAIL_BYTES = 1 << 20
_BAD = ("ERROR", "FATAL")


@dataclass(frozen=True)
class Standing:
    """What the supervisor says.

    Args:
        installation: what was installed.
        state: in the supervisor's words.
        is_active: whether the service runs.
        starts_by_itself: whether it starts with the machine.
        since: since when it runs.
        pid: its process.
        restarts: how often the supervisor has started it anew.
        text: what the service itself says.
    """

    installation: Installation
    state: str
    is_active: bool
    starts_by_itself: bool
    since: datetime | None = None
    pid: int | None = None
    restarts: int = 0
    text: str = ""


@dataclass(frozen=True)
class Contents:
    """What a spool holds.

    Args:
        jobs: how many there are of each state.
        incoming: files that are not yet jobs.
        rejected: files that could not become jobs.
    """

    jobs: Mapping[str, int]
    incoming: int
    rejected: int


def contents(base: Path) -> Contents:
    """Count what the spool of a base directory holds.

    Raises:
        PermissionError: only the service's user and root may look.
    """
    spool = Spool(base)
    # What is hidden from this user must not look empty.
    for folder in (spool.jobs, spool.incoming, spool.rejected):
        with suppress(FileNotFoundError):
            os.listdir(folder)  # noqa: PTH208 - asked for its error alone
    states: Counter[str] = Counter()
    for job_id in spool.job_ids():
        try:
            states[spool.load(job_id).state.value] += 1
        except SpoolError:
            # It has finished meanwhile.
            continue
    rejected = sum(not file.name.endswith(REASON) for file in spool.rejected.glob("*"))
    return Contents(dict(states), sum(file.is_file() for file in spool.incoming.rglob("*")), rejected)


def last_error(log_dir: Path) -> str | None:
    """The last line of the log that tells an error, or None; raises PermissionError."""
    try:
        with (log_dir / LOG_FILE).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = log.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return None
    return next((line for line in reversed(lines) if _tells_an_error(line)), None)


def _tells_an_error(line: str) -> bool:
    if line.startswith("{"):
        try:
            return json.loads(line).get("level") in _BAD
        except ValueError:
            return False
    # A day, a time, the level.
    words = line.split(maxsplit=3)
    return len(words) > 2 and words[2] in _BAD
