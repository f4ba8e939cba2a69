"""How an installed service stands: what its supervisor and its log say."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomprinter.job.lines import parsed
from dicomprinter.service.installation import LOG_FILE

if TYPE_CHECKING:
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
            return parsed(line).get("level") in _BAD
        except ValueError:
            return False
    # A day, a time, the level.
    words = line.split(maxsplit=3)
    return len(words) > 2 and words[2] in _BAD
