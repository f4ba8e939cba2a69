"""Jobs a second through the engine: a real spool, brought to the disk as in production."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from PIL import Image

from bench.measure import Figure
from bench.results import Row
from bench.scale import Place
from dicomprinter.engine.engine import Engine
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now, tools
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.submission import Submission
from dicomprinter.program import Program, load

_TARGET: Final = 150
_PATIENCE: Final = 600
_TAGS: Final = ("0008,0080", "0008,1030", "0008,103E", "0020,0010", "0018,1030")


def measure(place: Place) -> list[Row]:
    """One row for the engine, one for taking the files in before."""
    program = _program(place.folder / "config.xml")
    page = place.folder / "page.png"
    Image.new("L", (64, 48), 200).save(page)
    taken_in, run_through = [], []
    for number in range(max(1, place.scale.rounds)):
        into, through = _round(place.folder / f"base-{number}", program, page, place.scale.jobs)
        taken_in.append(place.scale.jobs / into)
        run_through.append(place.scale.jobs / through)
    ran = Figure(tuple(run_through), "jobs/s")
    return [
        Row("engine", "five SetTags, 2 workers", ran, target=_TARGET, score=ran.median),
        Row("engine", "taking files in, one after the other", Figure(tuple(taken_in), "jobs/s")),
    ]


def _round(base: Path, program: Program, page: Path, count: int) -> tuple[float, float]:
    """Seconds to take in, and to run, so many jobs."""
    with Spool.open(base) as spool, Decoder() as decoder:
        engine = Engine(spool, program, tools(decoder, spool))
        intake = Intake(spool, decoder, local_now)
        engine.start()
        start = time.perf_counter()
        jobs = [intake.copy([page], Submission("page.png", source="bench")) for _ in range(count)]
        queued = time.perf_counter()
        for job in jobs:
            engine.submit(job)
        if not engine.idle(_PATIENCE):
            raise RuntimeError(f"the engine is not done after {_PATIENCE} s")
        done = time.perf_counter()
        engine.stop()
        if spool.job_ids():
            raise RuntimeError("not every job came to its end")
    return queued - start, done - queued


def _program(file: Path) -> Program:
    actions = "".join(
        f'<SetTag name="Set {number}"><DcmTag tag="{tag}">#{{Date}} {number}</DcmTag></SetTag>'
        for number, tag in enumerate(_TAGS)
    )
    performs = "".join(f'<Perform action="Set {number}"/>' for number in range(len(_TAGS)))
    file.write_text(
        f"<DicomPrinter><Actions>{actions}</Actions><Workflow>{performs}</Workflow></DicomPrinter>", encoding="utf-8"
    )
    return load(file, environment={})
