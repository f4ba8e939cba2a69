"""C-STORE: many small objects and some large ones on one association, ours beside storescu.

As installed, each object of storescu waits some 45 ms: the Nagle algorithm of one side holds a last short packet back
until the other side's delayed acknowledgement comes. TCP_NODELAY=1 in the environment of storescu and of the archive
turns that off; ours has it turned off always.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from bench.archives import Archive, in_process, orthanc, storescp
from bench.bare import BareSender
from bench.instances import write_instance
from bench.measure import alternate, processor_ms, run
from bench.pages import grey, photo
from bench.results import Row
from bench.scale import Place
from dicomprinter.dicom.network.association import Association
from dicomprinter.dicom.network.peer import Peer
from tests.peers import program

_SMALL: Final = (512, 512)
"""Rows and columns of 256 KB in grey."""
_FASTER_THAN_STOCK: Final = 20
_FASTER_THAN_WITHOUT_DELAY: Final = 1
_WITHOUT_DELAY: Final[Mapping[str, str]] = MappingProxyType({"TCP_NODELAY": "1"})
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


@dataclass(frozen=True)
class _Load:
    """Files of one size, and their UIDs."""

    name: str
    files: dict[Path, str]
    small: bool


@dataclass(frozen=True)
class _Comparison:
    """One archive, and how it and storescu are run.

    Args:
        opened: starts the archive in a folder, with an environment.
        target: times as fast as storescu, for small objects.
        target_large: the same for large ones.
        environment: of both.
        on_disk: whether the archive keeps what comes on the disk, not in memory.
    """

    opened: Callable[[Path, Mapping[str, str]], AbstractContextManager[Archive]]
    target: float | None = None
    target_large: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    on_disk: bool = False


def measure(place: Place) -> list[Row]:
    """A row for each archive and size of objects."""
    loads = _loads(place)
    if not place.scale.peers:
        with in_process() as archive:
            return [_row(archive, load, _Comparison(storescp), place, None) for load in loads]
    tiny = place.folder / "tiny.dcm"
    write_instance(tiny, np.zeros((8, 8), np.uint8))
    comparisons = (
        _Comparison(storescp, target=_FASTER_THAN_STOCK),
        _Comparison(storescp, _FASTER_THAN_WITHOUT_DELAY, _FASTER_THAN_WITHOUT_DELAY, environment=_WITHOUT_DELAY),
        _Comparison(orthanc, target=_FASTER_THAN_STOCK),
        _Comparison(orthanc, on_disk=True),
    )
    rows = []
    for comparison in comparisons:
        with (
            _folder_of(comparison, place) as folder,
            comparison.opened(folder, comparison.environment) as archive,
        ):
            rows += [_row(archive, load, comparison, place, tiny) for load in loads]
    return rows


def _row(archive: Archive, load: _Load, comparison: _Comparison, place: Place, tiny: Path | None) -> Row:
    environment = comparison.environment
    what = f"{load.name} to {archive.name}"
    actions: dict[str, Callable[[], object]] = {"ours": partial(_send, archive.port, load.files)}
    if tiny is not None:
        what += ", TCP_NODELAY on both sides" if environment else ", both as installed"
        what += ", its disk included" if comparison.on_disk else ""
        actions["theirs"] = partial(_storescu, archive.port, load.files, environment)
        actions["start"] = partial(_storescu, archive.port, [tiny], environment)
        if load.small:
            actions["bare"] = BareSender.to(Peer("PACS", "127.0.0.1", archive.port), load.files).send
    found = alternate(place.scale.rounds, actions, between=archive.empty)
    theirs, details = found.get("theirs"), {}
    if theirs is None:
        return Row("store", what, found["ours"])
    remarks = []
    if environment:
        # The stricter way: only theirs is without its start-up, which has an association in it.
        details = {"theirs whole": theirs, "start-up": found["start"]}
        remarks.append(f"theirs whole {theirs}, start-up {found['start']}")
        theirs = theirs.less(found["start"])
        used = {name: processor_ms(action, place.scale.rounds) for name, action in actions.items() if name != "bare"}
        archive.empty()
        net = used["theirs"].less(used["start"])
        details |= {"processor": used["ours"], "processor theirs net": net}
        remarks.append(f"by processor {net.median / used['ours'].median:.2f}×")
    if load.small:
        details["bare sender"] = found["bare"]
        ratio = theirs.median / found["bare"].median
        remarks.append(f"bytes made beforehand and no more {found['bare']}, {ratio:.1f}×")
    target = comparison.target if load.small else comparison.target_large
    return Row("store", what, found["ours"], theirs, target=target, remark="; ".join(remarks), details=details)


def _storescu(port: int, files: Iterable[Path], environment: Mapping[str, str]) -> None:
    run(program("storescu"), "-aec", "PACS", "127.0.0.1", port, *files, **environment)


@contextmanager
def _folder_of(comparison: _Comparison, place: Place) -> Iterator[Path]:
    """Where the archive keeps what comes: in memory where Linux has such a folder, so that no disk is measured."""
    memory = _MEMORY if _MEMORY.is_dir() and not comparison.on_disk else place.folder
    with tempfile.TemporaryDirectory(prefix="dicomprinter-bench-", dir=memory) as folder:
        yield Path(folder) / "archive"


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
        loads.append(_Load(f"{count} × {size}", files, small=pixels is little))
    return loads
