"""What the tests of the engine share: jobs that wait, their states read from outside, operators' commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dicomprinter.engine.commands import Answer, ask_service
from dicomprinter.engine.engine import Engine
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import State
from dicomprinter.program import Program
from tests.system.help import House, perform, png, store
from tests.waiting import PATIENCE, wait_until


def state(house: House, job: Job) -> State | None:
    """Of a job in the spool, read as another process reads it; None when it has left."""
    try:
        return JobFolder(job.folder.path).load().state
    except Exception:  # noqa: BLE001 - it may be on its way out while it is read
        return None


def wait_for(house: House, job: Job, wanted: State | None) -> None:
    """The engine tells nobody of a state."""
    wait_until(lambda: state(house, job) == wanted, f"the job is {wanted}")


def outcomes(house: House) -> list[str]:
    if not house.spool.ledger.exists():
        return []
    return [json.loads(line)["outcome"] for line in house.spool.ledger.read_text("utf-8").splitlines()]


def uids(job: Job) -> list[str]:
    return [instance.sop_instance_uid for instance in job.instances.values()]


def suspended(house: House, port: int, *, minutes: float = 15) -> tuple[Program, Job]:
    """A job that waits for an archive that is down."""
    program = house.program(store("Send", port), perform("Send", on_error="Suspend"), suspension=minutes * 60)
    job = house.job(png())
    house.run(program, job)
    assert job.state is State.SUSPENDED
    return program, job


def held(house: House, port: int) -> tuple[Program, Job]:
    program = house.program(store("Send", port), perform("Send"))
    job = house.job(png())
    house.run(program, job)
    assert job.state is State.HELD
    return program, job


def asked(engine: Engine, job: Job, command: str) -> Answer:
    """What `jobs resume` does; the engine is woken, for its own looks are far apart."""
    folder = JobFolder(job.folder.path)
    write = folder.write_command

    def write_and_wake(written: dict[str, Any]) -> None:
        write(written)
        engine.wake()

    folder.write_command = write_and_wake  # type: ignore[method-assign]
    return ask_service(engine.spool, folder, command, timeout=PATIENCE)


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
