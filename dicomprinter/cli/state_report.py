"""How a spool stands, for a person and for a program; `status` and `service status` tell it alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dicomprinter.cli.messages import age_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomprinter.service.spool_state import Destination, Disk, SpoolState


def state_json(state: SpoolState) -> dict[str, Any]:
    """What a spool holds, for a program; times in ISO 8601, sizes in bytes, ages in seconds."""
    oldest = state.oldest
    return {
        "jobs": dict(state.jobs),
        "oldest": oldest
        and {
            "id": oldest.id,
            "state": oldest.state.value,
            "accepted": oldest.facts.accepted.isoformat(),
            "age_seconds": max(0, int((datetime.now(UTC) - oldest.facts.accepted).total_seconds())),
            "reason": oldest.reason,
        },
        "incoming": state.incoming,
        "rejected": state.rejected,
        "destinations": [_destination_json(one) for one in state.destinations],
        "disk": state.disk and {"free": state.disk.free, "total": state.disk.total, "tight": state.disk.is_tight},
        "attention": state.attention,
    }


def state_lines(state: SpoolState) -> Iterator[tuple[str, object]]:
    """A title and a text for each line; a title that is empty goes on with the one before."""
    now = datetime.now(UTC)
    yield "jobs", ", ".join(f"{count} {name}" for name, count in state.jobs.items()) or "none"
    oldest = state.oldest
    if oldest is not None:
        why = f": {oldest.reason}" if oldest.reason else ""
        yield "oldest job", f"{oldest.id}, {oldest.state.value}, {age_text(now - oldest.facts.accepted)} old{why}"
    yield "incoming", _files(state.incoming)
    yield "rejected", _files(state.rejected)
    for one in state.destinations:
        yield "destination", _standing(one, now)
        if one.last_success:
            yield "", f"last success {_ago(one.last_success, now)}"
        if one.last_failure:
            yield "", f"last failure {_ago(one.last_failure, now)}{f': {one.reason}' if one.reason else ''}"
    if state.disk is not None:
        tight = ", nearly full" if state.disk.is_tight else ""
        yield "disk", f"{_free(state.disk)}{tight}"


def _standing(one: Destination, now: datetime) -> str:
    """One that may be called says so by saying nothing else."""
    called = f" ({one.calls})" if one.calls else ""
    row = f", {one.failures} failures in a row" if one.failures > 1 else ""
    waiting = f", {one.waiting} job{'' if one.waiting == 1 else 's'} waiting for it" if one.waiting else ""
    next_try = f", next try in {age_text(one.next_try - now)}" if one.next_try else ""
    return f"{one}{called}: breaker {one.breaker}{row}{waiting}{next_try}"


def _ago(moment: datetime, now: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}, {age_text(now - moment)} ago"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _free(disk: Disk) -> str:
    return f"{disk.free / 1e9:.1f} of {disk.total / 1e9:.1f} GB free"


def _destination_json(one: Destination) -> dict[str, Any]:
    times = {name: getattr(one, name) for name in ("last_success", "last_failure", "next_try")}
    return {**one.__dict__, **{name: time.isoformat() if time else None for name, time in times.items()}}
