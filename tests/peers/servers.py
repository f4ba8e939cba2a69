"""Starts real DICOM programs on free ports with folders of their own, and waits until they listen."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from tests.peers import program
from tests.scp import closed_port
from tests.waiting import PATIENCE, wait_until

_WORKLIST_FIND = UID("1.2.840.10008.5.1.4.31")
_PLUGIN_FOLDERS = ("/usr/share/orthanc/plugins", "/usr/local/share/orthanc/plugins")


@dataclass(frozen=True)
class StoreServer:
    """A running storescp; it writes what comes bit for bit."""

    port: int
    folder: Path
    log: Path

    @property
    def files(self) -> list[Path]:
        """In the order of arrival."""
        return sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)

    def read(self) -> list[Dataset]:
        return [dcmread(path) for path in self.files]


@contextlib.contextmanager
def storescp(
    folder: Path,
    *options: str,
    ae_title: str = "STORESCP",
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[StoreServer]:
    """DCMTK's storage SCP; takes every syntax unless the options say otherwise, and any free port unless one is told.

    `environment` goes over what DCMTK does when nothing is said, e.g. TCP_NODELAY=1.
    """
    received = folder / "received"
    received.mkdir(parents=True)
    port = port or closed_port()
    syntax = () if any(option.startswith(("+x", "-x")) for option in options) else ("+xa",)
    command = [program("storescp"), "-v", *syntax, "+B", "-aet", ae_title, "-od", str(received), *options, str(port)]
    with running(command, port, folder / "storescp.log", environment=environment) as log:
        yield StoreServer(port, received, log)


@dataclass(frozen=True)
class WorklistServer:
    """A running wlmscpfs."""

    port: int
    ae_title: str
    log: Path


@contextlib.contextmanager
def wlmscpfs(folder: Path, entries: Sequence[Dataset], *, ae_title: str = "WORKLIST") -> Iterator[WorklistServer]:
    """DCMTK's worklist SCP; an entry without all type 1 attributes is left out by it in silence."""
    shelf = folder / ae_title
    write_worklist(shelf, entries)
    (shelf / "lockfile").touch()
    port = closed_port()
    # By itself it answers without a character set, umlauts or not.
    command = [program("wlmscpfs"), "-v", "-s", "-csk", "-dfp", str(folder), str(port)]
    with running(command, port, folder / "wlmscpfs.log") as log:
        yield WorklistServer(port, ae_title, log)


@dataclass(frozen=True)
class ArchiveServer:
    """A running dcmqrscp: C-STORE and C-FIND, uncompressed syntaxes only."""

    port: int
    ae_title: str
    folder: Path
    log: Path

    @property
    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.name != "index.dat")


@contextlib.contextmanager
def dcmqrscp(folder: Path, *, ae_title: str = "ARCHIVE") -> Iterator[ArchiveServer]:
    """DCMTK's archive."""
    shelf = folder / "archive"
    shelf.mkdir(parents=True)
    port = closed_port()
    config = folder / "dcmqrscp.cfg"
    config.write_text(
        f"""NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{ae_title} {shelf} RW (200, 1024mb) ANY
AETable END
"""
    )
    command = [program("dcmqrscp"), "-v", "-c", str(config)]
    with running(command, port, folder / "dcmqrscp.log") as log:
        yield ArchiveServer(port, ae_title, shelf, log)


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc with helpers over its REST interface."""

    port: int
    http_port: int
    ae_title: str
    log: Path

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=PATIENCE) as answer:
            return bytes(answer.read())

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def instances(self) -> list[str]:
        """Orthanc's own ids; it answers a C-STORE after it has stored."""
        return list(self.json("/instances"))

    def file(self, instance: str) -> bytes:
        """The Part 10 file as it arrived."""
        return self.get(f"/instances/{instance}/file")

    def tags(self, instance: str) -> dict[str, Any]:
        """Keyword to value, in Unicode."""
        return dict(self.json(f"/instances/{instance}/tags?simplify"))


@contextlib.contextmanager
def orthanc(
    folder: Path,
    *,
    ae_title: str = "ORTHANC",
    worklist: Sequence[Dataset] = (),
    settings: dict[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Orthanc]:
    """Orthanc with an empty database; `settings` go over the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    port, http_port = closed_port(), closed_port()
    shelf = folder / "worklists"
    write_worklist(shelf, worklist)
    plugins = [f"{place}/libModalityWorklists.so" for place in _PLUGIN_FOLDERS if worklist]
    config = folder / "orthanc.json"
    config.write_text(
        json.dumps(
            {
                "Name": ae_title,
                "StorageDirectory": str(folder / "storage"),
                "IndexDirectory": str(folder / "index"),
                "Plugins": [plugin for plugin in plugins if Path(plugin).exists()],
                "HttpPort": http_port,
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": False,
                "DicomPort": port,
                "DicomAet": ae_title,
                "DicomAlwaysAllowEcho": True,
                "DicomAlwaysAllowStore": True,
                "DicomAlwaysAllowFind": True,
                "DicomAlwaysAllowFindWorklist": True,
                "DefaultEncoding": "Utf8",
                "StableAge": 1,
                "Worklists": {"Enable": bool(worklist), "Database": str(shelf)},
                **(settings or {}),
            }
        )
    )
    command = [program("Orthanc"), str(config)]
    with running(command, port, folder / "orthanc.log", http_port, environment=environment) as log:
        yield Orthanc(port, http_port, ae_title, log)


def write_worklist(folder: Path, entries: Sequence[Dataset]) -> None:
    """One `.wl` file an entry: Part 10 files, as wlmscpfs and Orthanc read them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, entry in enumerate(entries, start=1):
        written = Dataset()
        written.update(entry)
        written.file_meta = FileMetaDataset()
        written.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        written.file_meta.MediaStorageSOPClassUID = _WORKLIST_FIND
        written.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        written.save_as(folder / f"{number:03}.wl", enforce_file_format=True)


@contextlib.contextmanager
def running(
    command: list[str],
    port: int,
    log: Path,
    http_port: int | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Path]:
    """A program that listens, until the end of the block; gives its log."""
    # What the caller's environment says about DCMTK must not change its stock behaviour.
    stock = {name: value for name, value in os.environ.items() if not name.startswith(("DCM", "TCP_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env=stock | dict(environment or {}),
        )

        def is_ready() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} has ended:\n{log.read_text(errors='replace')}")
            return _listens(port) and (http_port is None or _answers(http_port))

        try:
            wait_until(is_ready, f"{command[0]} is ready; {log} says why not")
            yield log
        finally:
            # Nothing here outlives the test, and Orthanc takes seconds to end in order.
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except OSError:
        return False
    return True


def _answers(http_port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{http_port}/system", timeout=PATIENCE).close()
    except OSError:
        return False
    return True
