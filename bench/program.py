"""This program as its users start it: processes, configurations, a base directory each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.system.service import connection
from tests.waiting import wait_until

COMMAND: Final = (sys.executable, "-m", "dicomprinter")
_SERVICE_SECONDS: Final = 60


def store_configuration(file: Path, port: int, inner: str = "") -> Path:
    """Write a configuration with one Store; General stays as it is by itself."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'<DicomPrinter><Actions><Store name="Send">{connection(port, "PACS")}{inner}</Store></Actions>'
        '<Workflow><Perform action="Send" onError="Hold"/></Workflow></DicomPrinter>',
        encoding="utf-8",
    )
    return file


@contextmanager
def service(base: Path) -> Iterator[Path]:
    """`serve` over a base directory with its configuration; gives the watched folder once it is watched."""
    screen = base / "screen.log"
    with screen.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [*COMMAND, "serve", "--base", str(base)], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            wait_until(lambda: "ready:" in screen.read_text("utf-8"), "the service is ready", _SERVICE_SECONDS)
            yield base / "spool" / "incoming"
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def processes_below(root: int) -> list[int]:
    """A process and its descendants, as Linux tells them."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found


def processor_seconds(pid: int) -> float:
    """Processor time of one process, with that of its children which have ended; 0 when it has ended itself."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime, stime, cutime and cstime, in ticks.
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of one process, 0 when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
