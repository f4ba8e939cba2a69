"""MergeJob while the process ends: at whatever step, no page is lost and none is there twice."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from dicomprinter.engine.engine import Engine
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.submission import Submission
from dicomprinter.job import merged
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from tests.killed import Killed
from tests.system.engine_help import state
from tests.system.help import House, perform, png
from tests.system.service import Service, configuration
from tests.system.test_merge import come, ledger, merging, pages, pdf, program, through
from tests.waiting import PATIENCE, wait_until

STEPS = (
    (Path, "rename"),
    (merged, "sync_folder"),
    (merged, "absorb"),
    (JobFolder, "save"),
    (JobFolder, "add_payload"),
    (JobFolder, "secure_payload"),
)


class Mortal:
    """From the nth of these calls of a worker on, nothing is done any more."""

    def __init__(self, patch: pytest.MonkeyPatch, nth: int, *, after: bool) -> None:
        self.left, self.after, self.is_dead = nth, after, False
        for place, name in STEPS:
            patch.setattr(place, name, self.deadly(getattr(place, name)))

    def deadly(self, call: Any) -> Any:
        def replaced(*arguments: Any, **options: Any) -> Any:
            if not threading.current_thread().name.startswith("worker"):
                return call(*arguments, **options)
            if self.is_dead:
                raise Killed
            self.left -= 1
            is_here = self.left == 0
            if is_here and not self.after:
                self.is_dead = True
                raise Killed
            made = call(*arguments, **options)
            if is_here:
                self.is_dead = True
                raise Killed
            return made

        return replaced


def ended(house: House, engine: Engine, jobs: list[Job]) -> None:
    """Wait until the worker is dead, or through."""
    worker = engine.threads[0]
    wait_until(lambda: not worker.is_alive() or all(state(house, job) is None for job in jobs), "it ends", PATIENCE)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("after", [False, True])
def test_an_end_at_any_step_loses_no_page_and_has_none_twice(after: bool, house: House) -> None:
    made = program(house, nodes=perform("Merge", "Keep"))
    for nth in range(1, 100):
        jobs = [come(house, pdf(house.base, f"{nth} {number}"), f"{nth}-{number}") for number in (1, 2)]
        with pytest.MonkeyPatch.context() as patch:
            mortal = Mortal(patch, nth, after=after)
            engine = Engine(house.spool, made, house.tools, 1, steady=house.clock.steady)
            engine.start()
            ended(house, engine, jobs)
            engine.stop()
        house.restart()
        through(house, made, jobs, workers=2)
        house.restart()
        texts = []
        for folder in (house.base / "archive").glob(f"{nth}-*"):
            for file in folder.glob("DP_*"):
                document = house.base / "read.pdf"
                document.write_bytes(dcmread(file).EncapsulatedDocument)
                texts += [text.strip() for text in house.tools.decoder.texts(document)]
        assert sorted(texts) == [f"{nth} {number}" for number in (1, 2)], nth
        told = ledger(house)
        assert {told[job.id]["outcome"] for job in jobs} <= {"done", "merged"}
        assert told[jobs[0].id]["outcome"] == "done"
        if not mortal.is_dead:
            assert nth > 8
            return
    raise AssertionError("it never came to its end")


def test_what_was_being_taken_in_when_the_service_ended_keeps_its_place(tmp_path: Path, decoder: Decoder) -> None:
    def die(*_: object) -> None:
        raise Killed

    text = configuration(merging("<MaxJobs>3</MaxJobs>", timeout=60_000), perform("Merge", "Keep"))
    service = Service(tmp_path / "base", text)
    with House(service.base, decoder) as house:
        come(house, png(1), "job-1")
        file = service.incoming / "job-2"
        file.write_bytes(png(2))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(JobFolder, "complete_arrival", die)
            with pytest.raises(Killed):
                house.intake.take([file], Submission("job-2", "anna", "ward", "incoming"))
        come(house, png(3), "job-3")
    with service:
        service.wait_for(lambda: len(service.ledger()) == 3, "all have left")
    assert pages(house) == {"job-1": [1, 2, 3]}
