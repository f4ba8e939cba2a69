"""Where a job goes on: every way to stop, in every nesting, killed before and after every write of the engine."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest

from dicomprinter.engine.commands import apply
from dicomprinter.engine.engine import Engine
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.errors import SpoolError
from dicomprinter.job.folder import JobFolder
from dicomprinter.workflow.interpreter import Done, Held, Suspended
from tests.killed import Killed
from tests.waiting import wait_until

from .help import Mark, new_job, program, tools, with_marks

NESTINGS = {
    "flat": "{}",
    "if in switch": (
        '<Switch field="TAG_VALUE(PatientSex)"><Case value="M"><Discard/></Case>'
        '<Case value="^F$"><If field="TAG_VALUE(PatientID)" value="^1$">{}</If></Case></Switch>'
    ),
    "switch in else": (
        '<If field="QUERY_FOUND" value="true"><Statements><Discard/></Statements><Else>'
        '<Switch field="CLIENT_HOST_NAME"><Case value="other"><Discard/></Case><Default>{}</Default></Switch>'
        "</Else></If>"
    ),
}

MARKS = "".join(f'<Mark name="{name}"/>' for name in "ABCD")


@dataclass(frozen=True)
class Way:
    """A workflow, what it performs in order, and what its job has gathered in the end."""

    workflow: str
    trace: str
    comments: str
    actions: str = MARKS


def perform(*names: str) -> str:
    return "".join(f'<Perform action="{name}"/>' for name in names)


# Takes PatientID 1 away, on which "if in switch" has decided.
OTHER_ID = '<SetTag name="S"><DcmTag tag="PatientID">2</DcmTag></SetTag>'

WAYS = {
    "suspend to the first node": Way(perform("A") + '<Suspend maxRetries="1"/>' + perform("B"), "AAB", "AB"),
    "suspend twice": Way(perform("A") + '<Suspend maxRetries="2"/>' + perform("B"), "AAAB", "AB"),
    "hold": Way(perform("A", "F", "B"), "AFFB", "AFB", MARKS + '<Mark name="F" fails="permanent"/>'),
    "manual": Way(perform("A", "F", "B"), "AFFB", "AFB", MARKS + '<Mark name="F" fails="operator"/>'),
    "suspend on error": Way(
        perform("A") + '<Perform action="F" onError="Suspend"/>' + perform("B"),
        "AFFB",
        "AFB",
        MARKS + '<Mark name="F" fails="transient"/>',
    ),
    "suspend on error, policy of the definition": Way(
        perform("A", "F", "B"), "AFFB", "AFB", MARKS + '<Mark name="F" fails="transient" onError="Suspend"/>'
    ),
    "suspend on a file that cannot be read": Way(
        perform("A") + '<Perform action="F" onError="Suspend"/>' + perform("B"),
        "AFFB",
        "AFB",
        MARKS + '<Mark name="F" fails="disk"/>',
    ),
    "ignore": Way(
        perform("A") + '<Perform action="F" onError="Ignore"/>' + perform("B"),
        "AFB",
        "AB",
        MARKS + '<Mark name="F" fails="permanent" times="9"/>',
    ),
    "resumeAction before": Way(
        perform("A", "B", "C") + '<Suspend resumeAction="B" maxRetries="1"/>' + perform("D"), "ABCBCD", "ABCD"
    ),
    "resumeAction after": Way(
        perform("A") + '<Suspend resumeAction="C" maxRetries="1"/>' + perform("B", "C", "D"), "ACD", "ACD"
    ),
    "two suspends, the later one goes back less far": Way(
        perform("A", "B")
        + '<Suspend resumeAction="A" maxRetries="1"/>'
        + perform("C")
        + '<Suspend resumeAction="B" maxRetries="1"/>'
        + perform("D"),
        "ABABCBCD",
        "ABCD",
    ),
    "resumeAction in a branch whose condition has changed": Way(
        f'<If field="TAG_VALUE(PatientID)" value="1">{perform("B")}</If>'
        + perform("S", "C")
        + '<Suspend resumeAction="B" maxRetries="1"/>'
        + perform("D"),
        "BCBCD",
        "BCD",
        MARKS + OTHER_ID,
    ),
    "resumeAction in a branch that was never taken": Way(
        f'<If field="TAG_VALUE(PatientID)" value="9">{perform("B")}</If>'
        + perform("C")
        + '<Suspend resumeAction="B" maxRetries="1"/>'
        + perform("D"),
        "CBCD",
        "CBCD",
    ),
    "held in a branch whose condition has changed": Way(
        f'<If field="TAG_VALUE(PatientID)" value="1">{perform("S", "F", "B")}</If>' + perform("D"),
        "FFBD",
        "FBD",
        MARKS + OTHER_ID + '<Mark name="F" fails="permanent"/>',
    ),
    "suspended in a branch whose condition has changed": Way(
        f'<If field="TAG_VALUE(PatientID)" value="1">{perform("S")}<Perform action="F" onError="Suspend"/>'
        f"{perform('B')}</If>" + perform("D"),
        "FFBD",
        "FBD",
        MARKS + OTHER_ID + '<Mark name="F" fails="transient"/>',
    ),
    "action used twice, resumeAction means the first": Way(
        perform("A", "B", "A") + '<Suspend resumeAction="A" maxRetries="1"/>' + perform("C"), "ABAABAC", "ABAC"
    ),
    "action used twice, the second fails": Way(
        perform("F", "B") + '<Perform action="F" onError="Suspend"/>' + perform("C"),
        "FBFFC",
        "FBFC",
        MARKS + '<Mark name="F" fails="transient" on="FB"/>',
    ),
    "action used twice, the second is held": Way(
        perform("F", "B", "F", "C"), "FBFFC", "FBFC", MARKS + '<Mark name="F" fails="permanent" on="FB"/>'
    ),
}


class Saves:
    """Counts the engine's writes, and ends the process before or after one of them."""

    def __init__(self, monkeypatch, kill_at: int = -1, *, before: bool = False) -> None:
        self.count = 0
        original = JobFolder.save

        def save(folder, job, *, secure=False):
            self.count += 1
            if self.count == kill_at and before:
                raise Killed
            original(folder, job, secure=secure)
            if self.count == kill_at:
                raise Killed

        monkeypatch.setattr(JobFolder, "save", save)


def drive(spool, job_id, loaded) -> str:
    """Run a job to its end; what a time or an operator would do is done at once. Returns what it gathered."""
    gathered = []
    runner = Runner(
        spool,
        tools(),
        lambda: loaded,
        before_leaving=lambda job: gathered.append(str(job.dataset.get("PatientComments") or "")),
    )
    for _ in range(20):
        with suppress(Killed):
            try:
                job = spool.load(job_id)
            except SpoolError:
                break
            if job.state.is_waiting:
                apply(job, {"command": "resume"}, lambda _job: None)
            outcome = runner.run(job)
            if isinstance(outcome, Done):
                break
            assert isinstance(outcome, Held | Suspended)
    assert spool.job_ids() == []
    return gathered[-1]


def wrapped(way: Way, nesting: str, folder):
    return program(folder, way.actions, NESTINGS[nesting].format(way.workflow))


@pytest.fixture
def spool(tmp_path, monkeypatch):
    with_marks(monkeypatch)
    with Spool.open(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("nesting", NESTINGS)
@pytest.mark.parametrize("name", WAYS)
def test_every_way_killed_at_every_write(name, nesting, spool, tmp_path, monkeypatch):
    way = WAYS[name]
    loaded = wrapped(way, nesting, tmp_path)
    with monkeypatch.context() as patch:
        saves = Saves(patch)
        job = new_job(spool, PatientID="1", PatientSex="F")
        saves.count = 0
        assert drive(spool, job.id, loaded) == way.comments
    assert "".join(Mark.trace) == way.trace
    for kill_at in range(1, saves.count + 1):
        for before in (True, False):
            Mark.trace.clear()
            Mark.failures.clear()
            job = new_job(spool, PatientID="1", PatientSex="F")
            with monkeypatch.context() as patch:
                Saves(patch, kill_at, before=before)
                comments = drive(spool, job.id, loaded)
            trace = "".join(Mark.trace)
            where = f"killed {'before' if before else 'after'} write {kill_at}: {trace}"
            assert trace == way.trace or is_one_more(trace, way.trace), where
            assert comments == way.comments, where


def is_one_more(trace: str, expected: str) -> bool:
    """Whether a trace is the expected one with one performance repeated on the spot."""
    return any(trace[:i] + trace[i + 1 :] == expected and trace[i] == trace[i + 1] for i in range(len(trace) - 1))


@pytest.mark.parametrize("name", WAYS)
def test_every_way_through_the_whole_engine(name, spool, tmp_path):
    """The same with workers and scheduler: suspended jobs wake by themselves, held ones by a command."""
    way = WAYS[name]
    engine = Engine(spool, wrapped(way, "switch in else", tmp_path), tools(), workers=1)
    job = new_job(spool, PatientID="1", PatientSex="F")

    def has_left() -> bool:
        engine.idle(5)
        with suppress(SpoolError, OSError):
            if spool.load(job.id).state in ("held", "manual"):
                job.folder.write_command({"command": "resume", "token": "t"})
        engine.wake()
        return not spool.job_ids()

    engine.start()
    try:
        wait_until(has_left, "the job is done")
    finally:
        assert engine.stop()
    assert "".join(Mark.trace) == way.trace
