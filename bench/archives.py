"""Archives to send to, each emptied between two rounds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import servers
from tests.scp import StorageScp


@dataclass(frozen=True)
class Archive:
    """Where objects go, and how it is emptied, so that each round finds it as the one before."""

    name: str
    port: int
    empty: Callable[[], None]


@contextmanager
def in_process() -> Iterator[Archive]:
    """One in this process, which keeps everything in memory."""
    with StorageScp() as scp:
        yield Archive("a SCP in this process", scp.port, scp.received.clear)


@contextmanager
def quick() -> Iterator[Iterator[str]]:
    """`bench.archive` in a process of its own; gives what it says, line by line."""
    command = [sys.executable, "-m", "bench.archive"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ourselves
        try:
            yield iter(process.stdout or ())
        finally:
            process.kill()


@contextmanager
def storescp(folder: Path, environment: Mapping[str, str]) -> Iterator[Archive]:
    """DCMTK's, which keeps its files in a folder."""
    with servers.storescp(folder, ae_title="PACS", environment=environment) as server:

        def empty() -> None:
            shutil.rmtree(server.folder)
            server.folder.mkdir()

        yield Archive("storescp", server.port, empty)


@contextmanager
def orthanc(folder: Path, environment: Mapping[str, str]) -> Iterator[Archive]:
    """Orthanc as it is installed, which keeps its files in a folder."""
    # It would refuse the title of another.
    with servers.orthanc(folder, ae_title="PACS", environment=environment) as server:

        def empty() -> None:
            for patient in json.loads(server.get("/patients")):
                address = f"http://127.0.0.1:{server.http_port}/patients/{patient}"
                request = urllib.request.Request(address, method="DELETE")
                urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - loopback

        yield Archive("Orthanc", server.port, empty)
