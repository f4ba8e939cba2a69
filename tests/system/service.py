"""A real `python -m dicomprinter serve` process over a base directory of its own: started, killed, waited for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.waiting import PATIENCE, wait_until

COMMAND = (sys.executable, "-m", "dicomprinter")


@contextmanager
def started(*arguments: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The program as a process of its own; what is left of it at the end is killed."""
    command = [*COMMAND, *(str(argument) for argument in arguments)]
    with subprocess.Popen(command, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def connection(port: int, ae_title: str, *, host: str = "127.0.0.1", more: str = "") -> str:
    return (
        f"<ConnectionParameters><PeerAETitle>{ae_title}</PeerAETitle><Host>{host}</Host><Port>{port}</Port>{more}"
        "</ConnectionParameters>"
    )


def configuration(actions: str, workflow: str, *, suspension: float = 0, interval: float = 0.1) -> str:
    """A configuration; `suspension` and `interval` are in seconds."""
    return (
        f"<DicomPrinter><General><CheckingInterval>{interval:g}</CheckingInterval>"
        f"<SuspensionTime>{suspension / 60:.6f}</SuspensionTime></General>"
        f"<Actions>{actions}</Actions><Workflow>{workflow}</Workflow></DicomPrinter>"
    )


class Service:
    """Starts the service in `with`, and kills what is left of it at the end.

    Args:
        base: the base directory; its configuration and log lie where `serve` looks for them by itself.
        config: the text of the configuration.
        options: more for the command line.
    """

    def __init__(self, base: Path, config: str, *options: str) -> None:
        self.base = base
        self.options = options
        self.spool = base / "spool"
        self.incoming, self.jobs, self.rejected, self.expired = (
            self.spool / name for name in ("incoming", "jobs", "rejected", "expired")
        )
        self.temporary = base / "tmp"
        for folder in (self.incoming, self.temporary, base / "config"):
            folder.mkdir(parents=True)
        self.configure(config)
        self.starts = 0
        self._screen = base / "screen.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            # Nobody else ends it, or shows what it said.
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if kind is not None:
            # pytest shows it beside the failure.
            sys.stdout.write(f"--- what the service said ---\n{self.said[-8000:]}\n")

    def configure(self, text: str) -> None:
        """Rename another configuration in, as an editor does."""
        file = self.base / "config" / "config.xml"
        new = file.with_name("config.new")
        new.write_text(text, encoding="utf-8")
        new.replace(file)

    def start(self, *, wait: bool = True) -> None:
        """Start the process; `wait` until it watches its folder."""
        self.starts += 1
        ready = self.said.count("ready:")
        with self._screen.open("ab") as screen:
            self._process = subprocess.Popen(
                [*COMMAND, "serve", "--base", str(self.base), "-v", *self.options],
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=screen,
                env={**os.environ, "TMPDIR": str(self.temporary)},
            )
        if wait:
            self.wait_for(lambda: self.said.count("ready:") > ready, "the service is ready")

    def kill(self) -> None:
        """As kill -9 does, at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, timeout: float = PATIENCE) -> int:
        """SIGTERM; its exit code."""
        self.signal(signal.SIGTERM)
        assert self._process is not None
        return self._process.wait(timeout)

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def wait_for(self, condition: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
        def holds() -> object:
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"{what}: the service has ended with {self._process.returncode}")
            return condition()

        wait_until(holds, what, timeout)

    # What it says and holds

    @property
    def said(self) -> str:
        """Everything on the screen, of all its runs."""
        return self._screen.read_text("utf-8", errors="replace") if self._screen.exists() else ""

    @property
    def logged(self) -> str:
        """Its log file."""
        return (self.base / "log" / "dicomprinter.log").read_text("utf-8")

    def drop(self, name: str, data: bytes, sidecar: dict[str, Any] | None = None) -> None:
        """Rename a file into the watched folder, its sidecar first."""
        target = self.incoming / name
        if sidecar is not None:
            self.rename_in(target.with_name(target.name + ".json"), json.dumps(sidecar).encode())
        self.rename_in(target, data)

    def rename_in(self, target: Path, data: bytes) -> None:
        self.lay(target, data).rename(target)

    def lay(self, target: Path, data: bytes) -> Path:
        """Write a file under a name that is left alone until it is renamed; gives that name."""
        new = target.with_name(f".{target.name}.new")
        new.write_bytes(data)
        return new

    def job_ids(self) -> list[str]:
        return sorted(entry.name for entry in self.jobs.iterdir() if not entry.name.startswith("."))

    def job(self) -> dict[str, Any]:
        """The job.json of the only job; empty when there is none yet."""
        try:
            (job_id,) = self.job_ids()
            return dict(json.loads((self.jobs / job_id / "job.json").read_text("utf-8")))
        except (ValueError, FileNotFoundError):
            return {}

    def wait_for_state(self, state: str, timeout: float = PATIENCE) -> dict[str, Any]:
        """Wait until the only job stands so."""
        self.wait_for(lambda: self.job().get("state") == state, f"the job is {state}", timeout)
        return self.job()

    def ledger(self) -> list[dict[str, Any]]:
        file = self.spool / "ledger.jsonl"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    def leftovers(self) -> list[str]:
        """Every file and folder that a spool without jobs does not hold."""
        folders = (self.incoming, self.jobs, self.rejected, self.expired)
        # Unlike `rglob`, `walk` does not mind a folder that goes while it is looked at.
        found = (Path(at) / name for folder in folders for at, *names in os.walk(folder) for name in chain(*names))
        return sorted(str(path.relative_to(self.spool)) for path in found)
