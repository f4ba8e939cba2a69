"""C-STORE: many small objects and some large ones on one association, ours beside storescu as it is installed."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from bench.instances import write_instance
from bench.measure import alternate, run
from bench.pages import grey, photo
from bench.results import Row
from bench.scale import Place
from dicomprinter.dicom.association import Association
from dicomprinter.dicom.peer import Peer
from tests.peers import program, servers
from tests.scp import StorageScp

_SMALL: Final = (512, 512)
"""Rows and columns of 256 KB in grey."""
_FASTER_THAN_STORESCU: Final = 4


@dataclass(frozen=True)
class _Archive:
    """Where objects go, and how it is emptied, so that each round finds it as the one before."""

    name: str
    port: int
    empty: Callable[[], None]


@dataclass(frozen=True)
class _Load:
    """Files of one size, and their UIDs."""

    name: str
    files: dict[Path, str]


def measure(place: Place) -> list[Row]:
    """A row for each archive and size of objects."""
    rows = []
    loads = _loads(place)
    for opened in (_storescp, _orthanc) if place.scale.peers else (_in_process,):
        with opened(place.folder) as archive:
            rows += [_row(archive, load, place) for load in loads]
    return rows


def _row(archive: _Archive, load: _Load, place: Place) -> Row:
    what = f"{load.name} to {archive.name}"
    actions: dict[str, Callable[[], object]] = {"ours": partial(_send, archive.port, load.files)}
    if place.scale.peers:
        actions["theirs"] = lambda: run(
            program("storescu"), "-aec", "PACS", "127.0.0.1", archive.port, *map(str, load.files)
        )
    found = alternate(place.scale.rounds, actions, between=archive.empty)
    is_target = archive.name == "Orthanc" and load.name.endswith("256 KB")
    return Row("store", what, found["ours"], found.get("theirs"), target=_FASTER_THAN_STORESCU if is_target else None)


def _send(port: int, files: dict[Path, str]) -> None:
    contexts = [(SecondaryCaptureImageStorage, [ExplicitVRLittleEndian])]
    with Association.open(Peer("PACS", "127.0.0.1", port), contexts) as association:
        for path, uid in files.items():
            result = association.store(
                path,
                sop_class=SecondaryCaptureImageStorage,
                sop_instance=uid,
                transfer_syntax=ExplicitVRLittleEndian,
            )
            if result.status.code:
                raise RuntimeError(f"the archive answered {result.status}")


def _loads(place: Place) -> list[_Load]:
    small, large = place.scale.instances
    page = photo(*place.scale.page)
    little = np.resize(grey(page), _SMALL)
    loads = []
    for name, count, pixels in (("256 KB", small, little), ("page", large, page)):
        files = {}
        for number in range(count):
            path = place.folder / f"{name.replace(' ', '')}-{number}.dcm"
            files[path] = write_instance(path, pixels)
        size = name if name == "256 KB" else f"{page.nbytes / 1e6:.0f} MB"
        loads.append(_Load(f"{count} × {size}", files))
    return loads


@contextmanager
def _in_process(_folder: Path) -> Iterator[_Archive]:
    with StorageScp() as scp:
        yield _Archive("a SCP in this process", scp.port, scp.received.clear)


@contextmanager
def _storescp(folder: Path) -> Iterator[_Archive]:
    with servers.storescp(folder / "storescp", ae_title="PACS") as server:

        def empty() -> None:
            shutil.rmtree(server.folder)
            server.folder.mkdir()

        yield _Archive("storescp", server.port, empty)


@contextmanager
def _orthanc(folder: Path) -> Iterator[_Archive]:
    # It would refuse the title of another.
    with servers.orthanc(folder / "orthanc", ae_title="PACS") as server:

        def empty() -> None:
            for patient in json.loads(server.get("/patients")):
                address = f"http://127.0.0.1:{server.http_port}/patients/{patient}"
                request = urllib.request.Request(address, method="DELETE")
                urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - loopback

        yield _Archive("Orthanc", server.port, empty)
