"""What a spool holds, how its destinations do, and what of it wants a person. It only reads, and imports no DICOM."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from dicomprinter.engine.spool_view import SpoolView
from dicomprinter.errors import SpoolError
from dicomprinter.intake.names import is_left_alone
from dicomprinter.intake.rejected import count_rejected
from dicomprinter.job.parts import State
from dicomprinter.job.record import DAMAGE
from dicomprinter.job.values import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from dicomprinter.job.glance import Glance

CLOSED: Final = "closed"
_TIGHT_SHARE: Final = 0.05
_TIGHT_BYTES: Final = 10 * 10**9


@dataclass(frozen=True)
class Destination:
    """What the service has last written down of a destination.

    Args:
        ae_title, host, port: who it is.
        calls: the actions that call it, by name.
        breaker: `closed` when jobs are sent to it, `open` when they wait for it, `half-open` while it is tried.
        failures: in a row.
        last_success: when it last took something.
        last_failure: when it last failed.
        reason: of the last failure.
        next_try: when it is tried again.
        waiting: jobs that wait for it.
    """

    ae_title: str
    host: str
    port: int
    calls: str = ""
    breaker: str = CLOSED
    failures: int = 0
    last_success: datetime | None = None
    last_failure: datetime | None = None
    reason: str | None = None
    next_try: datetime | None = None
    waiting: int = 0

    def __str__(self) -> str:
        return f"{self.ae_title}@{self.host}:{self.port}"


@dataclass(frozen=True)
class Disk:
    """The file system that the spool is on, in bytes."""

    free: int
    total: int

    @property
    def is_tight(self) -> bool:
        """Whether less than a twentieth of it is free; of a large one, less than 10 GB."""
        return self.free < min(_TIGHT_SHARE * self.total, _TIGHT_BYTES)


@dataclass(frozen=True)
class SpoolState:
    """How a spool stands.

    Args:
        base: the base directory.
        jobs: how many there are of each state.
        oldest: the unfinished job that came first.
        incoming: files that are not yet jobs.
        rejected: files that could not become jobs.
        destinations: as the service has last seen them.
        disk: None where the system does not tell.
        is_owned: whether a process works on it; None when that cannot be found out.
        pid: that process.
    """

    base: Path
    jobs: Mapping[str, int]
    oldest: Glance | None
    incoming: int
    rejected: int
    destinations: tuple[Destination, ...]
    disk: Disk | None
    is_owned: bool | None
    pid: int | None

    @property
    def attention(self) -> list[str]:
        """What a person should look at, a sentence each; empty when all is well."""
        held = self.jobs.get(State.HELD.value, 0)
        said = {
            "no service runs on this spool: dicomprinter serve starts one": self.is_owned is False,
            f"{_count(held, 'job is', 'jobs are')} held: dicomprinter jobs list says why": held > 0,
            f"{_count(self.rejected, 'file was', 'files were')} rejected: dicomprinter jobs list --rejected says why": (
                self.rejected > 0
            ),
            "the disk is nearly full": self.disk is not None and self.disk.is_tight,
        }
        down = [f"{one} is not called now, after failures in a row" for one in self.destinations if _is_down(one)]
        return [sentence for sentence, holds in said.items() if holds] + down


def spool_state(base: Path) -> SpoolState:
    """Look at the spool of a base directory, beside a service or without one; what is not there yet is empty.

    Raises:
        PermissionError: only the service's user and administrators may look.
    """
    spool = SpoolView(base)
    # What is hidden from this user must not look empty.
    for folder in (spool.root, spool.jobs, spool.incoming, spool.rejected, spool.expired):
        with suppress(FileNotFoundError):
            os.listdir(folder)  # noqa: PTH208 - asked for its error alone
    is_owned = spool.is_owned()
    states: Counter[str] = Counter()
    waiting: Counter[str | None] = Counter()
    oldest: Glance | None = None
    for job in _glances(spool):
        seen = job.seen(is_owned)
        states[seen.state.value] += 1
        waiting[seen.waits_for] += 1
        if oldest is None or seen.facts.accepted < oldest.facts.accepted:
            oldest = seen
    expired = len(spool.expired_folders())
    if expired:
        states[State.EXPIRED.value] += expired
    return SpoolState(
        base=base,
        jobs=dict(sorted(states.items())),
        oldest=oldest,
        incoming=_count_files(spool.incoming),
        rejected=count_rejected(spool.rejected),
        destinations=tuple(replace(one, waiting=waiting[str(one)]) for one in _destinations(spool.destinations_file)),
        disk=_disk(spool.root),
        is_owned=is_owned,
        pid=spool.owner() if is_owned else None,
    )


def _glances(spool: SpoolView) -> Iterator[Glance]:
    for job_id in spool.job_ids():
        # It has finished meanwhile, or is another program's.
        with suppress(SpoolError, OSError):
            yield spool.glance(job_id)


def _count_files(incoming: Path) -> int:
    return sum(not is_left_alone(name) for _, _, names in os.walk(incoming) for name in names)


def _disk(folder: Path) -> Disk | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return Disk(usage.free, usage.total)


def _destinations(file: Path) -> Iterator[Destination]:
    """What the service has written; whatever of it cannot be read is left out."""
    found: Any = None
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(file.read_bytes())
    entries = found.get("destinations") if isinstance(found, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        with suppress(OSError, *DAMAGE):
            yield Destination(
                ae_title=str(entry["ae_title"]),
                host=str(entry["host"]),
                port=int(entry["port"]),
                calls=str(entry.get("calls") or ""),
                breaker=str(entry.get("breaker") or CLOSED),
                failures=int(entry.get("failures") or 0),
                last_success=_moment(entry.get("last_success")),
                last_failure=_moment(entry.get("last_failure")),
                reason=str(entry["reason"]) if entry.get("reason") else None,
                next_try=_moment(entry.get("next_try")),
            )


def _moment(text: object) -> datetime | None:
    return moment(text).astimezone() if isinstance(text, str) else None


def _is_down(destination: Destination) -> bool:
    return destination.breaker != CLOSED


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
