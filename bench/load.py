"""Thousands of jobs of one small page through the service: is the last thousand as quick as the first, and as lean?

Each file is dropped while no more than a few hundred are under way, so that the first and the last have the same
company. The archive is `bench.archive`, which is never waited for.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from PIL import Image

from bench import archives
from bench.measure import Figure, alternate, processor_ms
from bench.program import COMMAND, processes_below, processor_seconds, resident_mb, service, store_configuration
from bench.results import Row
from bench.scale import Place
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.submission import Submission
from dicomprinter.job.job import Job
from dicomprinter.job.parts import State

_LEVEL: Final = 0.9
_GROWTH_MB: Final = 10
_START_SECONDS: Final = 3
_LIST_MS: Final = 1000
_UNDER_WAY: Final = 200
_STALLED_SECONDS: Final = 120
_COMPRESSION: Final = '<Compression type="JPEG_Lossless"/>'


def measure(place: Place) -> list[Row]:
    """Throughput and memory of one long run, then starts and lists with as many jobs that wait."""
    return [*_run_through(place), *_waiting(place)]


@dataclass
class _Arrivals:
    """What was seen when the archive had each object.

    Args:
        marks: the objects at which the processor time is asked for, which takes longer.
        moments: seconds of the monotonic clock.
        weights: MB of the service.
        processor: seconds that the service and its decoders have used, at each mark.
    """

    marks: tuple[int, ...]
    moments: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    processor: dict[int, float] = field(default_factory=dict)

    def note(self, moment: float, pid: int) -> None:
        """One more has arrived."""
        if len(self.moments) in self.marks:
            self.processor[len(self.moments)] = sum(map(processor_seconds, processes_below(pid)))
        self.weights.append(resident_mb(pid))
        self.moments.append(moment)

    def rate(self, first: int, last: int) -> float:
        """Jobs a second from one to another."""
        return (last - first) / (self.moments[last] - self.moments[first])

    def cost(self, first: int, last: int) -> float:
        """Milliseconds of processor a job."""
        return 1000 * (self.processor[last] - self.processor[first]) / (last - first)


def _run_through(place: Place) -> list[Row]:
    count = place.scale.load
    base = place.folder / "base"
    page = place.folder / "page.png"
    Image.new("L", (64, 48), 200).save(page)
    with archives.quick() as archive:
        port = int(next(archive))
        store_configuration(base / "config" / "config.xml", port, _COMPRESSION)
        with service(base) as incoming:
            pid = int((base / "spool" / ".owner").read_text(encoding="ascii"))
            arrivals = _Arrivals(_marks(count))
            reader = threading.Thread(target=_read, args=(archive, arrivals, pid), daemon=True)
            reader.start()
            _drop(page, incoming, arrivals, count)
            whole = sum(map(resident_mb, processes_below(pid)))
    return _rows(arrivals, count, whole)


def _read(archive: Iterator[str], arrivals: _Arrivals, pid: int) -> None:
    for line in archive:
        arrivals.note(float(line.split()[0]), pid)


def _drop(page: Path, incoming: Path, arrivals: _Arrivals, count: int) -> None:
    content = page.read_bytes()
    beside = incoming.with_name("beside")
    beside.mkdir()
    last = time.monotonic()
    dropped = arrived = 0
    while arrived < count:
        while dropped < min(count, len(arrivals.moments) + _UNDER_WAY):
            file = beside / f"page-{dropped:05}.png"
            file.write_bytes(content)
            file.rename(incoming / file.name)
            dropped += 1
        time.sleep(0.01)
        if len(arrivals.moments) > arrived:
            arrived, last = len(arrivals.moments), time.monotonic()
        elif time.monotonic() - last > _STALLED_SECONDS:
            raise RuntimeError(f"{arrived} of {count} objects arrived, and none within {_STALLED_SECONDS} s")


def _marks(count: int) -> tuple[int, int, int, int]:
    """Where the second and the last tenth begin and end; the first jobs pay for what is loaded once."""
    part = max(1, count // 10)
    return part, 2 * part, count - 1 - part, count - 1


def _rows(arrivals: _Arrivals, count: int, whole: float) -> list[Row]:
    part, early_end, late_begin, end = _marks(count)
    first, last = arrivals.rate(0, part), arrivals.rate(late_begin, end)
    cheap, dear = arrivals.cost(part, early_end), arrivals.cost(late_begin, end)
    early, late = (
        statistics.median(weights) for weights in (arrivals.weights[part:early_end], arrivals.weights[-part:])
    )
    jobs = Figure((arrivals.rate(0, count - 1),), "jobs/s")
    return [
        Row("load", f"{count} jobs of a page", jobs, remark="dropped, encoded, sent, noted in the ledger"),
        Row(
            "load",
            f"the last {part} beside the first {part}",
            Figure((last / first,), "×"),
            target=_LEVEL,
            score=last / first,
            remark=f"first {first:.1f} jobs/s, last {last:.1f}",
            details={"first": first, "last": last},
        ),
        Row(
            "load",
            f"processor a job, the last {part} beside the second {part}",
            Figure((dear,)),
            target=round(cheap / _LEVEL, 1),
            at_most=True,
            score=dear,
            remark=f"second {cheap:.1f} ms; what others do on the machine is no matter here",
            details={"second_ms": cheap, "last_ms": dear},
        ),
        Row(
            "load",
            f"memory of the service, the last {part} less the second {part}",
            Figure((late - early,), "MB"),
            target=_GROWTH_MB,
            at_most=True,
            score=late - early,
            remark=f"from {early:.0f} to {late:.0f} MB; with its decoders {whole:.0f} MB at the end",
        ),
    ]


def _waiting(place: Place) -> list[Row]:
    """Starts and lists; the machine's caches know the files, as they do while a service runs."""
    count, rounds = place.scale.load, max(1, place.scale.rounds)
    bases = {state: place.folder / state.value for state in (State.SUSPENDED, State.QUEUED)}
    for state, base in bases.items():
        _fill(base, count, state)
    there = bases[State.SUSPENDED]
    commands = (("jobs", "list"), ("jobs", "list", "--json"), ("status",))
    lists: dict[str, Callable[[], object]] = {" ".join(one): partial(_say, *one, base=there) for one in commands}
    found = alternate(place.scale.rounds, lists)
    rows = [
        Row(
            "load",
            f"{name}, {count} jobs",
            figure,
            target=_LIST_MS,
            at_most=True,
            score=figure.median,
            remark=f"of which processor {processor_ms(lists[name], 1)}",
        )
        for name, figure in found.items()
    ]
    for state, base in bases.items():
        # Queued ones run at once, so that the next start would find others.
        starts = [_start(base) for _ in range(rounds if state is State.SUSPENDED else 1)]
        took = Figure(tuple(seconds for seconds, _ in starts), "s")
        processor = statistics.median(used for _, used in starts)
        rows.append(
            Row(
                "load",
                f"start-up, {count} {state.value} jobs",
                took,
                target=_START_SECONDS,
                at_most=True,
                score=took.median,
                remark=f"from the command to the watched folder, of which processor {processor:.1f} s",
            )
        )
    return rows


def _say(*words: str, base: Path) -> None:
    """What it says of all is well, by its exit code, is no matter here."""
    subprocess.run([*COMMAND, *words, "--base", base], capture_output=True, check=False)  # noqa: S603 - ourselves


def _start(base: Path) -> tuple[float, float]:
    """Seconds until the service is ready, by the clock and of processor."""
    start = time.perf_counter()
    with service(base):
        took = time.perf_counter() - start
        return took, processor_seconds(int((base / "spool" / ".owner").read_text(encoding="ascii")))


def _fill(base: Path, count: int, state: State) -> None:
    """A base directory with so many jobs of that state: one that came in, and copies of it."""
    store_configuration(base / "config" / "config.xml", 9, _COMPRESSION)
    page = base / "page.png"
    Image.new("L", (64, 48), 200).save(page)
    with Spool.open(base) as spool, Decoder() as decoder:
        job = Intake(spool, decoder, local_now).copy([page], Submission("page.png", source="bench"))
        job.state = state
        if state is State.SUSPENDED:
            job.wake_at, job.reason = local_now() + timedelta(hours=1), "the archive is away"
        job.folder.save(job, secure=True)
        for number in range(1, count):
            _copy(job, spool.jobs / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{number:06x}")


def _copy(job: Job, folder: Path) -> None:
    shutil.copytree(job.folder.path, folder, copy_function=os.link)
    record = folder / "job.json"
    text = record.read_text(encoding="utf-8").replace(job.id, folder.name)
    record.unlink()
    record.write_text(text, encoding="utf-8")
