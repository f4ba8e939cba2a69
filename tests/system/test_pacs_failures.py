"""An archive that is absent, rejects, aborts, times out or answers an error: through the command line, three pages.

Each test says what `run` answers and where the job is afterwards, then lets an operator send it on to an archive
that takes everything: only what was not confirmed goes out, under the same UIDs.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.actions.store.action import Store
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.program import load
from dicomprinter.workflow.interpreter import Done
from tests.scp import Answer, RawScp, StorageScp, aborting, closed_port, hanging_up, rejecting, silent, stalling
from tests.system.help import House, grey, perform, pixels, set_tag, store, tiff
from tests.system.service import COMMAND, configuration
from tests.waiting import PATIENCE

Run = Callable[[Any], Any]

CANARY = "CANARY"
COMMENT = Answer(0xA700, f"disk of {CANARY} is full", (0x00100010, 0x00100020))


@dataclass
class Job:
    """What became of a job that was run from the command line."""

    base: Path
    port: int
    exit_code: int
    report: dict[str, Any]
    said: str

    @property
    def outcome(self) -> tuple[int, str]:
        return self.exit_code, self.report["outcome"]

    @property
    def history(self) -> str:
        return "\n".join(line["message"] for line in self.report["history"])

    @property
    def private(self) -> str:
        return "\n".join(line["private"] for line in self.report["history"] if "private" in line)

    @property
    def statuses(self) -> list[int]:
        return [one["status"] for one in self.report["instances"]]

    @property
    def folder(self) -> Path:
        return self.base / "spool" / "jobs" / self.report["job"]

    @property
    def state(self) -> str:
        return str(json.loads((self.folder / "job.json").read_text("utf-8"))["state"])

    def is_kept(self) -> bool:
        """The job is in the spool with the file that came."""
        return [file.read_bytes() for file in (self.folder / "payload").iterdir()] == [tiff(3)]

    def logged(self) -> str:
        return (self.base / "log" / "dicomprinter.log").read_text("utf-8") + self.said


@dataclass
class Desk:
    """Where jobs are given in, and where operators send them on."""

    folder: Path
    decoder: Decoder

    def run(self, port: int, on_error: str = "Hold", more: str = "") -> Job:
        """Three pages; everything about them is patient data. `more` goes into the archive's connection."""
        actions = set_tag("Tag", "InstitutionName", "Clinic") + store("Send", port, more=more)
        config, page = self.folder / "config.xml", self.folder / f"{CANARY}.tif"
        config.write_text(configuration(actions, perform("Tag", "Send", on_error=on_error)), encoding="utf-8")
        page.write_bytes(tiff(3))
        base = self.folder / "base"
        tags = (f"PatientName={CANARY}^Zelda", f"PatientID={CANARY}-7", f"AccessionNumber={CANARY}-8")
        options = [option for tag in tags for option in ("--set", tag)]
        command = [*COMMAND, "run", str(config), str(page), "--base", str(base), "--json", "-v"]
        ended = subprocess.run(
            [*command, "--name", f"{CANARY} report", *options],
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        assert page.read_bytes() == tiff(3), "the file that was given stays"
        return Job(base, port, ended.returncode, json.loads(ended.stdout), ended.stderr)

    def resume(self, job: Job, port: int) -> None:
        """An operator sends it on; by now the archive is well, at this port."""
        program = load(self.folder / "config.xml", environment={})
        action = program.actions["Send"]
        assert isinstance(action, Store)
        assert action.peer.port == port
        with House(job.base, self.decoder) as house:
            assert house.resume(program, job.report["job"]) == Done()
        assert not job.folder.exists()


@pytest.fixture
def desk(tmp_path: Path, decoder: Decoder) -> Desk:
    return Desk(tmp_path, decoder)


def numbers(scp: StorageScp) -> list[int]:
    """Instance numbers as they came."""
    for one in scp.received:
        assert pixels(one.dataset).tolist() == grey(int(one.dataset.InstanceNumber)).tolist()
    return [int(one.dataset.InstanceNumber) for one in scp.received]


def is_the_same_three(scp: StorageScp) -> bool:
    """Three instances of one series, each with the same bytes whenever it came."""
    series = {(one.dataset.StudyInstanceUID, one.dataset.SeriesInstanceUID) for one in scp.received}
    contents = {(one.sop_instance, one.data) for one in scp.received}
    return (len(series), len(contents), len({one.sop_instance for one in scp.received})) == (1, 3, 3)


def told(job: Job, *parts: str) -> None:
    """The reason and the history say it all, the log without what is private."""
    for part in parts:
        assert part in (job.report["reason"] or ""), part
        assert part in job.history, part
    assert CANARY not in job.logged()
    for one in job.report["instances"]:
        assert one["sop_instance_uid"] not in job.logged()


def later(desk: Desk, job: Job, no_more: str = "") -> list[int]:
    """An archive now listens where nothing did, or something else; the numbers that come when the job is sent on.

    Args:
        no_more: what is taken out of the archive's connection by then.
    """
    with StorageScp() as scp:
        config = desk.folder / "config.xml"
        text = config.read_text("utf-8").replace(f"<Port>{job.port}<", f"<Port>{scp.port}<")
        config.write_text(text.replace(no_more, ""), encoding="utf-8")
        desk.resume(job, scp.port)
        assert scp.associations == 1
        return numbers(scp)


# No association


def test_a_pacs_that_is_absent(desk: Desk) -> None:
    job = desk.run(closed_port(), "Suspend")
    assert job.outcome == (4, "suspended")
    told(job, "refused the connection", "the peer is not running, or the port is wrong", "start the peer")
    assert (job.state, job.is_kept(), job.statuses) == ("suspended", True, [])
    assert later(desk, job) == [1, 2, 3]


def test_a_pacs_that_rejects_for_good(desk: Desk, running: Run) -> None:
    scp = running(rejecting(1, 1, 7))
    job = desk.run(scp.port)
    assert job.outcome == (3, "held")
    told(job, "rejected the association for good", "does not answer to the called AE title", "correct PeerAETitle")
    assert (job.state, job.is_kept(), job.statuses, scp.connections) == ("held", True, [], 1)
    assert later(desk, job) == [1, 2, 3]


def test_a_pacs_that_rejects_for_now(desk: Desk, running: Run) -> None:
    scp = running(rejecting(2, 3, 1))
    job = desk.run(scp.port, "Suspend")
    assert job.outcome == (4, "suspended")
    told(job, "rejected the association for now", "it is congested at the moment", "try again later")
    assert "permanent" not in job.history
    assert (job.state, job.is_kept(), job.statuses, scp.connections) == ("suspended", True, [], 1)
    assert later(desk, job) == [1, 2, 3]


@pytest.mark.parametrize(
    ("how", "when", "awaited"),
    [
        (aborting, "negotiation", "the answer to the association request"),
        (aborting, "during", "the answer to C-STORE"),
        (aborting, "before", "the answer to C-STORE"),
        (hanging_up, "negotiation", "the answer to the association request"),
        (hanging_up, "before", "the answer to C-STORE"),
    ],
)
def test_a_pacs_that_aborts(desk: Desk, running: Run, how: Callable[[str], RawScp], when: str, awaited: str) -> None:
    scp = running(how(when))
    job = desk.run(scp.port, "Suspend")
    assert job.outcome == (4, "suspended")
    told(job, f"before {awaited}", "try again later")
    assert (job.state, job.is_kept(), job.statuses, scp.connections) == ("suspended", True, [], 1)


def test_a_pacs_that_aborts_after_the_first_answer(desk: Desk, running: Run) -> None:
    scp = running(aborting("after"))
    job = desk.run(scp.port, "Suspend")
    assert job.outcome == (4, "suspended")
    told(job, "aborted the association")
    assert (job.state, job.is_kept(), job.statuses, scp.connections) == ("suspended", True, [0x0000], 1)


@pytest.mark.parametrize(
    ("peer", "short", "awaited"),
    [
        (silent, "<AssociationTimeout>1</AssociationTimeout>", "the answer to the association request"),
        (stalling, "<DimseTimeout>1</DimseTimeout>", "the answer to C-STORE"),
    ],
    ids=["association", "C-STORE"],
)
def test_a_pacs_that_times_out(desk: Desk, running: Run, peer: Callable[[], RawScp], short: str, awaited: str) -> None:
    scp = running(peer())
    job = desk.run(scp.port, "Suspend", short)
    assert job.outcome == (4, "suspended")
    told(
        job,
        f"no sign of {awaited} from PACS",
        "within 1 s",
        "overloaded or hangs",
        "a slow peer needs a higher time-out",
    )
    assert (job.state, job.is_kept(), job.statuses, scp.connections) == ("suspended", True, [], 1)
    assert later(desk, job, short) == [1, 2, 3]


# Statuses


def test_a_pacs_that_answers_a700(desk: Desk, running: Run) -> None:
    scp = running(StorageScp(answers=[0, COMMENT]))
    job = desk.run(scp.port, "Suspend")
    assert job.outcome == (4, "suspended")
    told(job, "answered A700 (out of resources) for Secondary Capture Image Storage 2", "its disk is full", "try again")
    assert COMMENT.comment in job.private
    assert (job.state, job.is_kept(), job.statuses) == ("suspended", True, [0x0000, 0xA700])
    assert (numbers(scp), scp.associations) == ([1, 2], 1), "it stops at once"
    desk.resume(job, scp.port)
    assert (numbers(scp), scp.associations) == ([1, 2, 2, 3], 2), "only what was not confirmed goes again"
    assert is_the_same_three(scp)


@pytest.mark.parametrize("status", [0x0110, 0x0213, 0xA7FF])
def test_other_transient_statuses_stop_at_once(desk: Desk, running: Run, status: int) -> None:
    scp = running(StorageScp(answers=[status]))
    job = desk.run(scp.port, "Suspend")
    assert job.outcome == (4, "suspended")
    told(job, f"answered {status:04X}")
    assert "permanent" not in job.history
    assert (numbers(scp), job.statuses) == ([1], [status])


def test_a_pacs_that_answers_c123(desk: Desk, running: Run) -> None:
    scp = running(StorageScp(answers=[0, Answer(0xC123, f"no {CANARY} here"), 0]))
    job = desk.run(scp.port)
    assert job.outcome == (3, "held")
    told(
        job,
        "1 of 3 objects were not stored",
        "answered C123 (cannot understand) for Secondary Capture Image Storage 2",
        "refuses it by a rule of its own",
        "the last three digits are its own",
    )
    assert f"no {CANARY} here" in job.private
    assert (job.state, job.is_kept(), job.statuses) == ("held", True, [0x0000, 0xC123, 0x0000])
    assert (numbers(scp), scp.associations) == ([1, 2, 3], 1), "the rest goes all the same"
    desk.resume(job, scp.port)
    assert (numbers(scp), scp.associations) == ([1, 2, 3, 2], 2)
    assert is_the_same_three(scp)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (0xA900, "data set does not match its SOP class"),
        (0x0111, "duplicate SOP instance"),
        (0x0122, "SOP class not supported"),
        (0x0124, "not authorised"),
        (0x1234, "unknown status 0x1234"),
    ],
    ids=lambda value: f"{value:04X}" if isinstance(value, int) else "",
)
def test_other_permanent_statuses_let_the_rest_go(desk: Desk, running: Run, status: int, meaning: str) -> None:
    scp = running(StorageScp(answers=[status]))
    job = desk.run(scp.port)
    assert job.outcome == (3, "held")
    told(job, "1 of 3 objects were not stored", f"answered {status:04X} ({meaning})")
    assert (job.state, job.is_kept(), job.statuses) == ("held", True, [status, 0x0000, 0x0000])
    assert (numbers(scp), scp.associations) == ([1, 2, 3], 1)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (0xB000, "some values were changed"),
        (0xB007, "data set does not match its SOP class"),
        (0xB123, "stored with a warning of the peer's own"),
        (0x0107, "attribute list error"),
        (0x0116, "attribute value out of range"),
    ],
    ids=lambda value: f"{value:04X}" if isinstance(value, int) else "",
)
def test_a_pacs_that_answers_b000_and_other_warnings(desk: Desk, running: Run, status: int, meaning: str) -> None:
    warning = Answer(status, f"{CANARY} became another", (0x00100010, 0x00100020))
    scp = running(StorageScp(answers=[0, warning]))
    job = desk.run(scp.port)
    assert job.outcome == (0, "done")
    told(job)
    (line,) = [line for line in job.report["history"] if line.get("status") == f"{status:04X}"]
    assert line["level"] == "WARN"
    assert f"stored by PACS@127.0.0.1:{scp.port} with {status:04X} ({meaning})" in line["message"]
    assert (line["private"], line["offending"]) == (warning.comment, ["00100010", "00100020"])
    assert (job.statuses, job.folder.exists()) == ([0x0000, status, 0x0000], False)
    scp.wait_until(lambda: scp.releases == 1)
    assert (numbers(scp), scp.associations) == ([1, 2, 3], 1)


def test_a_duplicate_of_ours_is_stored(desk: Desk, running: Run) -> None:
    """The answer was lost, the object was not."""
    scp = running(StorageScp(answers=[0xA700, 0x0111]))
    job = desk.run(scp.port, "Suspend")
    assert job.outcome == (4, "suspended")
    desk.resume(job, scp.port)
    assert numbers(scp) == [1, 1, 2, 3]
    assert is_the_same_three(scp)


def test_a_refusal_before_a_full_disk_is_told_too(desk: Desk, running: Run) -> None:
    scp = running(StorageScp(answers=[Answer(0xC123, f"{CANARY} no"), COMMENT]))
    job = desk.run(scp.port, "Suspend")
    assert job.outcome == (4, "suspended")
    told(job, "answered A700")
    assert "answered C123" in job.history
    assert (f"{CANARY} no" in job.private, COMMENT.comment in job.private) == (True, True)
    assert "permanent" not in (job.report["reason"] or "")
    desk.resume(job, scp.port)
    assert (numbers(scp), scp.associations) == ([1, 2, 1, 2, 3], 2)


# Policies


def test_a_permanent_failure_obeys_suspend_and_the_history_warns(desk: Desk, running: Run) -> None:
    job = desk.run(running(StorageScp(always=0xA900)).port, "Suspend")
    assert job.outcome == (4, "suspended")
    told(job, "3 of 3 objects were not stored")
    assert "the failure is permanent: trying again will not help" in job.history


def test_a_failure_that_is_ignored(desk: Desk) -> None:
    job = desk.run(closed_port(), "Ignore")
    assert job.outcome == (0, "done")
    assert "refused the connection" in job.history
    assert CANARY not in job.logged()
    assert not job.folder.exists()


def test_a_failure_that_discards(desk: Desk) -> None:
    job = desk.run(closed_port(), "Discard")
    assert job.outcome == (5, "discarded")
    told(job, "refused the connection")
    assert not job.folder.exists()
