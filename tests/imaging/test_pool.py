"""Several children: side by side where calls are long, one alone where they are short, in the order of the calls."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dicomprinter.errors import PermanentError, TransientError
from dicomprinter.imaging import pool, process
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.pool import Caller
from dicomprinter.imaging.room import Room, Turn
from tests.imaging.pictures import png
from tests.waiting import PATIENCE, wait_until

# A child that says which file it looks at, and waits there until it may go on.
SLOW = """
import os, time
from pathlib import Path
import dicomprinter.imaging.calls as module
from dicomprinter.imaging.child import main
sound = module.probe
def probe(path, limits):
    path.with_suffix(f".{os.getpid()}.begun").touch()
    while path.name.startswith("slow") and not path.with_suffix(".go").exists():
        time.sleep(0.01)
    if path.name.startswith("crash"):
        os._exit(3)
    return sound(path, limits)
module.probe = probe
main()
"""


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Decoder]:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", SLOW))
    with Decoder(timeout=PATIENCE, children=2) as opened:
        yield opened


@pytest.fixture
def calls() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def page(folder: Path, name: str) -> Path:
    path = folder / f"{name}.png"
    path.write_bytes(png(1, 1, 8, 0, [b"\0"]))
    return path


def begun(path: Path) -> set[int]:
    """The children that have begun with a file."""
    return {int(file.name.split(".")[1]) for file in path.parent.glob(f"{path.stem}.*.begun")}


def let_go(*paths: Path) -> None:
    for path in paths:
        path.with_suffix(".go").touch()


def test_long_calls_have_a_child_each(decoder: Decoder, tmp_path: Path, calls: ThreadPoolExecutor) -> None:
    first, second = page(tmp_path, "slow-1"), page(tmp_path, "slow-2")
    found = [calls.submit(decoder.probe, path) for path in (first, second)]
    wait_until(lambda: begun(first) and begun(second), "both are looked at")
    let_go(first, second)
    assert [one.result().frames for one in found] == [1, 1]
    assert begun(first) | begun(second) == set(decoder.children())
    assert len(decoder.children()) == 2


def test_there_are_no_more_than_may_be(decoder: Decoder, tmp_path: Path, calls: ThreadPoolExecutor) -> None:
    paths = [page(tmp_path, f"slow-{number}") for number in range(3)]
    found = [calls.submit(decoder.probe, path) for path in paths]
    wait_until(lambda: sum(bool(begun(path)) for path in paths) == 2, "two are looked at")
    assert len(decoder.children()) == 2
    let_go(*paths)
    assert [one.result().frames for one in found] == [1, 1, 1]
    assert len(decoder.children()) == 2


def test_short_calls_share_a_child(decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_START_SECONDS", PATIENCE)
    short = page(tmp_path, "short")
    with ThreadPoolExecutor(4) as executor:
        assert all(probe.frames == 1 for probe in executor.map(decoder.probe, [short] * 20))
    assert begun(short) == set(decoder.children())
    assert len(decoder.children()) == 1


def test_who_comes_first_is_served_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, calls: ThreadPoolExecutor
) -> None:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", SLOW))
    paths = [page(tmp_path, f"slow-{number}") for number in range(4)]
    with Decoder(timeout=PATIENCE, children=1) as opened:
        for number, path in enumerate(paths):
            calls.submit(opened.probe, path)
            wait_until(lambda number=number: begun(paths[0]) and len(opened._pool._waiting) == number, "it waits")
        for number, path in enumerate(paths):
            wait_until(lambda number=number: any(map(begun, paths[number:])), "another is looked at")
            assert begun(path)
            let_go(path)


def test_a_crash_costs_its_own_call_only(decoder: Decoder, tmp_path: Path, calls: ThreadPoolExecutor) -> None:
    slow = page(tmp_path, "slow-1")
    found = calls.submit(decoder.probe, slow)
    wait_until(lambda: begun(slow), "it is looked at")
    with pytest.raises(PermanentError, match="crash"):
        decoder.probe(page(tmp_path, "crash"))
    let_go(slow)
    assert found.result().frames == 1
    assert begun(slow) <= set(decoder.children())


def test_a_child_that_nobody_needs_ends_itself(
    decoder: Decoder, tmp_path: Path, calls: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_IDLE_SECONDS", 0.05)
    first, second = page(tmp_path, "slow-1"), page(tmp_path, "slow-2")
    one = calls.submit(decoder.probe, first)
    wait_until(lambda: begun(first), "the first is looked at")
    other = calls.submit(decoder.probe, second)
    wait_until(lambda: begun(second), "the second is looked at")
    let_go(first, second)
    one.result()
    other.result()
    children = [place._child for place in decoder._pool._free]
    wait_until(lambda: set(decoder.children()) == begun(first), "the first alone is left")
    assert decoder.probe(page(tmp_path, "short")).frames == 1
    (gone,) = [child for child in children if child.pid not in begun(first)]
    assert gone._requests.closed
    assert gone._answers.closed


def test_closing_a_branch_ends_its_calls_and_no_others(
    decoder: Decoder, tmp_path: Path, calls: ThreadPoolExecutor
) -> None:
    mine, theirs = page(tmp_path, "slow-1"), page(tmp_path, "slow-2")
    branch = decoder.branch()
    found = [calls.submit(decoder.probe, mine), calls.submit(branch.probe, theirs)]
    wait_until(lambda: begun(mine) and begun(theirs), "both are looked at")
    waiting = calls.submit(branch.probe, page(tmp_path, "short"))
    wait_until(lambda: len(decoder._pool._waiting) == 1, "one waits")
    branch.close()
    for one in (found[1], waiting):
        with pytest.raises(TransientError, match="was ended"):
            one.result(PATIENCE)
    with pytest.raises(TransientError, match="was ended"):
        branch.probe(mine)
    let_go(mine)
    assert found[0].result(PATIENCE).frames == 1


def test_closing_a_branch_ends_the_calls_of_those_below_it(
    decoder: Decoder, tmp_path: Path, calls: ThreadPoolExecutor
) -> None:
    slow = page(tmp_path, "slow-1")
    branch = decoder.branch()
    found = calls.submit(branch.branch().probe, slow)
    wait_until(lambda: begun(slow), "it is looked at")
    branch.close()
    with pytest.raises(TransientError, match="was ended"):
        found.result(PATIENCE)
    # Nobody waits for its answer: no child is started to give it again.
    assert not decoder.children()


def test_closing_ends_every_call_and_child(decoder: Decoder, tmp_path: Path, calls: ThreadPoolExecutor) -> None:
    paths = [page(tmp_path, "slow-1"), page(tmp_path, "slow-2")]
    found = [calls.submit(decoder.probe, paths[0]), calls.submit(decoder.branch().probe, paths[1])]
    wait_until(lambda: all(map(begun, paths)), "both are looked at")
    children = decoder.children()
    decoder.close()
    for one in found:
        with pytest.raises(TransientError, match="was ended"):
            one.result(PATIENCE)
    assert not decoder.children()
    for child in children if sys.platform != "win32" else ():
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_the_first_child_gets_ready_before_it_is_asked(decoder: Decoder, tmp_path: Path) -> None:
    decoder.start()
    (child,) = decoder.children()
    decoder.start()
    short = page(tmp_path, "short")
    assert decoder.probe(short).frames == 1
    assert decoder.children() == [child]
    assert begun(short) == {child}


def test_a_child_that_was_started_before_is_the_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", SLOW))
    child, short = process.ChildProcess(), page(tmp_path, "short")
    with Decoder(timeout=PATIENCE, first=child) as opened:
        assert opened.probe(short).frames == 1
        assert begun(short) == {child.pid}
    assert not child.is_running


# Room


def test_so_many_pages_stay_at_once(calls: ThreadPoolExecutor) -> None:
    room, caller = Room(2, 100), Caller()
    inside, entered, leave = threading.Semaphore(0), [], threading.Event()

    def stay(number: int) -> None:
        with Turn(room, caller):
            entered.append(number)
            inside.release()
            assert leave.wait(PATIENCE)

    found = [calls.submit(stay, number) for number in range(4)]
    for _ in range(2):
        assert inside.acquire(timeout=PATIENCE)
    wait_until(lambda: len(room.pages._waiting) == 2, "two wait")
    assert len(entered) == 2
    leave.set()
    for one in found:
        one.result(PATIENCE)
    assert len(entered) == 4


def test_bytes_are_counted_and_the_larger_goes_alone(calls: ThreadPoolExecutor) -> None:
    room, caller = Room(8, 100), Caller()
    with Turn(room, caller) as large:
        with Turn(room, caller) as first:
            first.admit(60)
            with Turn(room, caller) as second:
                second.admit(40)
                found = calls.submit(large.admit, 500)
                wait_until(lambda: len(room.bytes._waiting) == 1, "the large one waits")
            assert not found.done()
        found.result(PATIENCE)
        # What it had is given back before it waits for more: nobody waits for himself.
        large.admit(1000)


def test_who_is_closed_waits_for_no_room(calls: ThreadPoolExecutor) -> None:
    room, mine, theirs = Room(1, 100), Caller(), Caller()
    with Turn(room, mine):
        waiting = calls.submit(Turn(room, theirs).__enter__)
        wait_until(lambda: len(room.pages._waiting) == 1, "it waits")
        theirs.close()
        room.wake()
        with pytest.raises(TransientError, match="was ended"):
            waiting.result(PATIENCE)
    with Turn(room, mine):
        pass
