"""From a file dropped at the service to the object at the archive, without what encoding and sending take."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import JPEGLosslessSV1, SecondaryCaptureImageStorage

from bench.instances import write_instance
from bench.measure import Figure
from bench.pages import text_with_pictures
from bench.program import service, store_configuration
from bench.results import Row
from bench.scale import Place
from dicomprinter.dicom.network.association import Association
from dicomprinter.dicom.network.peer import Peer
from tests.scp import Received, StorageScp

_TARGET_MS: Final = 150
_PATIENCE: Final = 60
_APART_SECONDS: Final = 1.0
"""So that nothing of the file before is still on its way."""


class _Arrivals:
    """When the archive had the last object whole; `port` is where it listens."""

    def __init__(self) -> None:
        self.port = 0
        self._arrived = threading.Event()
        self._moment = 0.0

    def note(self, _received: Received) -> None:
        self._moment = time.perf_counter()
        self._arrived.set()

    def since(self, start: float) -> float:
        """Wait for it; milliseconds."""
        if not self._arrived.wait(_PATIENCE):
            raise RuntimeError(f"nothing arrived within {_PATIENCE} s")
        self._arrived.clear()
        return (self._moment - start) * 1000


@dataclass(frozen=True)
class _Drop:
    """A way in which files come: where they are written first, and how long after the one before."""

    name: str
    size: tuple[int, int]
    from_elsewhere: bool = False
    pause: float = _APART_SECONDS


def measure(place: Place) -> list[Row]:
    """A row for each way; small pages show the way itself, and one is a whole page."""
    arrivals = _Arrivals()
    small, apart = (48, 64), _APART_SECONDS if place.scale.peers else 0
    drops = (
        _Drop("64 × 48, renamed in", small, pause=apart),
        _Drop("64 × 48, renamed in, the next at once", small, pause=0),
        _Drop("64 × 48, moved in from another folder", small, from_elsewhere=True, pause=apart),
        _Drop("a page, renamed in", place.scale.page, pause=apart),
    )
    with StorageScp(on_store=arrivals.note) as scp:
        arrivals.port = scp.port
        config = store_configuration(
            place.folder / "base" / "config" / "config.xml", scp.port, '<Compression type="JPEG_Lossless"/>'
        )
        with service(config.parent.parent) as incoming:
            return [_row(drop, incoming, arrivals, place) for drop in drops]


def _row(drop: _Drop, incoming: Path, arrivals: _Arrivals, place: Place) -> Row:
    pixels = text_with_pictures(*drop.size)
    whole, sending = [], []
    first = (place.folder if drop.from_elsewhere else incoming) / ".page.new"
    for number in range(place.scale.drops + 1):
        Image.fromarray(pixels).save(first, "PNG", dpi=(300, 300))
        time.sleep(drop.pause)
        start = time.perf_counter()
        first.rename(incoming / f"page-{number}.png")
        whole.append(arrivals.since(start))
        sending.append(_encode_and_send(pixels, place.folder / "page.dcm", arrivals))
    # The first of each pays for what is loaded once.
    total, known = Figure(tuple(whole[1:] or whole)), Figure(tuple(sending[1:] or sending))
    net = total.less(known)
    return Row(
        "latency",
        drop.name,
        net,
        target=_TARGET_MS,
        at_most=True,
        score=net.median,
        remark=f"whole {total}, of which encoding and sending {known}; longest net {max(net.values):.0f} ms",
        details={"whole": total, "encode_and_send": known},
    )


def _encode_and_send(pixels: NDArray[np.uint8], path: Path, arrivals: _Arrivals) -> float:
    start = time.perf_counter()
    uid = write_instance(path, pixels, 8, JPEGLosslessSV1)
    contexts = [(SecondaryCaptureImageStorage, [JPEGLosslessSV1])]
    with Association.open(Peer("PACS", "127.0.0.1", arrivals.port), contexts) as association:
        association.store(
            path, sop_class=SecondaryCaptureImageStorage, sop_instance=uid, transfer_syntax=JPEGLosslessSV1
        )
    return arrivals.since(start)
