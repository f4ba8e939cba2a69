"""A destination that is down, silent or full: what it costs its own jobs, and that it costs the others nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.demo.pacs import EmbeddedPacs
from dicomprinter.dicom.network.association import VERIFICATION
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.engine.destination import Breaker
from dicomprinter.engine.destinations import Destinations
from dicomprinter.engine.engine import Engine
from dicomprinter.engine.queue import MOST_PAGES
from dicomprinter.job.job import Job
from dicomprinter.job.parts import State
from tests.raw_scp import Connection, RawScp
from tests.scp import Received, StorageScp, closed_port, silent
from tests.system.engine_help import asked, outcomes, state, wait_for
from tests.system.help import House, perform, png, store, tiff
from tests.system.service import Service, configuration
from tests.waiting import PATIENCE, wait_until

Run = Callable[[Any], Any]
FOR_EVER = "<AssociationTimeout>-1</AssociationTimeout>"


class Time:
    """What the breakers go by; the house's clock follows it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.seconds = 0.0
        self.destinations = Destinations(house.clock, monotonic=lambda: self.seconds, chance=lambda: 0.5)

    def forward(self, engine: Engine, seconds: float) -> None:
        self.seconds += seconds
        self.house.clock.forward(seconds=seconds)
        engine._prober.look_soon()
        engine.wake()

    def breaker(self, port: int) -> Breaker:
        return self.destinations.breaker(str(Peer("PACS", "127.0.0.1", port)))


@pytest.fixture
def time(house: House) -> Time:
    return Time(house)


def submit(house: House, engine: Engine, number: int = 1, *files: bytes, title: str = "page") -> list[Job]:
    jobs = [house.job(*(files or (png(),)), title=title, PatientID=f"{title}-{one}") for one in range(number)]
    for job in jobs:
        engine.submit(job)
    return jobs


def suspended(house: House, jobs: list[Job]) -> None:
    for job in jobs:
        wait_for(house, job, State.SUSPENDED)


def patients(scp: StorageScp) -> list[str]:
    return [str(one.dataset.PatientID) for one in scp.received]


def test_a_full_archive_that_answers_c_echo_is_tried_with_one_job_at_a_time(
    house: House, running: Run, time: Time
) -> None:
    scp = running(StorageScp(answers=[0xA700] * 4))
    program = house.program(store("Send", scp.port), perform("Send", on_error="Suspend"), suspension=3600)
    engine = house.engine(program, destinations=time.destinations)
    jobs = submit(house, engine, 5)
    suspended(house, jobs)
    # The fourth and the fifth were not even tried.
    assert patients(scp) == ["page-0", "page-1", "page-2"]
    assert time.breaker(scp.port) is Breaker.OPEN
    waiting = house.spool.load(jobs[4].id)
    assert waiting.waits_for == f"PACS@127.0.0.1:{scp.port}"
    assert waiting.wake_at == house.clock() + timedelta(seconds=8)
    assert "is not called: 3 attempts in a row have failed" in (waiting.reason or "")

    time.forward(engine, 8)
    # It takes associations but no Verification: it lives, and the trial fails.
    scp.wait_for(4)
    wait_until(lambda: time.breaker(scp.port) is Breaker.OPEN, "it is open again")
    assert patients(scp)[3:] == ["page-0"]
    assert time.destinations.seconds_to_next() == 16

    time.forward(engine, 16)
    for job in jobs:
        wait_for(house, job, None)
    # The next one was the trial, and then all went in order of arrival.
    assert patients(scp)[4:] == ["page-1", "page-0", "page-2", "page-3", "page-4"]
    assert outcomes(house) == ["done"] * 5


def test_an_operator_who_resumes_has_the_destination_asked_at_once(house: House, running: Run, time: Time) -> None:
    port = closed_port()
    program = house.program(store("Send", port), perform("Send", on_error="Suspend"), suspension=3600)
    engine = house.engine(program, destinations=time.destinations)
    jobs = submit(house, engine, 3)
    suspended(house, jobs)
    scp = running(EmbeddedPacs(house.base / "pacs", port=port))
    assert asked(engine, jobs[1], "resume").succeeded
    scp.wait_for(3)
    for job in jobs:
        wait_for(house, job, None)


def test_jobs_for_a_destination_that_the_configuration_lacks_now_wake_at_their_time(
    house: House, running: Run, time: Time
) -> None:
    def to(port: int) -> Any:
        return house.program(store("Send", port), perform("Send", on_error="Suspend"), suspension=3600)

    port = closed_port()
    engine = house.engine(to(port), destinations=time.destinations)
    jobs = submit(house, engine, 4)
    suspended(house, jobs)
    assert time.breaker(port) is Breaker.OPEN
    scp = running(EmbeddedPacs(house.base / "pacs"))
    engine.reload(to(scp.port))
    time.forward(engine, 8)
    scp.wait_for(4)
    for job in jobs:
        wait_for(house, job, None)


def test_who_waits_for_a_destination_is_known_after_a_restart(house: House, time: Time) -> None:
    port = closed_port()
    program = house.program(store("Send", port), perform("Send", on_error="Suspend"), suspension=3600)
    engine = house.engine(program, destinations=time.destinations)
    jobs = submit(house, engine, 4)
    suspended(house, jobs)
    assert engine.stop()
    house.restart()
    again = Time(house)
    engine = house.engine(program, destinations=again.destinations)
    assert again.breaker(port) is Breaker.OPEN
    told = [len(job.folder.history()) for job in jobs]
    # Their time has come, and the destination is still down.
    house.clock.forward(seconds=100)
    engine.wake()
    again.forward(engine, 9)
    wait_until(lambda: again.destinations.to_json()[1][0]["failures"] == 4, "it was asked")
    assert engine.idle(PATIENCE)
    assert [len(job.folder.history()) for job in jobs] == told


def test_the_first_failures_are_tried_again_soon(house: House, running: Run, time: Time) -> None:
    scp = running(StorageScp(answers=[0xA700, 0xA700]))
    program = house.program(store("Send", scp.port), perform("Send", on_error="Suspend"), suspension=3600)
    engine = house.engine(program, destinations=time.destinations)
    (job,) = submit(house, engine)
    for seconds in (2, 4):
        suspended(house, [job])
        wake_at = house.spool.load(job.id).wake_at
        assert wake_at == house.clock() + timedelta(seconds=seconds)
        time.forward(engine, seconds)
        wait_for(house, job, None if seconds == 4 else State.SUSPENDED)
        wait_until(lambda wake_at=wake_at: state(house, job) is None or house.spool.load(job.id).wake_at != wake_at, "")
    assert len(scp.received) == 3


def test_an_archive_that_refuses_one_object_and_has_no_room_for_the_next_is_left_alone(
    house: House, running: Run, time: Time
) -> None:
    """The refusal comes at every try anew, and says nothing of what fails."""
    scp = running(StorageScp(answers=[0x0124, 0xA700] * 3))
    program = house.program(store("Send", scp.port), perform("Send", on_error="Suspend"), suspension=3600)
    engine = house.engine(program, destinations=time.destinations)
    (job,) = submit(house, engine, 1, tiff(2))
    for number, seconds in ((1, 2), (2, 4), (3, 0)):
        scp.wait_for(2 * number)
        wait_until(lambda number=number: time.destinations.to_json()[1][0]["failures"] == number, "it has failed")
        suspended(house, [job])
        time.forward(engine, seconds)
    assert time.breaker(scp.port) is Breaker.OPEN


def test_a_suspend_node_waits_for_suspension_time(house: House, running: Run, time: Time) -> None:
    scp = running(StorageScp(answers=[0xA700]))
    workflow = perform("Send", on_error="Ignore") + '<If field="STORE_SUCCEEDED" value="false"><Suspend/></If>'
    engine = house.engine(house.program(store("Send", scp.port), workflow, suspension=3600), 1, time.destinations)
    (job,) = submit(house, engine)
    suspended(house, [job])
    found = house.spool.load(job.id)
    assert found.wake_at == house.clock() + timedelta(hours=1)
    assert found.waits_for is None


@pytest.mark.parametrize("workers", [2, 4])
def test_a_silent_destination_leaves_workers_to_the_others(house: House, running: Run, workers: int) -> None:
    hanging = running(silent())
    scp = running(StorageScp())
    actions = store("Hang", hanging.port, ae_title="SILENT", more=FOR_EVER) + store("Send", scp.port)
    workflow = f'<If field="PRINTED_FILE_NAME" value="hang">{perform("Hang")}<Else>{perform("Send")}</Else></If>'
    engine = house.engine(house.program(actions, workflow), workers)
    stuck = submit(house, engine, 6, title="hang")
    wait_until(lambda: hanging.connections == workers // 2, "the places are taken")
    fine = submit(house, engine, 6)
    for job in fine:
        wait_for(house, job, None)
    assert len(scp.received) == 6
    assert hanging.connections == workers // 2
    states = [state(house, job) for job in stuck]
    assert sorted(states) == ["queued"] * (6 - workers // 2) + ["running"] * (workers // 2)


@pytest.mark.parametrize("workers", [2, 4])
def test_a_long_job_does_not_hold_up_single_pages(house: House, running: Run, workers: int) -> None:
    """All for one archive: it answers the long jobs' pages only when the single ones have come."""
    singles = threading.Event()
    arrived: list[str] = []

    def on_store(received: Received) -> None:
        arrived.append(str(received.dataset.PatientID))
        if arrived.count("page-0") + arrived.count("page-1") + arrived.count("page-2") == 3:
            singles.set()
        if str(received.dataset.PatientID).startswith("long"):
            assert singles.wait(PATIENCE)

    scp = running(StorageScp(on_store=on_store))
    engine = house.engine(house.program(store("Send", scp.port), perform("Send")), workers)
    long = submit(house, engine, 3, tiff(MOST_PAGES + 1), title="long")
    scp.wait_for(1)
    for job in [*submit(house, engine, 3), *long]:
        wait_for(house, job, None)
    assert len(scp.received) == 3 + 3 * (MOST_PAGES + 1)


# A real service


class Listener:
    """What listens at an archive's port while the archive is down: rejects for now, and knows who only asks."""

    def __init__(self) -> None:
        self.jobs = 0
        self.probes = 0
        self.scp = RawScp(self._reject)

    def _reject(self, connection: Connection) -> None:
        _, request = connection.read()
        if _asks_only(request):
            self.probes += 1
        else:
            self.jobs += 1
        connection.send(bytes((0x03, 0, 0, 0, 0, 4, 0, 2, 3, 1)))


def _asks_only(request: bytes) -> bool:
    return VERIFICATION.encode() in request and b"1.2.840.10008.5.1.4" not in request


def destination(service: Service, port: int) -> dict[str, Any]:
    file = service.spool / "destinations.json"
    data = json.loads(file.read_text("utf-8")) if file.exists() else {"destinations": []}
    return next((one for one in data["destinations"] if one["port"] == port), {})


def jobs_of(service: Service, state: str) -> list[dict[str, Any]]:
    found = []
    for job_id in service.job_ids():
        try:
            data = json.loads((service.jobs / job_id / "job.json").read_text("utf-8"))
        except FileNotFoundError:
            continue
        if data["state"] == state:
            found.append(data)
    return found


def test_an_archive_that_goes_down_and_comes_back(tmp_path: Path, running: Run) -> None:
    listener = Listener()
    running(listener.scp)
    port = listener.scp.port
    other = running(EmbeddedPacs(tmp_path / "other", "OTHER"))
    actions = store("Send", port) + store("SendElsewhere", other.port, ae_title="OTHER")
    workflow = (
        f'<If field="TAG_VALUE" tag="PatientID" value="other">{perform("SendElsewhere")}'
        f"<Else>{perform('Send', on_error='Suspend')}</Else></If>"
    )

    def drop(name: str) -> None:
        service.drop(f"{name}.png", png(), {"tags": {"PatientID": name}})

    def waits(number: int) -> None:
        service.wait_for(lambda: len(jobs_of(service, "suspended")) == number, f"{number} jobs wait")

    # With one place, so that none can overtake another.
    with Service(tmp_path / "base", configuration(actions, workflow, suspension=2.4), "--workers", "2") as service:
        for number in (1, 2, 3):
            drop(f"down-{number}")
        service.wait_for(lambda: destination(service, port).get("breaker") == "open", "the breaker is open")
        waits(3)
        tried = listener.jobs
        assert tried == 3

        drop("down-4")
        waits(4)
        drop("other-1")
        other.wait_for(1)
        last = jobs_of(service, "suspended")[-1]
        assert f"PACS@127.0.0.1:{port} is not called" in last["reason"]
        assert last["waits_for"] == f"PACS@127.0.0.1:{port}"

        service.kill()
        service.start()
        assert destination(service, port)["breaker"] == "open"
        drop("down-5")
        waits(5)
        service.wait_for(lambda: listener.probes >= 2, "it is asked")
        assert listener.jobs == tried, "no job has called it, before and after the restart"

        listener.scp.close()
        pacs = running(EmbeddedPacs(tmp_path / "pacs", port=port))
        service.wait_for(lambda: service.leftovers() == [], "the spool is empty")
        assert [one.attributes.PatientID for one in pacs.instances] == [f"down-{number}" for number in range(1, 6)]
        service.wait_for(lambda: destination(service, port)["breaker"] == "closed", "that it works is written down")
        said = destination(service, port)
        assert (said["failures"], said["next_try"], said["calls"]) == (0, None, "Send")
        assert said["last_success"] > said["last_failure"]
        assert destination(service, other.port)["last_failure"] is None


def test_a_silent_archive_and_a_service(tmp_path: Path, running: Run) -> None:
    hanging = running(silent())
    pacs = running(EmbeddedPacs(tmp_path / "pacs"))
    actions = store("Hang", hanging.port, ae_title="SILENT", more=FOR_EVER) + store("Send", pacs.port)
    workflow = (
        f'<If field="TAG_VALUE" tag="PatientID" value="hang">{perform("Hang")}<Else>{perform("Send")}</Else></If>'
    )
    with Service(tmp_path / "base", configuration(actions, workflow)) as service:
        for number in range(5):
            service.drop(f"hang-{number}.png", png(), {"tags": {"PatientID": f"hang-{number}"}})
        service.wait_for(lambda: hanging.connections == 2, "half the workers hang")
        for number in range(5):
            service.drop(f"page-{number}.png", png(), {"tags": {"PatientID": f"page-{number}"}})
        service.wait_for(lambda: len(service.ledger()) == 5, "the others are done")
        assert hanging.connections == 2
        assert len(pacs.instances) == 5
        assert len(service.job_ids()) == 5
