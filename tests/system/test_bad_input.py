"""Bad input in the middle of a job: a disk that fills, a date that is none, a text without a place."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dicomprinter.demo.worklist import worklist_entry
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.job.parts import State
from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.pictures import pdf
from tests.scp import FindScp, StorageScp
from tests.system.help import House, perform, png, store
from tests.system.service import connection
from tests.waiting import wait_until

Run = Callable[[Any], Any]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0 if os.name == "posix" else False
    if not mounted:
        pytest.skip("only root may mount a file system of its own, on Linux")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def pages() -> bytes:
    """Three small pages and two whose objects have a megabyte each."""
    random = np.random.default_rng(0)
    made = [Image.fromarray(random.integers(0, 256, (side, side), np.uint8)) for side in (100, 100, 100, 1000, 1000)]
    stream = io.BytesIO()
    made[0].save(stream, "TIFF", save_all=True, append_images=made[1:])
    return stream.getvalue()


def test_a_disk_that_is_full_in_the_middle_of_a_job(
    small_disk: Path, decoder: Decoder, running: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was sent stays sent; when there is room again the rest goes out."""
    monkeypatch.setattr("dicomprinter.engine.engine._AFTER_A_FAULT_SECONDS", 0.05)
    # Two objects are built ahead: the first large one is begun when the first small one has been stored.
    monkeypatch.setattr("dicomprinter.actions.store.sending.cores", lambda: 1)
    filler = small_disk / "filler"

    def fill(_received: object) -> None:
        if len(scp.received) == 1:
            room = os.statvfs(small_disk)
            filler.write_bytes(bytes(room.f_bavail * room.f_frsize - 200_000))

    scp = running(StorageScp(on_store=fill))
    with House(small_disk / "base", decoder) as house:
        engine = house.engine(house.program(store("A", scp.port), perform("A")))
        job = house.job(pages())
        engine.submit(job)
        wait_until(lambda: "No space left on device" in caplog.text, "the disk is full")
        assert len(scp.received) == 3
        assert house.spool.load(job.id).state is State.RUNNING
        filler.unlink()
        wait_until(lambda: not job.folder.path.exists(), "the job is done")
    assert [int(one.dataset.InstanceNumber) for one in scp.received] == [1, 2, 3, 4, 5]
    assert len({one.sop_instance for one in scp.received}) == 5


@pytest.mark.parametrize(
    ("tag", "value"),
    [("PatientBirthDate", "19000231"), ("StudyTime", "256199")],
)
def test_an_impossible_date_from_the_worklist(house: House, running: Run, tag: str, value: str) -> None:
    entry = worklist_entry(
        patient_name="Doe^Jane", patient_id="P-7", accession_number="A-7", description="x", start=house.clock.now
    )
    if tag == "PatientBirthDate":
        entry.PatientBirthDate = value
    else:
        entry.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartTime = value
    ris, scp = running(FindScp([entry])), running(StorageScp())
    query = f'<Query name="Q" type="Worklist">{connection(ris.port, "RIS")}<DcmTag tag="PatientID">P-7</DcmTag></Query>'
    job = house.job(png())
    program = house.program(query + store("A", scp.port), perform("Q", "A"))
    outcome = house.run(program, job)
    assert isinstance(outcome, Held)
    assert tag in outcome.why
    assert value not in outcome.why
    assert scp.received == []
    # The way out: the workflow blanks the tag, and the job goes on where it was held.
    corrected = house.program(query + store("A", scp.port), perform("Q", "A"))
    job = house.spool.load(job.id)
    delattr(job.dataset, tag)
    job.folder.save(job)
    assert house.resume(corrected, job.id) == Done()


def test_a_step_on_an_impossible_day_is_no_match(house: House, running: Run) -> None:
    entry = worklist_entry(
        patient_name="Doe^Jane", patient_id="P-7", accession_number="A-7", description="x", start=house.clock.now
    )
    entry.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate = "20261332"
    ris = running(FindScp([entry]))
    query = f'<Query name="Q" type="Worklist">{connection(ris.port, "RIS")}<DcmTag tag="PatientID">P-7</DcmTag></Query>'
    job = house.job(png())
    assert house.run(house.program(query, perform("Q")), job) == Done()
    assert not job.flags.query_found
    assert "1 answer left out here: 1 by ScheduledProcedureStepStartDate (0040,0002)" in house.messages(job)


def test_a_text_that_the_wished_character_set_cannot_hold(house: House, running: Run) -> None:
    scp = running(StorageScp())
    job = house.job(png(), pdf(), PatientName="Иванов^Пётр", PatientID="P-7")
    program = house.program(store("A", scp.port, "<CharacterSet>ISO_IR 100</CharacterSet>"), perform("A"))
    outcome = house.run(program, job)
    assert isinstance(outcome, Held)
    assert "PatientName (0010,0010) cannot be written in the character set ISO_IR 100" in outcome.why
    assert "Иванов" not in outcome.why
    assert scp.received == []
