"""One job of hundreds of pages and single pages beside it, for the same archive: do the single ones wait?

The archive is `bench.archive`, so that nothing but the service and the machine's cores can hold anything up.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from PIL import Image

from bench.archives import quick
from bench.measure import Figure
from bench.pages import text_with_pictures
from bench.program import service, store_configuration
from bench.results import Row
from bench.scale import Place
from bench.tiff import write_tiff
from tests.waiting import wait_until

_MEDIAN_MS: Final = 1000
_LONGEST_SECONDS: Final = 3
_PATIENCE: Final = 120
_MEDIUM: Final = (1754, 1240)
"""Rows and columns of A4 at 150 dpi."""
_SINGLE_BYTES: Final = 2000
"""A data set with one even area of 64 × 48 has less, any of a printed page more."""


@dataclass
class _Arrivals:
    """When the archive had each object whole, in seconds of the monotonic clock.

    Args:
        singles: those that nobody has waited for yet.
        pages: of the long job.
    """

    singles: queue.Queue[float] = field(default_factory=queue.Queue)
    pages: list[float] = field(default_factory=list)

    def read(self, archive: Iterator[str]) -> None:
        """Note what the archive says until it ends."""
        for line in archive:
            moment, size = line.split()
            if int(size) < _SINGLE_BYTES:
                self.singles.put(float(moment))
            else:
                self.pages.append(float(moment))

    def single(self, incoming: Path) -> float:
        """Drop a single page and wait for it; milliseconds."""
        first = incoming / ".single.new"
        Image.new("L", (64, 48), 200).save(first, "PNG")
        start = time.monotonic()
        first.rename(incoming / f"single-{start:.6f}.png")
        return (self.singles.get(timeout=_PATIENCE) - start) * 1000


def measure(place: Place) -> list[Row]:
    """Single pages one after the other: alone, then for as long as the long job is under way."""
    count, base = place.scale.long_job, place.folder / "base"
    ledger = base / "spool" / "ledger.jsonl"
    document = place.folder / "pages.tiff"
    write_tiff(document, text_with_pictures(*map(min, place.scale.page, _MEDIUM)), count)
    arrivals = _Arrivals()
    with quick() as archive:
        store_configuration(base / "config" / "config.xml", int(next(archive)), '<Compression type="JPEG_Lossless"/>')
        threading.Thread(target=arrivals.read, args=(archive,), daemon=True).start()
        with service(base) as incoming:
            alone, start = [arrivals.single(incoming) for _ in range(place.scale.drops + 1)], time.monotonic()
            document.rename(incoming / document.name)
            beside: list[float] = []
            reached: list[int] = []
            # The first comes while the long job is still being taken in.
            while not beside or len(arrivals.pages) < count:
                beside.append(arrivals.single(incoming))
                reached.append(len(arrivals.pages))
                if time.monotonic() - max([start, *arrivals.pages[-1:]]) > _PATIENCE:
                    raise RuntimeError(f"{reached[-1]} of {count} pages arrived, and none within {_PATIENCE} s")
            wait_until(lambda: len(ledger.read_bytes().splitlines()) > len(alone + beside), "all jobs are done")
    jobs = [json.loads(line) for line in ledger.read_text("utf-8").splitlines()]
    stored = sorted(job["stored"] for job in jobs if job["outcome"] == "done")
    if len(arrivals.pages) != count or stored != [1] * len(alone + beside) + [count]:
        raise RuntimeError(f"{len(arrivals.pages)} of {count} pages arrived; the ledger says {stored}")
    return _rows(Figure(tuple(alone[1:] or alone)), Figure(tuple(beside)), reached, arrivals.pages[-1] - start, count)


def _rows(alone: Figure, beside: Figure, reached: list[int], seconds: float, count: int) -> list[Row]:
    longest, there = max(zip(beside.values, reached, strict=True))
    passed = sum(pages < count for pages in reached)
    return [
        Row("fairness", "a single page alone", alone, remark=f"longest {max(alone.values):.0f} ms"),
        Row(
            "fairness",
            f"a single page beside a job of {count}",
            beside,
            target=_MEDIAN_MS,
            at_most=True,
            score=beside.median,
            remark=f"{passed} came before the last of the {count}, which came whole after {seconds:.1f} s",
            details={"passed": passed, "pages_arrived_at_each": reached, "long_job_seconds": round(seconds, 2)},
        ),
        Row(
            "fairness",
            "the longest of them",
            Figure((longest / 1000,), "s"),
            target=_LONGEST_SECONDS,
            at_most=True,
            score=longest / 1000,
            remark=f"when it came, {there} of the {count} pages had come",
        ),
    ]
