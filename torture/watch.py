"""What a service has said and holds, read from outside: its log, its jobs, what its process has open."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dicomprinter.imaging.pool import cores
from tests.canary import CANARY, files_below, leaks
from tests.system.service import Service


@dataclass(frozen=True)
class Line:
    """An event of a job, as the log tells it."""

    time: datetime
    level: str
    message: str


class Log:
    """A service's log, read on from where it was left."""

    def __init__(self, service: Service) -> None:
        self._file = service.base / "log" / "dicomprinter.log"
        self._read = 0
        self._rest = b""
        self._jobs: dict[str, list[Line]] = defaultdict(list)

    def jobs(self) -> dict[str, list[Line]]:
        """Every event of every job so far, in order."""
        with self._file.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        self._read += len(data)
        *texts, self._rest = (self._rest + data).split(b"\n")
        for event in map(json.loads, texts):
            if event["job"]:
                line = Line(datetime.fromisoformat(event["time"]), event["level"], event["message"])
                self._jobs[event["job"]].append(line)
        return self._jobs


def hosts(service: Service) -> dict[str, str]:
    """Each job's id by its host: of those in the spool, and of those that have left it."""
    found = {line["host"]: line["job"] for line in service.ledger()}
    for job_id in service.job_ids():
        job = read_job(service, job_id)
        if job:
            found[job["facts"]["host"]] = job_id
    return found


def read_job(service: Service, job_id: str) -> dict[str, Any]:
    """Its job.json; empty when it is not there, or just being replaced."""
    try:
        return dict(json.loads((service.jobs / job_id / "job.json").read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def patient_data(service: Service) -> list[str]:
    """What of the patients stands in a log, in a ledger or on the screen, where none may be."""
    values = {*CANARY.values(), "Kanarienvogel"}
    return [
        f"{file.name}: {what}"
        for file in files_below(service.base)
        for what in dict.fromkeys(leaks(file.read_text("utf-8", "surrogateescape"), values))
    ]


@dataclass(frozen=True)
class Open:
    """What a process has open (proc(5)); `files` are those beside the pipes of its children."""

    sockets: int
    files: int
    threads: int
    children: int

    @classmethod
    def of(cls, pid: int) -> Open:
        """Of a process that runs."""
        sockets = files = 0
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                is_socket = str(entry.readlink()).startswith("socket:")
            except FileNotFoundError:
                continue  # closed while we looked
            sockets, files = sockets + is_socket, files + (not is_socket)
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = 0
        for thread in threads:
            try:
                children += len((thread / "children").read_text().split())
            except OSError:
                continue  # it has ended
        return cls(sockets, files - 2 * children, len(threads), children)

    def exceeds(self, other: Open) -> bool:
        """Whether anything is more than there; of the children that decode there may be one for each processor."""
        mine, theirs = (self.sockets, self.files, self.threads), (other.sockets, other.files, other.threads)
        more = any(one > another for one, another in zip(mine, theirs, strict=True))
        return more or self.children > max(other.children, cores())
