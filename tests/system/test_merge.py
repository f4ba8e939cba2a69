"""MergeJob: jobs that come one after the other become one, and none is lost or there twice."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.engine.engine import Engine
from dicomprinter.engine.queue import Queue
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.siblings import QueueSiblings
from dicomprinter.engine.ticket import Ticket
from dicomprinter.errors import InputError
from dicomprinter.intake.submission import Submission
from dicomprinter.job import merged
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.job.parts import State
from dicomprinter.program import Program
from dicomprinter.workflow.interpreter import Done
from tests.system.engine_help import state, wait_for
from tests.system.help import House, perform, png, set_tag
from tests.waiting import PATIENCE, wait_until

SAVE = '<Save name="Keep"><Directory>archive/#{Job.Name}</Directory></Save>'


def merging(inner: str = "", *, timeout: int = 0) -> str:
    return (
        f'<MergeJob name="Merge"><Timeout>{timeout}</Timeout><TimeThreshold>60000</TimeThreshold>{inner}</MergeJob>'
        + SAVE
        + '<Save name="Raw"><Directory>raw</Directory><Format>dxi</Format></Save>'
    )


def program(house: House, inner: str = "", *, timeout: int = 0, nodes: str = "") -> Program:
    return house.program(merging(inner, timeout=timeout), nodes or perform("Merge", "Keep"))


def come(house: House, data: bytes, title: str, *, host: str = "ward", user: str = "anna", text: bytes = b"") -> Job:
    """A job that has come in."""
    files = []
    for number, content in enumerate((data, text)):
        if content:
            files.append(house.base / f"{title}-{number}")
            files[-1].write_bytes(content)
    return house.intake.copy(files, Submission(title, user, host, "test"))


def through(house: House, made: Program, jobs: list[Job], workers: int = 3) -> Engine:
    """Run all of them; they were there before the engine."""
    engine = house.engine(made, workers)
    for job in jobs:
        wait_for(house, job, None)
    assert engine.idle(PATIENCE)
    return engine


def ledger(house: House) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in house.spool.ledger.read_text("utf-8").splitlines()]
    assert len({line["job"] for line in lines}) == len(lines)
    return {line["job"]: line for line in lines}


def pages(house: House) -> dict[str, list[int]]:
    """Which pages lie in the folder of each job, in order."""
    found = {}
    for folder in (house.base / "archive").iterdir():
        objects = [dcmread(file) for file in sorted(folder.glob("DP_*"))]
        found[folder.name] = [int(one.pixel_array[0, 1]) for one in objects if "PixelData" in one]
    return found


def pdf(folder: Path, *texts: str) -> bytes:
    canvas = Canvas(str(folder / "made.pdf"), pagesize=(144, 144), invariant=True)
    for text in texts:
        canvas.drawString(10, 100, text)
        canvas.showPage()
    canvas.save()
    return (folder / "made.pdf").read_bytes()


def test_jobs_that_wait_become_one_in_order_of_arrival(house: House) -> None:
    jobs = [come(house, png(number), f"job-{number}") for number in (1, 2, 3)]
    through(house, program(house), jobs)
    assert pages(house) == {"job-1": [1, 2, 3]}
    told = ledger(house)
    assert [told[job.id]["outcome"] for job in jobs] == ["done", "merged", "merged"]
    assert [told[job.id].get("into") for job in jobs] == [None, jobs[0].id, jobs[0].id]
    assert told[jobs[0].id]["pages"] == 3
    assert house.spool.job_ids() == []


def test_a_job_that_comes_while_another_waits_for_it_is_taken_in_at_once(house: House) -> None:
    """Whatever workers are free: MaxJobs ends the wait, which is longer than a test."""
    engine = house.engine(program(house, "<MaxJobs>3</MaxJobs>", timeout=60_000), workers=3)
    jobs = []
    for number in (1, 2, 3):
        jobs.append(come(house, png(number), f"job-{number}"))
        engine.submit(jobs[-1])
    for job in jobs:
        wait_for(house, job, None)
    assert pages(house) == {"job-1": [1, 2, 3]}


@pytest.mark.parametrize(
    ("inner", "jobs", "expected"),
    [
        ("", ["ward anna", "ward anna", "lab anna", "ward anna"], {"1": [1, 2], "3": [3], "4": [4]}),
        ("", ["ward anna", "ward bert", "ward anna"], {"1": [1], "2": [2], "3": [3]}),
        ("<MatchHost>0</MatchHost>", ["ward anna", "lab anna", "x bert", "x anna"], {"1": [1, 2], "3": [3], "4": [4]}),
        ("<MatchUser>false</MatchUser>", ["ward anna", "ward bert"], {"1": [1, 2]}),
        ("<MatchUser>0</MatchUser><MatchHost>0</MatchHost>", ["ward anna", "lab bert"], {"1": [1, 2]}),
        ("<MaxJobs>2</MaxJobs>", ["ward anna"] * 5, {"1": [1, 2], "3": [3, 4], "5": [5]}),
        ("<MaxJobs>1</MaxJobs>", ["ward anna"] * 2, {"1": [1], "2": [2]}),
    ],
)  # fmt: skip
def test_it_stops_at_the_first_that_does_not_fit(
    inner: str, jobs: list[str], expected: dict[str, list[int]], house: House
) -> None:
    made = [
        come(house, png(number), str(number), host=sender.split()[0], user=sender.split()[1])
        for number, sender in enumerate(jobs, start=1)
    ]
    through(house, program(house, inner), made)
    assert pages(house) == expected


def test_jobs_that_lie_too_far_apart_stay_apart(house: House) -> None:
    jobs = []
    for number, seconds in enumerate((0, 50, 50, 61), start=1):
        house.clock.forward(seconds=seconds)
        jobs.append(come(house, png(number), f"job-{number}"))
    through(house, program(house), jobs)
    assert pages(house) == {"job-1": [1, 2, 3], "job-4": [4]}


def test_nobody_waits_for_what_would_come_too_late(house: House) -> None:
    job = come(house, png(1), "job-1")
    house.clock.forward(minutes=2)
    through(house, program(house, timeout=3_600_000), [job])
    assert pages(house) == {"job-1": [1]}


def test_pdfs_and_texts_become_one_each(house: House) -> None:
    jobs = [
        come(house, pdf(house.base, "one", "two"), "job-1", text=b"first\r\n"),
        come(house, pdf(house.base, "three"), "job-2", text=b"second"),
    ]
    through(house, program(house, nodes=perform("Merge", "Keep", "Raw")), jobs)
    (saved,) = (house.base / "archive" / "job-1").glob("DP_*")
    document = house.base / "read.pdf"
    document.write_bytes(dcmread(saved).EncapsulatedDocument)
    assert [text.strip() for text in house.tools.decoder.texts(document)] == ["one", "two", "three"]
    raw = {file.name for file in (house.base / "raw").iterdir() if not file.name.startswith(".")}
    assert raw == {f"job-{job}-0_000001{ending}" for job in (1, 2) for ending in ("", ".json", ".txt")}


def test_pdfs_and_texts_may_stay_apart(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = kept(monkeypatch)
    jobs = [come(house, pdf(house.base, text), text, text=b"x") for text in ("one", "two")]
    through(house, program(house, "<MergePdf>no</MergePdf><MergeText>no</MergeText>"), jobs)
    payload = seen[jobs[0].id].payload
    assert (len(payload.documents), len(payload.texts)) == (2, 2)


@pytest.mark.parametrize(
    "change",
    [
        '<Rotate name="Change"><Angle>90</Angle></Rotate>',
        '<AddInstance name="Change"><Width>9</Width><Height>9</Height></AddInstance>',
    ],
)
def test_a_pdf_whose_pages_are_changed_stays_apart(house: House, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    seen = kept(monkeypatch)
    jobs = [come(house, pdf(house.base, text), text) for text in ("one", "two", "three")]
    through(house, house.program(merging() + change, perform("Change", "Merge", "Keep")), jobs, workers=1)
    assert len(seen[jobs[0].id].payload.documents) == 2


def test_a_text_is_every_text(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[bytes] = []
    remove = JobFolder.remove

    def look(self: JobFolder, sweep: Any = None) -> None:
        texts.extend(self.path.joinpath(name).read_bytes() for name in self.load().payload.texts)
        remove(self, sweep)

    monkeypatch.setattr(JobFolder, "remove", look)
    jobs = [come(house, png(number), f"job-{number}", text=f"text {number}\n".encode()) for number in (1, 2)]
    through(house, program(house), jobs)
    assert texts == [b"text 1\ntext 2\n"]


def test_a_pdf_that_cannot_be_merged_stays_a_job_of_its_own(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    merge = house.tools.decoder.merged

    def failing(paths: list[Path]) -> memoryview:
        if len(paths) > 1:
            raise InputError("a PDF is damaged")
        return merge(paths)

    monkeypatch.setattr(house.tools.decoder, "merged", failing)
    seen = kept(monkeypatch)
    jobs = [come(house, pdf(house.base, text), text) for text in ("one", "two")]
    through(house, program(house), jobs)
    assert [ledger(house)[job.id]["outcome"] for job in jobs] == ["done", "done"]
    assert f"the job {jobs[1].id} is not merged: a PDF is damaged" in said(seen[jobs[0].id])


@pytest.mark.parametrize("how", ["gone", "held", "wanted"])
def test_a_sibling_that_is_not_what_it_was(how: str, house: House) -> None:
    """One that has gone is passed over; one that somebody has touched stops the merging, and stays queued."""
    jobs = [come(house, png(number), f"job-{number}") for number in (1, 2, 3)]
    queue = Queue(2, lambda _: False, lambda _: True, lambda _: "all")
    for job in jobs:
        queue.put(Ticket.of(job))
    assert queue.take() == Ticket.of(jobs[0])
    if how == "gone":
        jobs[1].folder.path.rename(house.base / "elsewhere")
    elif how == "held":
        jobs[1].state = State.HELD
        jobs[1].folder.save(jobs[1])
    else:
        jobs[1].folder.write_command({"command": "discard"})
    claimed = QueueSiblings(queue, house.spool, house.clock).claim(jobs[0], 0)
    assert (claimed.id if claimed else None) == (jobs[2].id if how == "gone" else None)
    if how != "gone":
        queue.done(jobs[0].id)
        assert getattr(queue.take(), "job_id", None) == jobs[1].id


def test_a_job_of_somebody_else_ends_the_wait(house: House) -> None:
    engine = house.engine(program(house, timeout=60_000), workers=1)
    waiting = come(house, png(1), "job-1")
    engine.submit(waiting)
    other = come(house, png(2), "job-2", host="lab")
    house.clock.forward(minutes=2)
    engine.submit(other)
    for job in (waiting, other):
        wait_for(house, job, None)
    assert pages(house) == {"job-1": [1], "job-2": [2]}


def test_a_service_that_ends_goes_on_merging_at_the_next_start(house: House) -> None:
    made = program(house, "<MaxJobs>3</MaxJobs>", timeout=60_000)
    engine = house.engine(made, workers=1)
    jobs = [come(house, png(number), f"job-{number}") for number in (1, 2)]
    for job in jobs:
        engine.submit(job)
    wait_until(lambda: house.spool.job_ids() == [jobs[0].id], "it has taken in the second, and waits for the third")
    assert engine.stop()
    house.restart()
    jobs.append(come(house, png(3), "job-3"))
    through(house, made, jobs[:1])
    assert pages(house) == {"job-1": [1, 2, 3]}


def test_where_there_is_no_queue_it_says_so(house: House) -> None:
    job = come(house, png(1), "job-1")
    assert isinstance(house.run(program(house, timeout=60_000), job), Done)
    assert "there is no queue here, so there is nothing to merge" in house.messages(job)


# What is taken in stays


def taken_in(house: House, nodes: str, more: str = "") -> tuple[Program, Job]:
    """A job that has taken in another one and waits."""
    made = house.program(merging() + more, nodes, suspension=60)
    jobs = [come(house, png(number), f"job-{number}") for number in (1, 2)]
    engine = house.engine(made, workers=1)
    wait_until(lambda: state(house, jobs[0]) in (State.SUSPENDED, State.HELD), "it waits")
    assert engine.stop()
    house.restart()
    return made, house.spool.load(jobs[0].id)


@pytest.mark.parametrize(
    "nodes",
    [
        perform("Mark", "Merge") + '<Suspend resumeAction="Mark" maxRetries="1"/>' + perform("Keep"),
        perform("Mark", "Merge") + '<Suspend maxRetries="1"/>' + perform("Keep"),
    ],
)
def test_a_job_that_goes_back_keeps_what_it_has_taken_in(nodes: str, house: House) -> None:
    made, job = taken_in(house, nodes, set_tag("Mark", "InstitutionName", "Clinic"))
    assert [page.file for page in job.payload.pages] == ["payload/0001", f"merged/{job.taken[0].id}/payload/0001"]
    house.resume(made, job.id)
    assert pages(house) == {"job-1": [1, 2]}


@pytest.mark.parametrize("outcome", ["done", "discarded"])
def test_a_line_that_a_crash_has_kept_from_the_ledger_is_there_in_the_end(outcome: str, house: House) -> None:
    made, job = taken_in(house, perform("Merge") + '<Suspend maxRetries="1"/>' + perform("Keep"))
    house.spool.ledger.unlink()
    Runner(house.spool, house.tools, lambda: made).leave(job, outcome)
    told = ledger(house)
    assert {one: line["outcome"] for one, line in told.items()} == {job.taken[0].id: "merged", job.id: outcome}
    assert told[job.taken[0].id]["into"] == job.id


def test_an_action_that_fails_after_taking_a_job_in_keeps_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr("dicomprinter.actions.merge.performing._merge_texts", failing)
    made, job = taken_in(house, perform("Merge", "Keep"))
    monkeypatch.undo()
    assert "internal fault" in (job.reason or "")
    house.resume(made, job.id)
    assert pages(house) == {"job-1": [1, 2]}


def test_a_disk_that_fails_after_the_move_loses_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_folder: Path) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(merged, "sync_folder", failing)
    jobs = [come(house, png(number), f"job-{number}") for number in (1, 2)]
    nodes = perform("Merge", on_error="Ignore") + perform("Keep")
    through(house, program(house, nodes=nodes), jobs[:1])
    assert pages(house) == {"job-1": [1, 2]}


def test_a_damaged_job_keeps_what_it_has_taken_in(house: House) -> None:
    made, job = taken_in(house, perform("Merge") + '<Suspend maxRetries="1"/>' + perform("Keep"))
    (job.folder.path / "job.json").write_text("{")
    (job.folder.path / "steps.jsonl").unlink(missing_ok=True)
    house.resume(made, job.id)
    house.resume(made, job.id)
    assert pages(house) == {"job-1": [1, 2]}


def kept(monkeypatch: pytest.MonkeyPatch) -> dict[str, Job]:
    """The jobs that leave, as they were then."""
    seen: dict[str, Job] = {}
    remove = JobFolder.remove

    def look(self: JobFolder, sweep: Any = None) -> None:
        job = self.load()
        job.dataset.PatientComments = "\n".join(line["message"] for line in self.history())
        seen[job.id] = job
        remove(self, sweep)

    monkeypatch.setattr(JobFolder, "remove", look)
    return seen


def said(job: Job) -> str:
    return str(job.dataset.PatientComments)
