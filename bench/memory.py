"""Memory while a job of hundreds of pages runs: the program and its decoder together, page by page."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from bench.curve import draw
from bench.measure import Figure
from bench.pages import text_with_pictures
from bench.program import COMMAND, processes_below, resident_mb, store_configuration
from bench.results import Row
from bench.scale import Place
from bench.tiff import write_tiff
from dicomprinter.imaging.pool import cores
from tests.peers import servers
from tests.scp import StorageScp

_EVERY_SECONDS: Final = 0.05
_PAGES_IN_FLIGHT: Final = cores()
"""Pages that are worked on at once (docs/architecture.md, Pages)."""
_PAGES_OF_PIXELS: Final = 1 + 2 * _PAGES_IN_FLIGHT
"""Each is in its child and here while it goes over; and there is one to spare for what comes of them."""
_SETTLED: Final = 20
"""From this page on memory is to be flat."""
_FLAT_MB: Final = 10
_COMPRESSION: Final = '<Compression type="JPEG_Lossless"/>'
_IMAGES: Final = '<Document as="Images" dpi="300"/>'


@dataclass(frozen=True)
class _Sample:
    """One look: pages confirmed by the archive, MB of the program, MB of its decoder."""

    page: int
    program: float
    decoder: float

    @property
    def whole(self) -> float:
        return self.program + self.decoder


@dataclass(frozen=True)
class _Case:
    """A long document, a short one of the same kind, and how they are stored."""

    name: str
    document: Path
    short: Path
    inner: str


def measure(place: Place) -> list[Row]:
    """Two rows a kind of document: how high memory goes, and how much it grows after the first pages."""
    page = text_with_pictures(*place.scale.page)
    count = place.scale.long_job
    rows = []
    with _archive(place) as port:
        for kind in place.scale.documents:
            case = _case(kind, place.folder, page, count)
            config = store_configuration(place.folder / "config.xml", port, case.inner)
            idle = max(_watched(config, case.short, place.folder / "base"), key=lambda sample: sample.whole)
            curve = list(_watched(config, case.document, place.folder / "base"))
            # Each page in flight may have a child of its own; the first is idle's.
            limit = (_PAGES_IN_FLIGHT - 1) * idle.decoder + _PAGES_OF_PIXELS * page.nbytes / 1e6
            rows += _rows(case.name, idle.whole, curve, limit, count)
            stem = f"memory-{case.name.replace(',', '').replace(' ', '-').lower()}"
            _keep(
                place.results / stem, f"{case.name}: resident memory, MB", curve, (idle.whole, limit), page.nbytes / 1e6
            )
    return rows


def _rows(name: str, idle: float, curve: list[_Sample], limit: float, count: int) -> list[Row]:
    above = max(sample.whole for sample in curve) - idle
    settled = [sample for sample in curve if sample.page >= min(_SETTLED, count // 2)]
    third = max(1, len(settled) // 3)
    early, late = ([sample.whole for sample in part] for part in (settled[:third], settled[-third:]))
    growth = statistics.median(late) - statistics.median(early) if settled else 0.0
    top = max(curve, key=lambda sample: sample.whole)
    details = {
        "idle_mb": round(idle, 1),
        "peak_mb": round(top.whole, 1),
        "peak_program_mb": round(max(sample.program for sample in curve), 1),
        "peak_decoder_mb": round(max(sample.decoder for sample in curve), 1),
        "peak_at_page": top.page,
        "pages_in_flight": _PAGES_IN_FLIGHT,
    }
    return [
        Row(
            "memory",
            f"{name}: highest, above idle",
            Figure((above,), "MB"),
            target=round(limit, 1),
            at_most=True,
            score=above,
            remark=f"idle {idle:.0f} MB, highest {top.whole:.0f} MB at page {top.page} of {count}",
            details=details,
        ),
        Row(
            "memory",
            f"{name}: growth after page {min(_SETTLED, count // 2)}",
            Figure((growth,), "MB"),
            target=_FLAT_MB,
            at_most=True,
            score=growth,
            remark="median of the last third less that of the first third",
        ),
    ]


@contextmanager
def _archive(place: Place) -> Iterator[int]:
    with ExitStack() as stack:
        if place.scale.peers:
            # 500 pages are 13 GB: they are received, and not kept.
            server = stack.enter_context(servers.storescp(place.folder / "storescp", "--ignore", ae_title="PACS"))
            yield server.port
        else:
            yield stack.enter_context(StorageScp()).port


def _case(kind: str, folder: Path, page: NDArray[np.uint8], count: int) -> _Case:
    """Idle is the same work on one page so small that its pixels do not count."""
    dot = np.full((16, 16, 3), 255, np.uint8)
    ending, write, inner, name = {
        "TIFF": ("tiff", write_tiff, _COMPRESSION, "TIFF"),
        "PDF": ("pdf", _write_pdf, _COMPRESSION + _IMAGES, "PDF as images"),
    }[kind]
    document, short = folder / f"pages.{ending}", folder / f"dot.{ending}"
    write(document, page, count)
    write(short, dot, 1)
    return _Case(f"{name}, {count} pages", document, short, inner)


def _write_pdf(path: Path, page: NDArray[np.uint8], count: int) -> None:
    """Each page a scan and its number, at 300 dpi."""
    height, width = (side * 72 / 300 for side in page.shape[:2])
    scan = path.with_suffix(".jpg")
    Image.fromarray(page).save(scan, quality=85)
    canvas = Canvas(str(path), pagesize=(width, height), invariant=1)
    for number in range(1, count + 1):
        canvas.drawImage(str(scan), 0, 0, width, height)
        canvas.drawString(2, 2, f"{number}")
        canvas.showPage()
    canvas.save()


def _watched(config: Path, document: Path, base: Path) -> Iterator[_Sample]:
    said = config.with_name("run.log")
    with said.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [*COMMAND, "run", str(config), str(document), "--base", str(base), "--set", "PatientID=BENCH"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        while process.poll() is None:
            first, *others = processes_below(process.pid)
            # Between fork and exec a child shows the memory of its parent, which would count twice.
            started = [pid for pid in others if _command(pid) != _command(first)]
            sample = _Sample(_confirmed(base), resident_mb(first), sum(map(resident_mb, started)))
            if sample.program:
                yield sample
            time.sleep(_EVERY_SECONDS)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        end = said.read_text("utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"run of {document.name} ended with {process.returncode}:\n{end}")


def _command(pid: int) -> bytes:
    """What a process was started with; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _confirmed(base: Path) -> int:
    """Lines of the answers that the job has noted (docs/architecture.md, A job on disk)."""
    with suppress(OSError):
        return sum(file.read_bytes().count(b"\n") for file in (base / "spool" / "jobs").glob("*/sent.jsonl"))
    return 0


def _keep(file: Path, title: str, curve: list[_Sample], levels: tuple[float, float], page_mb: float) -> None:
    """The curve as JSON and as a drawing; `levels` are idle and what may come on top, in MB."""
    idle, limit = levels
    file.parent.mkdir(parents=True, exist_ok=True)
    # The highest of each page tells all that the reader wants.
    highest: dict[int, _Sample] = {}
    for sample in curve:
        if sample.page not in highest or sample.whole > highest[sample.page].whole:
            highest[sample.page] = sample
    kept = {
        "idle_mb": round(idle, 1),
        "limit_mb": round(idle + limit, 1),
        "pages_in_flight": _PAGES_IN_FLIGHT,
        "page_mb": round(page_mb, 1),
        "columns": ["pages confirmed", "program MB", "decoder MB"],
        "curve": [[one.page, round(one.program, 1), round(one.decoder, 1)] for one in highest.values()],
    }
    file.with_suffix(".json").write_text(json.dumps(kept) + "\n", encoding="utf-8")
    lines = {
        "program and decoder": [(one.page, one.whole) for one in highest.values()],
        "decoder": [(one.page, one.decoder) for one in highest.values()],
    }
    limits = {"idle": idle, f"limit with {_PAGES_IN_FLIGHT} pages in flight": idle + limit}
    file.with_suffix(".svg").write_text(draw(title, lines, limits), encoding="utf-8")
