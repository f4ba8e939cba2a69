"""Objects are built while others are sent: the order stays, a failure is told in its place, nothing is left."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from dicomprinter.actions.objects import building
from dicomprinter.actions.store import sending
from dicomprinter.errors import PermanentError
from dicomprinter.imaging import process
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.room import Room, Turn
from dicomprinter.job.job import Job
from dicomprinter.workflow.interpreter import Done, Held
from tests.killed import Killed
from tests.scp import Received, StorageScp
from tests.system.help import House, grey, jpeg_of, perform, pixels, png, rgb, store, tiff
from tests.system.service import Service, configuration
from tests.waiting import PATIENCE

Run = Callable[[Any], Any]
THREADS = 3
RLE = '<Compression type="RLE"/>'


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[House]:
    """A house on a machine of three processors."""
    for module in (building, sending):
        monkeypatch.setattr(module, "cores", lambda: THREADS)
    with Decoder(timeout=PATIENCE, children=THREADS) as decoder:
        decoder._room = Room(THREADS, 1 << 20)
        with House(tmp_path / "base", decoder) as house:
            yield house


def on_page(monkeypatch: pytest.MonkeyPatch, act: Callable[[Path, int], object]) -> None:
    """Do something before each page is decoded."""
    page = Decoder.page

    def acted(decoder: Decoder, path: Path, index: int, *rest: Any, **named: Any) -> Any:
        act(path, index)
        return page(decoder, path, index, *rest, **named)

    monkeypatch.setattr(Decoder, "page", acted)


def nothing_is_left(job: Job) -> bool:
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("build-")]
    return not threads and not (job.folder.path / "work").exists()


def numbers(received: list[Received]) -> list[int]:
    return [int(one.dataset.InstanceNumber) for one in received]


@pytest.mark.parametrize("attributes", ["", 'multiframe="true"'])
def test_pages_are_decoded_side_by_side_and_keep_their_order(
    wide: House, running: Run, monkeypatch: pytest.MonkeyPatch, attributes: str
) -> None:
    together = threading.Barrier(THREADS)
    on_page(monkeypatch, lambda _path, _index: together.wait(PATIENCE))
    scp = running(StorageScp())
    job = wide.job(tiff(2 * THREADS))
    assert wide.run(wide.program(store("A", scp.port, RLE, attributes=attributes), perform("A")), job) == Done()
    found = [pixels(one.dataset).reshape(-1, *grey(1).shape) for one in scp.received]
    assert np.concatenate(found).tolist() == [grey(number).tolist() for number in range(1, 2 * THREADS + 1)]
    assert numbers(scp.received) == ([1] if attributes else list(range(1, 2 * THREADS + 1)))
    assert nothing_is_left(job)


def test_the_last_frame_that_is_ready_first_stands_last(
    wide: House, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = threading.Event()

    def first_waits(_path: Path, index: int) -> None:
        if index == 0:
            assert later.wait(PATIENCE)

    on_page(monkeypatch, first_waits)
    encoded = building.encode_page

    def encode(*arguments: Any, **named: Any) -> Any:
        frame = encoded(*arguments, **named)
        later.set()
        return frame

    monkeypatch.setattr(building, "encode_page", encode)
    scp = running(StorageScp())
    program = wide.program(store("A", scp.port, attributes='multiframe="true"'), perform("A"))
    assert wide.run(program, wide.job(tiff(4))) == Done()
    assert pixels(scp.received[0].dataset).tolist() == [grey(number).tolist() for number in range(1, 5)]


def test_the_next_objects_are_built_while_one_is_sent(
    wide: House, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = threading.Event()
    on_page(monkeypatch, lambda _path, index: third.set() if index == 2 else None)
    scp = running(StorageScp(on_store=lambda _: third.wait(PATIENCE)))
    job = wide.job(tiff(THREADS))
    assert wide.run(wide.program(store("A", scp.port), perform("A")), job) == Done()
    assert third.is_set()


def test_a_page_that_stays_the_jpeg_that_it_is_waits_for_room_too(
    wide: House, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted: list[int] = []
    monkeypatch.setattr(Turn, "admit", lambda _turn, size: admitted.append(size))
    scp = running(StorageScp())
    data = jpeg_of(rgb(1))
    program = wide.program(store("A", scp.port, '<Compression type="JPEG_Lossy"/>'), perform("A"))
    assert wide.run(program, wide.job(data, png(2))) == Done()
    assert sorted(admitted) == sorted([len(data), grey(2).nbytes])


def test_an_archive_that_is_full_stops_what_is_being_built(
    wide: House, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    on_page(monkeypatch, lambda _path, index: opened.append(index))
    scp = running(StorageScp(answers=[0x0000, 0xA700]))
    job = wide.job(tiff(40))
    outcome = wide.run(wide.program(store("A", scp.port), perform("A")), job)
    assert isinstance(outcome, Held)
    assert "A700" in outcome.why
    assert numbers(scp.received) == [1, 2]
    assert [sent.stored for sent in job.sent()] == [True, False]
    assert len(opened) <= 2 + 2 * THREADS
    assert nothing_is_left(job)
    assert wide.resume(wide.program(store("A", scp.port), perform("A")), job.id) == Done()
    assert numbers(scp.received) == [1, 2, *range(2, 41)]
    assert scp.received[1].sop_instance == scp.received[2].sop_instance


def test_pages_that_cannot_be_made_are_told_in_their_order(
    wide: House, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifth = threading.Event()

    def fails(_path: Path, index: int) -> None:
        if index == 1:
            assert fifth.wait(PATIENCE)
        if index in (1, 4):
            fifth.set()
            raise PermanentError(f"there is a hole in page {index + 1}")

    on_page(monkeypatch, fails)
    scp = running(StorageScp())
    job = wide.job(tiff(6))
    outcome = wide.run(wide.program(store("A", scp.port), perform("A")), job)
    assert isinstance(outcome, Held)
    assert "2 of 6 objects were not stored" in outcome.why
    assert outcome.why.index("page 2") < outcome.why.index("page 5")
    assert numbers(scp.received) == [1, 3, 4, 6]
    assert nothing_is_left(job)


@pytest.mark.parametrize("end", [Killed, KeyboardInterrupt])
@pytest.mark.parametrize("place", ["building", "sending"])
def test_an_end_in_the_middle_leaves_nothing(
    wide: House, running: Run, monkeypatch: pytest.MonkeyPatch, end: type[BaseException], place: str
) -> None:
    def die(*_: object, **__: object) -> NoReturn:
        raise end

    scp = running(StorageScp())
    job = wide.job(tiff(20))
    program = wide.program(store("A", scp.port), perform("A"))
    with monkeypatch.context() as patch:
        patch.setattr(*((building, "write", die) if place == "building" else (sending.Sending, "_tell", die)))
        with pytest.raises(end):
            wide.run(program, job)
    assert nothing_is_left(job)
    found = wide.spool.load(job.id)
    assert wide.run(program, found) == Done()
    uids = [one.sop_instance for one in scp.received]
    assert len(set(uids)) == len(uids) == 20


CRASHING = """
import os
import dicomprinter.imaging.calls as module
from dicomprinter.imaging.child import main
sound = module.open_page
def open_page(path, index, *rest, **named):
    if path.name.startswith("0002"):
        os._exit(3)
    return sound(path, index, *rest, **named)
module.open_page = open_page
main()
"""


def test_a_page_that_crashes_its_child_does_not_keep_the_others(
    wide: House, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", CRASHING))
    scp = running(StorageScp())
    job = wide.job(*(png(number) for number in range(1, 6)))
    outcome = wide.run(wide.program(store("A", scp.port), perform("A")), job)
    assert isinstance(outcome, Held)
    assert "1 of 5 objects were not stored" in outcome.why
    assert "made the decoder crash" in outcome.why
    assert numbers(scp.received) == [1, 3, 4, 5]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_children_that_are_killed_in_the_middle_cost_no_page(
    wide: House, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a system that is short of memory does: what it hits may have to be tried again."""
    scp = running(StorageScp())
    program, job = wide.program(store("A", scp.port), perform("A")), wide.job(tiff(12))

    def kill(_path: Path, index: int) -> None:
        if index == 5:
            for child in wide.tools.decoder.children():
                os.kill(child, 9)

    with monkeypatch.context() as patch:
        on_page(patch, kill)
        outcome = wide.run(program, job)
    assert nothing_is_left(job)
    if outcome != Done():
        assert isinstance(outcome, Held)
        assert wide.resume(program, job.id) == Done()
    assert sorted(numbers(scp.received)) == list(range(1, 13))


def test_a_service_ends_soon_in_the_middle_of_a_long_store(tmp_path: Path) -> None:
    go_on = threading.Event()

    def wait(received: Received) -> None:
        if int(received.dataset.InstanceNumber) == 3:
            go_on.wait(PATIENCE)

    with StorageScp(on_store=wait) as scp:
        service = Service(tmp_path / "base", configuration(store("A", scp.port), perform("A", on_error="Suspend")))
        with service:
            service.drop("pages.tif", tiff(200))
            scp.wait_for(3)
            assert service.stop() == 0
            go_on.set()
            assert service.job()["state"] in ("running", "queued")
            service.start()
            service.wait_for(lambda: service.ledger() and not service.leftovers(), "the job is done")
        uids = [one.sop_instance for one in scp.received]
        assert len(set(uids)) == 200
        # The one that was on its way, and it alone, may have come twice.
        assert len(uids) <= 201
