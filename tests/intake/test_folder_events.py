"""What the system says of a folder, with the real observer."""

from __future__ import annotations

import importlib
import os
import queue
import shutil
import struct
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from watchdog.events import FileSystemEventHandler

from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now
from dicomprinter.intake import folder_events
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.folder_events import folder_observer
from dicomprinter.intake.incoming import Incoming
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no system tells of a file that is closed")


class Watched(FileSystemEventHandler):
    """A folder, and what was told of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: queue.Queue[tuple[str, str]] = queue.Queue()
        self.observer = folder_observer()
        self.observer.schedule(self, str(folder), recursive=True)
        self.observer.start()

    def on_any_event(self, event):
        path = event.dest_path or event.src_path
        self.told.put((event.event_type, Path(path).relative_to(self.folder).as_posix()))

    def until(self, *awaited):
        """What is told up to and with this event."""
        told = []
        while awaited not in told:
            told.append(self.told.get(timeout=PATIENCE))
        return told

    def settle(self):
        """Wait until all that happened before is known."""
        (self.folder / "mark").write_text("mark")
        self.until("closed", "mark")

    def stop(self):
        self.observer.stop()
        self.observer.join(PATIENCE)


@pytest.fixture
def watched(tmp_path):
    folder = tmp_path / "incoming"
    (folder / "ward" / "room").mkdir(parents=True)
    opened = Watched(folder)
    yield opened
    opened.stop()
    assert not opened.observer.is_alive()


@pytest.fixture
def drop(tmp_path, decoder, monkeypatch):
    """The service's folder and its jobs, where nothing but an event makes a file complete."""
    for name, kind in (
        ("inotify_move_event_grouper", "InotifyMoveEventGrouper"),
        ("inotify_buffer", "InotifyBuffer"),
    ):
        # What waits for the second half of a move waits for longer than this test does.
        with suppress(ImportError):
            module = importlib.import_module(f"watchdog.observers.{name}")
            monkeypatch.setattr(getattr(module, kind), "delay", PATIENCE + 10)
    with Spool.open(tmp_path / "base") as spool:
        jobs: queue.Queue = queue.Queue()
        incoming = Incoming(spool.incoming, Intake(spool, decoder, local_now), jobs.put, lambda: 3600)
        incoming._complete.quiet = 3600
        incoming.start()
        yield spool.incoming, jobs
        assert incoming.stop()


def open_files() -> Counter[str]:
    """What is open in this process, by what it is: a test that was here before may close something meanwhile."""
    found: Counter[str] = Counter()
    for descriptor in Path("/proc/self/fd").iterdir():
        # The listing itself is among them.
        with suppress(OSError):
            found[str(descriptor.readlink())] += 1
    return found


def picture(file: Path) -> Path:
    Image.new("L", (8, 6), 3).save(file, "PNG")
    return file


def test_the_next_file_at_once_waits_for_nothing(drop):
    folder, jobs = drop
    for name in ("a.png", "b.png", "c.png"):
        picture(folder / f".{name}.new").rename(folder / name)
        assert jobs.get(timeout=PATIENCE).facts.name == name


def test_a_file_moved_in_from_outside_is_complete(drop, tmp_path):
    folder, jobs = drop
    for name in ("a.png", "b.png"):
        picture(tmp_path / name).rename(folder / name)
        assert jobs.get(timeout=PATIENCE).facts.name == name


def test_a_file_written_in_place_is_complete_when_it_is_closed(drop):
    folder, jobs = drop
    picture(folder / "a.png")
    assert jobs.get(timeout=PATIENCE).facts.name == "a.png"


def test_a_file_being_written_is_none_yet(drop, tmp_path):
    """It is told of once, by its close; a file moved in meanwhile shows that the folder was looked at."""
    folder, jobs = drop
    content = picture(tmp_path / "whole.png").read_bytes()
    with (folder / "a.png").open("wb", buffering=0) as stream:
        stream.write(content[:40])
        picture(tmp_path / "b.png").rename(folder / "b.png")
        assert jobs.get(timeout=PATIENCE).facts.name == "b.png"
        assert (folder / "a.png").exists()
        stream.write(content[40:])
    assert jobs.get(timeout=PATIENCE).facts.name == "a.png"


def test_a_file_that_leaves_holds_nothing_back_and_is_not_told_of(watched, tmp_path):
    (watched.folder / "a").write_text("a")
    watched.until("closed", "a")
    (watched.folder / "a").rename(tmp_path / "a")
    (watched.folder / "b").write_text("b")
    assert watched.until("closed", "b") == [("created", "b"), ("modified", "b"), ("closed", "b")]


def test_of_a_rename_within_the_folder_the_new_name_is_told(watched):
    (watched.folder / "ward" / "a.new").write_text("a")
    (watched.folder / "ward" / "a.new").rename(watched.folder / "a")
    assert watched.until("moved", "a")[-2:] == [("closed", "ward/a.new"), ("moved", "a")]


def test_folders_below_are_watched_also_those_that_come_later(watched, tmp_path):
    (watched.folder / "ward" / "room" / "a").write_text("a")
    watched.until("closed", "ward/room/a")
    elsewhere = tmp_path / "elsewhere" / "deep"
    elsewhere.mkdir(parents=True)
    (elsewhere / "old").write_text("it may still be open elsewhere")
    elsewhere.parent.rename(watched.folder / "new")
    assert watched.until("created", "new/deep/old") == [("created", "new/deep/old")]
    (watched.folder / "new" / "deep" / "b").write_text("b")
    watched.until("closed", "new/deep/b")


def test_a_folder_with_another_name_is_told_of_by_that(watched):
    (watched.folder / "ward").rename(watched.folder / "station")
    watched.settle()
    (watched.folder / "station" / "room" / "a").write_text("a")
    watched.until("closed", "station/room/a")


def test_a_folder_that_went_away_is_not_taken_for_the_next_of_its_name(watched, tmp_path):
    """Somebody who still writes there would close the file of another."""
    (watched.folder / "ward").rename(tmp_path / "gone")
    (watched.folder / "ward" / "room").mkdir(parents=True)
    watched.settle()
    (tmp_path / "gone" / "room" / "a").write_text("a")
    (tmp_path / "gone" / "b").write_text("b")
    (watched.folder / "last").write_text("")
    assert watched.until("closed", "last") == [("created", "last"), ("closed", "last")]


def test_a_folder_that_is_removed_and_made_anew(watched):
    shutil.rmtree(watched.folder / "ward")
    (watched.folder / "ward").mkdir()
    watched.settle()
    (watched.folder / "ward" / "a").write_text("a")
    watched.until("closed", "ward/a")


def test_links_to_folders_are_not_followed_but_the_folder_itself_may_be_one(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "incoming").symlink_to(tmp_path / "real")
    watched = Watched(tmp_path / "incoming")
    try:
        (tmp_path / "elsewhere" / "secret").write_text("")
        (tmp_path / "incoming" / "a").write_text("")
        assert watched.until("closed", "a") == [("created", "a"), ("closed", "a")]
    finally:
        watched.stop()


def test_after_events_were_lost_no_file_counts_as_closed_and_new_folders_are_watched(tmp_path):
    (tmp_path / "a").write_text("a")
    inotify = folder_events._Inotify(os.fsencode(tmp_path))
    (tmp_path / "new").mkdir()
    told = list(inotify._meaning(-1, 0x4000, b""))
    assert [(event.event_type, event.src_path) for event in told] == [("created", str(tmp_path / "a"))]
    assert set(inotify._folders.values()) == {os.fsencode(tmp_path), os.fsencode(tmp_path / "new")}
    inotify.end()
    assert list(inotify.events()) == []


def test_what_a_read_brings_is_taken_apart():
    data = struct.pack("iIII16s", 1, 0x8, 0, 16, b"a.png") + struct.pack("iIII", 2, 0x8000, 0, 0)
    assert list(folder_events._parsed(data)) == [(1, 0x8, b"a.png"), (2, 0x8000, b"")]


@pytest.mark.parametrize("call", ["inotify_init1", "inotify_add_watch"])
def test_a_folder_that_cannot_be_watched_says_so_and_leaves_nothing_open(call, tmp_path, monkeypatch):
    class Exhausted:
        """A C library with no more to give."""

        def __init__(self, *_, **__):
            self.libc = original(None, use_errno=True)

        def __getattr__(self, name):
            return self.fail if name == call else getattr(self.libc, name)

        def fail(self, *_):
            folder_events.ctypes.set_errno(28)
            return -1

    original = folder_events.ctypes.CDLL
    monkeypatch.setattr(folder_events.ctypes, "CDLL", Exhausted)
    before = open_files()
    observer = folder_observer()
    observer.schedule(FileSystemEventHandler(), str(tmp_path), recursive=True)
    with pytest.raises(OSError, match="inotify watch limit reached"):
        observer.start()
    assert not open_files() - before


def test_nothing_is_open_after_the_end(tmp_path):
    before, threads = open_files(), threading.enumerate()
    watched = Watched(tmp_path)
    watched.stop()
    assert not open_files() - before
    assert not set(threading.enumerate()) - set(threads)
