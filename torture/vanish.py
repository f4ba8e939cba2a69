"""Files that vanish from a job's folder while it waits, or while it runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dicomprinter.job.folder import JobFolder
from tests.waiting import wait_until
from torture.lane import Lane

_WHAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "the payload": "payload/*",
        "the datasets": "datasets/*",
        "job.json": "job.json",
        "the steps": "steps.jsonl",
        "the history": "history.jsonl",
        "sent.jsonl": "sent.jsonl",
        "the folder": "",
    }
)
_SLOW_SECONDS: Final = 1.0


def _while_waiting(what: str) -> Callable[[Lane], list[str]]:
    def run(lane: Lane) -> list[str]:
        # B is down, and stays so until the file has gone.
        lane.begin(lane.make("page"))
        folder = _job(lane, "suspended")
        _remove(folder, what)
        lane.b.open()
        return _afterwards(lane, folder)

    return run


def _while_running(what: str) -> Callable[[Lane], list[str]]:
    def run(lane: Lane) -> list[str]:
        # A takes its time, and the file goes meanwhile.
        lane.a.seconds = _SLOW_SECONDS
        try:
            lane.begin(lane.make("pages"))
            lane.b.open()
            lane.b.answers = []
            wait_until(lane.a.arrived, "the first page has come")
            (folder,) = (path for path in lane.service.jobs.iterdir() if not path.name.startswith("."))
            _remove(folder, what)
            return _afterwards(lane, folder)
        finally:
            lane.a.seconds = 0

    return run


def _job(lane: Lane, state: str) -> Path:
    wait_until(lambda: (job := lane.service.job()) and job["state"] == state, f"the job is {state}")
    return lane.service.jobs / lane.service.job_ids()[0]


def _remove(folder: Path, pattern: str) -> None:
    if not pattern:
        shutil.rmtree(folder, ignore_errors=True)
    for file in folder.glob(pattern) if pattern else ():
        file.unlink(missing_ok=True)


def _afterwards(lane: Lane, folder: Path) -> list[str]:
    """It is gone, or waits with a reason and an operator can discard it; the next job goes through."""
    faults = []

    def rests() -> bool:
        lane.service.is_dead()
        return not folder.exists() or _waits(folder)

    wait_until(rests, "it rests", 60)
    first, lane.drops = lane.drops, []
    lane.a.seconds = 0
    lane.begin(lane.make("dicom"))
    lane.b.open()
    wait_until(lambda: lane.service.is_dead() or not _others(lane, folder), "the next job is done", 60)
    reasons = {"none was needed"}

    def is_gone() -> bool:
        """An operator discards it, again if it ran just then."""
        lane.service.is_dead()
        if _waits(folder) and not (folder / "command.json").exists():
            reasons.add(_reason(folder))
            with suppress(OSError):
                JobFolder(folder).write_command({"command": "discard", "token": "t"})
        return not folder.exists()

    wait_until(is_gone, "it is discarded", 60)
    if "" in reasons:
        faults.append(f"{first[0].title} waited without a reason")
    lines = [json.loads(line) for line in (lane.service.spool / "ledger.jsonl").read_text("utf-8").splitlines()]
    if [line["outcome"] for line in lines if line["job"] != folder.name] != ["done"]:
        faults.append(f"the next job has not gone through: {lines}")
    if len([line for line in lines if line["job"] == folder.name]) > 1:
        faults.append("it is in the ledger twice")
    wait_until(lambda: not any(lane.service.jobs.iterdir()), "nothing is left", 30)
    # Of the job that was robbed the books can say nothing; of the others they do.
    shutil.rmtree(lane.service.kept / folder.name, ignore_errors=True)
    ledger = lane.service.spool / "ledger.jsonl"
    ledger.write_text("".join(json.dumps(line) + "\n" for line in lines if line["job"] != folder.name), "utf-8")
    wanted = {content for one in lane.drops for contents in one.wanted.values() for content in contents}
    lane.a.keep_only(wanted)
    lane.b.keep_only(wanted)
    return [*faults, *lane.books()]


def _others(lane: Lane, folder: Path) -> list[Path]:
    found = [path for path in lane.service.jobs.iterdir() if path != folder]
    return [*found, *lane.service.incoming.iterdir()]


def _waits(folder: Path) -> bool:
    """Whether an operator may act; also when job.json went once more while it was written anew."""
    return _read(folder).get("state") in ("held", "suspended", None)


def _reason(folder: Path) -> str:
    job = _read(folder)
    return str(job.get("reason") or "") if job else "job.json is not there"


def _read(folder: Path) -> dict[str, object]:
    try:
        found: dict[str, object] = json.loads((folder / "job.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


CASES: Final[Mapping[str, Callable[[Lane], list[str]]]] = MappingProxyType(
    {f"{what}, while it waits,": _while_waiting(pattern) for what, pattern in _WHAT.items()}
    | {f"{what}, while it runs,": _while_running(pattern) for what, pattern in _WHAT.items()}
)
