"""Circuit breakers: when they open, ask, try and close; with a clock and a chance that the test holds."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest

from dicomprinter.dicom.network.peer import Peer
from dicomprinter.engine.destination import Breaker, Step, probe_seconds, wait_seconds
from dicomprinter.engine.destinations import Destinations
from dicomprinter.engine.prober import Prober
from dicomprinter.errors import TransientError
from tests.system.service import connection

from .help import Clock, program

PACS, OTHER = Peer("PACS", "127.0.0.1", 104), Peer("OTHER", "127.0.0.1", 104)
KEY = str(PACS)
SUSPENSION = 900.0


class Time:
    """Both clocks, moved by hand; the chance is in the middle."""

    def __init__(self) -> None:
        self.wall = Clock()
        self.seconds = 1000.0

    def forward(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall.forward(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


def loaded(folder, *peers: Peer, minutes: float = SUSPENSION / 60):
    actions = "".join(
        f'<Store name="To{peer.ae_title}">{connection(peer.port, peer.ae_title, host=peer.host)}</Store>'
        for peer in peers
    )
    performs = "".join(f'<Perform action="To{peer.ae_title}"/>' for peer in peers)
    made = program(folder, actions, performs)
    general = made.general.__class__(**{**made.general.__dict__, "suspension_time": timedelta(minutes=minutes)})
    return made.__class__(**{**made.__dict__, "general": general})


@pytest.fixture
def destinations(time, tmp_path) -> Destinations:
    return known(time, tmp_path)


def known(time, folder, *peers: Peer, chance: float = 0.5) -> Destinations:
    made = Destinations(time.wall, monotonic=lambda: time.seconds, chance=lambda: chance)
    made.configure(loaded(folder, *(peers or (PACS, OTHER))))
    return made


def fail(destinations: Destinations, times: int, peer: Peer = PACS) -> None:
    for number in range(times):
        destinations.admit(peer, f"job-{number}")
        destinations.failed(peer, f"job-{number}", f"{peer} refused the connection", Step.OPEN)
        destinations.ended(f"job-{number}", waits_on=True)


def half_open(destinations: Destinations, time: Time) -> None:
    time.forward(destinations.seconds_to_next())
    assert destinations.to_ask() == [PACS]
    destinations.answered(PACS, "")
    assert destinations.breaker(KEY) is Breaker.HALF_OPEN


def test_three_failures_in_a_row_open_it_and_nobody_else(destinations):
    fail(destinations, 2)
    assert destinations.breaker(KEY) is Breaker.CLOSED
    assert not destinations.is_healthy(KEY)
    fail(destinations, 1)
    assert destinations.breaker(KEY) is Breaker.OPEN
    with pytest.raises(
        TransientError, match=r"is not called: 3 attempts in a row .*refused the connection; it is asked"
    ):
        destinations.admit(PACS, "job")
    destinations.admit(OTHER, "job")


@pytest.mark.parametrize("between", ["succeeded", "refused"])
def test_what_shows_that_it_lives_ends_the_row(destinations, between):
    fail(destinations, 2)
    if between == "succeeded":
        destinations.succeeded(PACS, "job", Step.STORE)
    else:
        destinations.refused(PACS, Step.OPEN)
    assert destinations.is_healthy(KEY)
    fail(destinations, 2)
    assert destinations.breaker(KEY) is Breaker.CLOSED


def test_an_open_one_is_asked_at_growing_intervals(destinations, time):
    fail(destinations, 3)
    waits = []
    for _ in range(12):
        waits.append(destinations.seconds_to_next())
        assert destinations.to_ask() == []
        time.forward(waits[-1])
        assert destinations.to_ask() == [PACS]
        assert destinations.to_ask() == [], "it is being asked"
        destinations.answered(PACS, "PACS refused the connection")
    assert waits[:4] == pytest.approx([8, 16, 32, 64])
    assert waits[-1] == pytest.approx(SUSPENSION / 1.2)


def test_the_waits_are_spread_by_a_fifth_and_never_longer_than_suspension_time():
    longest = timedelta(seconds=SUSPENSION)
    assert [wait_seconds(1, longest, chance) for chance in (0, 0.5, 1)] == pytest.approx([1.6, 2, 2.4])
    assert wait_seconds(10**9, longest, 1) == pytest.approx(SUSPENSION)
    assert wait_seconds(5, timedelta(), 1) == 0
    assert probe_seconds(5, timedelta(), 1) >= 1


def test_one_that_answers_is_tried_with_one_job(destinations, time):
    fail(destinations, 3)
    half_open(destinations, time)
    destinations.admit(PACS, "first")
    destinations.admit(PACS, "first")
    with pytest.raises(TransientError, match="being tried with another job"):
        destinations.admit(PACS, "second")
    destinations.succeeded(PACS, "first", Step.STORE)
    assert destinations.is_healthy(KEY)
    assert destinations.recoveries(KEY) == 1
    destinations.admit(PACS, "second")


def test_a_trial_that_fails_opens_it_for_longer(destinations, time):
    """C-ECHO works and the disk is full."""
    fail(destinations, 3)
    first = destinations.seconds_to_next()
    half_open(destinations, time)
    fail(destinations, 1)
    assert destinations.breaker(KEY) is Breaker.OPEN
    assert destinations.seconds_to_next() == pytest.approx(2 * first)


def test_an_archive_that_answers_queries_may_be_full_all_the_same(destinations, time):
    for number in range(3):
        assert destinations.breaker(KEY) is Breaker.CLOSED
        destinations.succeeded(PACS, f"job-{number}", Step.FIND)
        destinations.failed(PACS, f"job-{number}", "PACS answered A700", Step.STORE)
    half_open(destinations, time)
    destinations.admit(PACS, "job")
    destinations.succeeded(PACS, "job", Step.FIND)
    assert destinations.breaker(KEY) is Breaker.HALF_OPEN
    destinations.admit(PACS, "job")
    destinations.succeeded(PACS, "job", Step.STORE)
    assert destinations.is_healthy(KEY)


def test_a_trial_that_comes_to_nothing_leaves_it_to_the_next(destinations, time):
    fail(destinations, 3)
    half_open(destinations, time)
    destinations.admit(PACS, "first")
    destinations.ended("first", waits_on=False)
    destinations.admit(PACS, "second")


def test_what_was_under_way_when_it_opened_counts_no_more(destinations):
    fail(destinations, 3)
    before = destinations.seconds_to_next()
    destinations.failed(PACS, "late", "PACS closed the connection", Step.STORE)
    assert destinations.seconds_to_next() == before
    destinations.succeeded(PACS, "late", Step.STORE)
    assert destinations.breaker(KEY) is Breaker.CLOSED


def test_a_job_goes_on_after_a_wait_that_grows_with_its_own_failures_too(destinations, time):
    fail(destinations, 1)
    assert destinations.wake_at(PACS, "job-0") == time.wall() + timedelta(seconds=2)
    for _ in range(4):
        # Others are stored all the while: the archive is fine, it only cannot take this job.
        destinations.succeeded(PACS, "other", Step.STORE)
        destinations.failed(PACS, "job-0", "PACS answered A700", Step.STORE)
    assert destinations.wake_at(PACS, "job-0") == time.wall() + timedelta(seconds=32)
    destinations.ended("job-0", waits_on=False)
    destinations.failed(PACS, "job-0", "PACS answered A700", Step.STORE)
    assert destinations.wake_at(PACS, "job-0") == time.wall() + timedelta(seconds=4)


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-400)])
def test_a_clock_that_jumps_does_not_keep_it_from_being_asked(destinations, time, jump):
    fail(destinations, 3)
    time.wall.now += jump
    time.seconds += 8
    assert destinations.to_ask() == [PACS]


def test_another_configuration_is_asked_soon_and_what_it_lacks_is_forgotten(destinations, tmp_path):
    fail(destinations, 3)
    fail(destinations, 3, OTHER)
    destinations.configure(loaded(tmp_path, PACS))
    assert destinations.to_ask() == [PACS]
    assert destinations.breaker(str(OTHER)) is Breaker.CLOSED
    assert [one["ae_title"] for one in destinations.to_json()[1]] == ["PACS"]


def test_a_person_who_waits_has_it_asked_soon(destinations):
    fail(destinations, 3)
    assert destinations.to_ask() == []
    destinations.ask_soon(KEY)
    assert destinations.to_ask() == [PACS]


def test_one_that_no_thread_can_ask_now_is_asked_later(destinations, time, tmp_path, monkeypatch):
    fail(destinations, 3)
    time.forward(destinations.seconds_to_next())
    stopping = threading.Event()

    def refused(_thread: threading.Thread) -> None:
        stopping.set()
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    Prober(destinations, tmp_path / "destinations.json", stopping, ask=lambda _: "").run()
    assert destinations.breaker(KEY) is Breaker.OPEN
    time.forward(destinations.seconds_to_next())
    assert destinations.to_ask() == [PACS]


# On the disk


def written(destinations: Destinations, file) -> list[dict]:
    stopping = threading.Event()
    stopping.set()
    Prober(destinations, file, stopping, ask=lambda _: "").run()
    data = json.loads(file.read_text())
    assert data["version"] == 1
    return data["destinations"]


def read(destinations: Destinations, file) -> None:
    Prober(destinations, file, threading.Event(), ask=lambda _: "").read()


def test_what_is_known_survives_a_restart(destinations, time, tmp_path):
    file = tmp_path / "destinations.json"
    destinations.succeeded(OTHER, "job", Step.STORE)
    fail(destinations, 3)
    said = {one["ae_title"]: one for one in written(destinations, file)}
    assert said["PACS"] == {
        "ae_title": "PACS",
        "host": "127.0.0.1",
        "port": 104,
        "calls": "ToPACS",
        "breaker": "open",
        "failures": 3,
        "last_success": None,
        "last_failure": time.wall().isoformat(timespec="milliseconds"),
        "reason": f"{PACS} refused the connection",
        "next_try": (time.wall() + timedelta(seconds=8)).isoformat(timespec="milliseconds"),
    }
    assert said["OTHER"]["last_success"] == time.wall().isoformat(timespec="milliseconds")
    again = known(time, tmp_path)
    read(again, file)
    assert again.breaker(KEY) is Breaker.OPEN
    assert again.seconds_to_next() == pytest.approx(8, abs=0.01)
    assert {one["ae_title"]: one for one in again.to_json()[1]}["OTHER"] == said["OTHER"]


def test_a_half_open_one_is_asked_anew_after_a_restart(destinations, time, tmp_path):
    file = tmp_path / "destinations.json"
    fail(destinations, 3)
    half_open(destinations, time)
    written(destinations, file)
    again = known(time, tmp_path)
    read(again, file)
    assert again.breaker(KEY) is Breaker.OPEN
    assert again.to_ask() == [PACS]


def test_a_time_of_a_clock_that_was_wrong_keeps_nobody_waiting(destinations, time, tmp_path):
    file = tmp_path / "destinations.json"
    fail(destinations, 3)
    data = {"version": 1, "destinations": written(destinations, file)}
    data["destinations"][1]["next_try"] = (time.wall() + timedelta(days=400)).isoformat()
    file.write_text(json.dumps(data))
    again = known(time, tmp_path)
    read(again, file)
    assert again.breaker(KEY) is Breaker.OPEN
    assert again.seconds_to_next() <= 8


PART = {
    "ae_title": "PACS",
    "host": "127.0.0.1",
    "port": 104,
    "breaker": "open",
    "failures": 3,
    "reason": None,
    "last_success": None,
    "last_failure": None,
    "next_try": None,
}


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        "[]",
        "[" * 100_000,
        json.dumps({"version": 2, "destinations": [PART]}),
        json.dumps({"version": 1}),
        json.dumps({"version": 1, "destinations": {}}),
        json.dumps({"version": 1, "destinations": [7, {}, {**PART, "breaker": "ajar"}]}),
        json.dumps({"version": 1, "destinations": [{**PART, "failures": -1}]}),
        json.dumps({"version": 1, "destinations": [{**PART, "failures": "3"}]}),
        json.dumps({"version": 1, "destinations": [{**PART, "last_failure": "yesterday"}]}),
        json.dumps({"version": 1, "destinations": [{**PART, "last_failure": "2026-01-31T09:15:02"}]}),
        json.dumps({"version": 1, "destinations": [{**PART, "host": ["127.0.0.1"]}]}),
    ],
)
def test_a_damaged_file_means_that_nothing_is_known(time, tmp_path, content):
    file = tmp_path / "destinations.json"
    if content is not None:
        file.write_text(content)
    made = known(time, tmp_path)
    read(made, file)
    assert made.breaker(KEY) is Breaker.CLOSED
    made.admit(PACS, "job")


def test_a_file_that_cannot_be_written_is_told_once(destinations, tmp_path, caplog):
    stopping = threading.Event()
    prober = Prober(destinations, tmp_path / "none" / "destinations.json", stopping, ask=lambda _: "")
    prober._write()
    fail(destinations, 1)
    prober._write()
    assert [record.levelname for record in caplog.records if "cannot be written" in record.message] == ["ERROR"]
