"""One service with everything around it: archives, a worklist, an operator; and the books of what it was given."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dicomprinter.demo.worklist import EmbeddedWorklist, worklist_entry
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.job.folder import JobFolder
from tests.canary import CANARY
from tests.waiting import PATIENCE
from torture.archive import Archive, of_pixels
from torture.audit import Books
from torture.files import DPI, A, B
from torture.films import film_faults
from torture.merged import merged_faults
from torture.peers import Peer
from torture.saved import FOLDER, saved_faults
from torture.scene import KINDS, PRINTER, Drop, configuration, drop, operators_match
from torture.service import Tortured

_POLL = 0.02


class Lane:
    """A folder of its own, and ports of its own.

    Args:
        folder: is made.
        workers: how many jobs run at once.
        suspension: SuspensionTime in seconds.
        options: more for the service: `environment`, `screens`.
    """

    def __init__(self, folder: Path, *, workers: int = 1, suspension: float = 0.3, **options: Any) -> None:
        self.folder = folder
        self.drops: list[Drop] = []
        self._number = 0
        self._stack = ExitStack()
        folder.mkdir(parents=True)
        self.decoder = self._stack.enter_context(Decoder())
        self.a, self.b = Archive(A), Archive(B)
        self._stack.callback(self.a.close)
        self._stack.callback(self.b.close)
        entry = worklist_entry(
            patient_name=CANARY["PatientName"],
            patient_id=CANARY["PatientID"],
            accession_number="A1",
            description="Report",
            start=datetime.now(),
        )
        self.ris = self._stack.enter_context(EmbeddedWorklist([entry]))
        self.printer = self._stack.enter_context(Peer())
        ports = {A: self.a.port, B: self.b.port}
        self.service = Tortured(
            folder / "base",
            configuration(ports, self.ris.port, self.printer.port, suspension=suspension),
            {self.a.port: A, self.b.port: B, self.ris.port: "RIS", self.printer.port: PRINTER},
            "--workers",
            str(workers),
            **options,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.service.kill()
        self._stack.close()

    # A round

    def make(self, kind: str) -> Drop:
        """The files of one drop; no other of this lane is like it."""
        self._number += 1
        return drop(kind, self._number, self.decoder, self.folder)

    def begin(self, *drops: Drop, before: Callable[[], object] = lambda: None) -> None:
        """Set the archives for these drops, and drop them; `before`: when all is written and nothing is renamed yet."""
        kinds = [KINDS[one.kind] for one in drops]
        self.drops += drops
        if any(kind.b_is_down for kind in kinds):
            self.b.close()
        self.b.always = next((kind.b_refuses for kind in kinds if kind.b_refuses), 0)
        self.b.answers = [answer for kind in kinds for answer in kind.b_answers]
        targets = [self.service.incoming / name for one in drops for name in one.files]
        laid = list(map(self.service.lay, targets, [data for one in drops for data in one.files.values()]))
        before()
        for new, target in zip(laid, targets, strict=True):
            new.rename(target)

    def settle(self, timeout: float = PATIENCE) -> bool:
        """Play the operator until nothing moves; True when it is at rest, False when the service has ended as told.

        Raises:
            TimeoutError: it does not come to rest.
        """
        end = time.monotonic() + timeout
        quiet = 0
        while not self.service.is_dead():
            jobs = self._jobs()
            # A listing may miss what is renamed meanwhile.
            quiet = 0 if jobs or any(self.service.incoming.iterdir()) else quiet + 1
            if quiet > 1:
                return True
            for folder, job in jobs:
                self._operate(folder, job)
            if time.monotonic() > end:
                raise TimeoutError(f"not at rest after {timeout:g} s: {[job.get('state') for _, job in jobs]}")
            time.sleep(_POLL)
        return False

    def _jobs(self) -> list[tuple[Path, dict[str, Any]]]:
        found = []
        for folder in self.service.jobs.iterdir():
            job = {}
            with suppress(OSError, ValueError):
                job = json.loads((folder / "job.json").read_text("utf-8"))
            found.append((folder, job))
        return found

    def _operate(self, folder: Path, job: dict[str, Any]) -> None:
        state = job.get("state")
        if state == "suspended" and not self.b.is_open:
            self.b.open()
        if state not in ("held", "manual") or folder.name.startswith(".") or (folder / "command.json").exists():
            return
        kind = str(job.get("facts", {}).get("name", "")).partition("-")[0]
        command = KINDS[kind].operator if kind in KINDS else None
        order: dict[str, Any] = {"command": command, "token": f"{time.monotonic_ns():x}"}
        match (state, command):
            case ("held", "resume"):
                self.b.always = 0
            case ("held", "discard"):
                pass
            case ("manual", "match"):
                order["values"] = operators_match()
            case _:
                raise TimeoutError(f"{kind} is {state}: {job.get('reason')}")
        # It may leave while it is written.
        with suppress(OSError):
            JobFolder(folder).write_command(order)

    def books(self, *, clock_is_set: bool = False) -> list[str]:
        """What does not agree; times may go back when the clock was set."""
        service = self.service
        said = "".join(file.read_text("utf-8", "replace") for file in self._logs())
        archives = {A: self.a, B: self.b}
        books = Books(
            service.spool, service.kept, service.temporary, self.drops, archives, said, clock_is_set=clock_is_set
        )
        found = [*books.faults(), *film_faults(books.papers, self.printer.films)]
        found += saved_faults(service.base, self.drops)
        found += merged_faults(books.papers, self.drops, self.a.arrived(), self._rendered)
        return [*found, *(f"the process {number} was left over" for number in self._orphans())]

    def _rendered(self, document: bytes) -> list[str]:
        """What the pages of a PDF show."""
        file = self.folder / "read.pdf"
        file.write_bytes(document)
        count = len(self.decoder.texts(file))
        return [of_pixels(self.decoder.page(file, index, dpi=DPI).pixels) for index in range(count)]

    def _orphans(self) -> list[int]:
        """Processes of a service that has ended; the child of one that was killed notices a little later."""
        end = time.monotonic() + PATIENCE
        while left := [one for one in _processes(self.service.temporary) if one not in self.service.processes()]:
            if time.monotonic() > end:
                break
            time.sleep(_POLL)
        return left

    def _logs(self) -> Sequence[Path]:
        return [*self.service.screens.glob("screen-*.log"), *(self.service.base / "log").glob("dicomprinter.log*")]

    def forget(self) -> None:
        """The next round begins with empty books; the service may go on."""
        self.drops = []
        self.a.forget()
        self.b.forget()
        self.printer.films.clear()
        self.b.open()
        service = self.service
        shutil.rmtree(service.kept, ignore_errors=True)
        shutil.rmtree(service.base / FOLDER, ignore_errors=True)
        for file in [*service.spool.glob("ledger*.jsonl"), *service.rejected.iterdir()]:
            file.unlink()
        for file in self._logs():
            # It may be open for adding to its end.
            os.truncate(file, 0)


def _processes(temporary: Path) -> list[int]:
    """Every process that was started with this folder for its temporary files."""
    mine = f"TMPDIR={temporary}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mine in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found
