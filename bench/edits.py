"""What page actions take: a page is turned, trimmed and stamped on one processor."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.measure import Figure
from bench.pages import photo, text_with_pictures
from bench.program import processor_seconds
from bench.results import Row
from bench.scale import Place
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now, tools
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.submission import Submission
from dicomprinter.program import Program, load
from dicomprinter.workflow.interpreter import Done

_TARGET: Final = 1500
_CONFIGURATION: Final = """<DicomPrinter><Actions>
  <Rotate name="Turn"><Angle>90</Angle></Rotate>
  <Trim name="Cut"><Top>auto</Top><Bottom>auto</Bottom><Left>auto</Left><Right>auto</Right></Trim>
  <PrintText name="Stamp"><Text>#{PatientID}, #{Date}</Text><X>5</X><Y>2</Y><Width>90</Width><Height>4</Height>
    <FontFamily>DejaVu Sans</FontFamily></PrintText>
</Actions><Workflow>
  <Perform action="Turn"/><Perform action="Cut"/><Perform action="Stamp"/>
</Workflow></DicomPrinter>"""


def measure(place: Place) -> list[Row]:
    """A row for a page of text and one for a photograph: the processor's time of the program and its decoder."""
    config = place.folder / "config.xml"
    config.write_text(_CONFIGURATION, "utf-8")
    program = load(config, environment={})
    rows, columns = place.scale.page
    made = {"text": text_with_pictures(rows, columns), "photo": photo(rows, columns)}
    with _one_processor(), Decoder() as decoder:
        return [_row(name, pixels, program, decoder, place) for name, pixels in made.items()]


def _row(name: str, pixels: NDArray[np.uint8], program: Program, decoder: Decoder, place: Place) -> Row:
    page = place.folder / f"{name}.png"
    Image.fromarray(pixels).save(page, dpi=(300, 300))
    used, taken = [], []
    with Spool.open(place.folder / name) as spool:
        intake = Intake(spool, decoder, local_now)
        runner = Runner(spool, tools(decoder, spool), lambda: program)
        for number in range(place.scale.rounds + 1):
            job = intake.copy([page], Submission(page.name, source="bench", tags={"PatientID": "4711"}))
            before, start = _processor(decoder), time.perf_counter()
            outcome = runner.run(job)
            if outcome != Done():
                raise RuntimeError(f"the pages were not changed: {job.reason}")
            # The first one starts the decoder and reads the fonts.
            if number or not place.scale.rounds:
                used.append((_processor(decoder) - before) * 1000)
                taken.append((time.perf_counter() - start) * 1000)
    figure = Figure(tuple(used))
    return Row(
        "edits",
        f"{name}: rotated, trimmed, stamped, on one processor",
        figure,
        target=_TARGET,
        at_most=True,
        score=figure.median,
        remark="processor time of the program and its decoder",
        details={"clock": Figure(tuple(taken))},
    )


def _processor(decoder: Decoder) -> float:
    return sum(map(processor_seconds, (os.getpid(), *decoder.children())))


@contextmanager
def _one_processor() -> Iterator[None]:
    """This process and what it starts meanwhile run on one, as `taskset` does it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
