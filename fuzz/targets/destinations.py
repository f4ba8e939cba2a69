"""`spool/destinations.json` as a crash or a curious hand may leave it: read by the engine, and shown by `status`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from dicomprinter.engine.destinations import Destinations
from dicomprinter.job.lines import parsed
from dicomprinter.program import load
from dicomprinter.service import spool_state
from fuzz.drawing import as_json, changed
from fuzz.files import Scratch
from fuzz.target import Target

_SCRATCH: Final = Scratch()
_NOW: Final = datetime(2026, 1, 31, 9, 15, 2, tzinfo=UTC)
_PROGRAM: Final = load(Path(__file__).parents[2] / "examples" / "seed.xml", None, {})


def _made() -> Destinations:
    destinations = Destinations(lambda: _NOW, monotonic=lambda: 0.0, chance=lambda: 0.5)
    destinations.configure(_PROGRAM)
    return destinations


def _example() -> dict[str, Any]:
    entries = _made().to_json()[1]
    entries[0].update(breaker="open", failures=3, reason="no answer", last_failure=_NOW.isoformat())
    entries[1].update(breaker="half-open", last_success=_NOW.isoformat(), next_try=_NOW.isoformat())
    return {"version": 1, "destinations": entries}


def _run(data: bytes) -> None:
    for shown in spool_state._destinations(_SCRATCH.file(data, ".json")):  # noqa: SLF001 - what `status` reads it by
        assert str(shown)
    try:
        saved = parsed(data)["destinations"]
    except (LookupError, ValueError):
        return
    if isinstance(saved, list):
        destinations = _made()
        destinations.restore(saved)
        json.dumps(destinations.to_json())
        destinations.to_ask()


def _seeds() -> Iterator[bytes]:
    yield as_json(_example())


def _inputs() -> st.SearchStrategy[bytes]:
    return changed([_example()]).map(as_json)


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=30_000,
    structured=2_000,
    words=(b'"breaker"', b'"open"', b'"half-open"', b'"failures"', b'"next_try"', b"null", b"1e999"),
)
