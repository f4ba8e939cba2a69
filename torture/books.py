"""What a service has said and holds, read from outside: its log, its jobs, what its process has open."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.canary import CANARY, files_below, leaks
from tests.system.service import Service


@dataclass(frozen=True)
class Line:
    """An event of a job, as the log tells it."""

    time: datetime
    level: str
    message: str


def lines_by_job(service: Service) -> dict[str, list[Line]]:
    """Every event of every job, in order."""
    found: dict[str, list[Line]] = defaultdict(list)
    for file in sorted((service.base / "log").glob("dicomprinter*.log*"), key=lambda one: one.stat().st_mtime_ns):
        for text in file.read_text("utf-8").splitlines():
            try:
                event = json.loads(text)
            except ValueError:
                continue  # its end is being written
            if event["job"]:
                line = Line(datetime.fromisoformat(event["time"]), event["level"], event["message"])
                found[event["job"]].append(line)
    for lines in found.values():
        lines.sort(key=lambda line: line.time)
    return found


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
    """What a process has open (proc(5))."""

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
        return cls(sockets, files, len(threads), children)

    def exceeds(self, other: Open) -> bool:
        """Whether anything is more than there."""
        return any(mine > theirs for mine, theirs in zip(self._all, other._all, strict=True))

    @property
    def _all(self) -> tuple[int, ...]:
        return self.sockets, self.files, self.threads, self.children
