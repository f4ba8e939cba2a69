"""What is dropped, by people and programs that do it wrong."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import threading
from pathlib import Path

import pytest
from PIL import Image
from watchdog.events import FileClosedEvent

from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now
from dicomprinter.intake import incoming as module
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.incoming import Incoming
from tests.waiting import PATIENCE

SIDECAR = json.dumps({"tags": {"PatientID": "4711"}})


class Drop:
    """A watched folder, looked at by hand."""

    def __init__(self, base, decoder):
        self.spool = Spool.open(base)
        self.folder = self.spool.incoming
        self.jobs = []
        self.incoming = Incoming(self.folder, Intake(self.spool, decoder, local_now), self.jobs.append, lambda: 3600)

    def put(self, name, content="", *, closed=True):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix in (".png", ".bmp") and not content:
            Image.new("L", (8, 6), 3).save(file)
        else:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        if closed:
            self.incoming.on_any_event(FileClosedEvent(str(file)))
        return file

    def link(self, name, target):
        (self.folder / name).symlink_to(target)
        self.incoming.on_any_event(FileClosedEvent(str(self.folder / name)))

    def look(self):
        return self.incoming.look()

    def rejected(self):
        """Names without the id, and the id, which is one."""
        files = [file.name for file in self.spool.rejected.iterdir() if not file.name.endswith(".reason.txt")]
        ids = {name[:29] for name in files}
        assert len(ids) <= 1
        return sorted(name[29:] for name in files), "".join(ids)[:28]

    def reason(self):
        (text,) = {file.read_text("utf-8") for file in self.spool.rejected.glob("*.reason.txt")}
        return text

    def left(self):
        return sorted(file.name for file in self.folder.iterdir())


@pytest.fixture
def drop(tmp_path, decoder):
    opened = Drop(tmp_path, decoder)
    yield opened
    opened.spool.close()


def test_a_folder_that_cannot_be_read_does_not_keep_the_others_out(drop, monkeypatch, caplog):
    drop.put("locked/x.png")
    drop.put("b.png")
    original = os.scandir

    def scandir(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    drop.look()
    drop.look()
    assert len(drop.jobs) == 1
    assert len([record for record in caplog.records if "cannot be read" in record.message]) == 1
    assert "locked" not in caplog.text


def test_folders_within_folders_without_end(drop):
    folder = os.open(drop.folder, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("a", dir_fd=folder)
        inner = os.open("a", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    drop.put("b.png")
    try:
        drop.look()
    finally:
        # Python takes away no folders so deep.
        subprocess.run(["/bin/rm", "-rf", drop.folder / "a"], check=True)
    assert len(drop.jobs) == 1


def test_the_folder_itself_must_be_readable(drop, monkeypatch):
    def scandir(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PermissionError):
        drop.look()


def test_the_watch_goes_on_after_any_fault(drop, monkeypatch):
    looks = []

    def look():
        looks.append(1)
        drop.incoming._happened.set()
        if len(looks) == 3:
            drop.incoming._stopping.set()
        raise KeyError("x")

    monkeypatch.setattr(drop.incoming, "look", look)
    drop.incoming._watch()
    assert len(looks) == 3


@pytest.mark.parametrize("name", ["a.txt", "a.png.json", "a.png"])
def test_a_link_gives_nothing_away(drop, name, tmp_path, caplog):
    secret = tmp_path / "secret.json"
    secret.write_text(SIDECAR)
    for file in {"a.png", "a.txt", "a.png.json"} - {name}:
        drop.put(file, {"a.txt": "Befund", "a.png.json": SIDECAR}.get(file, ""))
    drop.link(name, secret)
    drop.look()
    assert drop.jobs == []
    names, rejected_id = drop.rejected()
    assert names == ["a.png", "a.png.json", "a.txt"]
    assert f"rejected as {rejected_id}: " in caplog.text
    assert "a.png" not in caplog.text
    assert secret.read_text() == SIDECAR


def test_a_pipe_for_a_sidecar_does_not_stop_the_thread(drop):
    os.mkfifo(drop.folder / "a.png.json")
    drop.put("a.png")
    drop.look()
    assert drop.jobs == []
    assert drop.rejected()[0] == ["a.png", "a.png.json"]


def test_a_page_whose_text_went_with_another_is_taken_alone(drop):
    for name in ("a.bmp", "a.png"):
        drop.put(name)
    drop.put("a.txt", "Befund")
    drop.look()
    drop.incoming.on_any_event(FileClosedEvent(str(drop.folder / "a.png")))
    drop.look()
    assert [len(job.payload.texts) for job in sorted(drop.jobs, key=lambda job: job.id)] == [1, 0]
    assert drop.rejected()[0] == []


def test_a_page_waits_for_the_text_beside_it(drop):
    text = drop.put("a.txt", "Name: Must", closed=False)
    drop.put("a.png")
    assert drop.look()
    assert drop.jobs == []
    text.write_text("Name: Muster")
    drop.incoming.on_any_event(FileClosedEvent(str(text)))
    drop.look()
    (job,) = drop.jobs
    assert job.path(job.payload.texts[0]).read_text() == "Name: Muster"


def test_a_text_of_another_encoding_says_so_for_both(drop):
    drop.put("a.png")
    drop.put("a.txt", "Größe".encode("latin-1"))
    drop.look()
    assert drop.rejected()[0] == ["a.png", "a.txt"]
    assert "save the text as UTF-8" in drop.reason()


def test_many_texts_are_looked_at_in_time_that_grows_with_their_number(drop, monkeypatch):
    monkeypatch.setattr(module, "_files", lambda folder: iter([folder / f"{number}.txt" for number in range(3000)]))
    calls = []
    original = Path.with_suffix
    monkeypatch.setattr(Path, "with_suffix", lambda path, suffix: calls.append(1) or original(path, suffix))
    monkeypatch.setattr(Path, "lstat", lambda _: os.lstat(__file__))
    drop.look()
    assert 3000 <= len(calls) <= 9000


def test_a_sidecar_in_capitals(drop):
    drop.put("U.PDF.JSON", SIDECAR)
    drop.put("U.PDF", b"\x89PNG")
    drop.look()
    assert drop.rejected()[0] == ["U.PDF", "U.PDF.JSON"]
    drop.put("b.png.JSON", SIDECAR)
    drop.put("b.png")
    drop.look()
    assert drop.jobs[0].dataset.PatientID == "4711"


def test_a_sidecar_that_lies_alone_is_put_away(drop, monkeypatch, caplog):
    drop.put("a.png.json", SIDECAR)
    drop.look()
    assert drop.left() == ["a.png.json"]
    monkeypatch.setattr(module, "_ALONE_SECONDS", 0.0)
    drop.put(".a.png.k3Qz", "half")
    drop.look()
    assert ".a.png.k3Qz" in drop.left(), "its file is being written"
    assert "a.png.json" in drop.left()
    (drop.folder / ".a.png.k3Qz").unlink()
    drop.look()
    assert drop.left() == []
    assert "lay alone" in drop.reason()
    assert "a.png" not in caplog.text
    drop.put("a.png")
    drop.look()
    assert "PatientID" not in drop.jobs[0].dataset


def test_a_sidecar_that_comes_too_late_is_not_for_the_next_patient(drop):
    drop.put("ward/scan.png")
    drop.look()
    drop.put("ward/scan.png.json", SIDECAR)
    drop.look()
    assert drop.rejected()[0] == ["ward_scan.png.json"]
    assert "came after its file was taken" in drop.reason()
    drop.put("ward/scan.png")
    drop.look()
    assert ["PatientID" in job.dataset for job in drop.jobs] == [False, False]


def test_a_late_sidecar_beside_the_next_file_is_for_neither(drop):
    drop.put("scan.png")
    drop.look()
    drop.put("scan.png.json", SIDECAR)
    drop.put("scan.png")
    drop.look()
    assert len(drop.jobs) == 1
    assert drop.rejected()[0] == ["scan.png", "scan.png.json"]
    drop.put("scan.png.json", SIDECAR)
    drop.put("scan.png")
    drop.look()
    assert drop.jobs[1].dataset.PatientID == "4711"


def test_sidecars_of_files_of_one_name_each_go_with_theirs(drop):
    for number in ("1", "2", "3"):
        drop.put("scan.png.json", json.dumps({"tags": {"PatientID": number}}))
        drop.put("scan.png")
        drop.look()
    assert [job.dataset.PatientID for job in drop.jobs] == ["1", "2", "3"]


def test_values_of_a_sidecar_are_in_the_reason_and_not_in_the_log(drop, caplog):
    drop.put("a.png.json", json.dumps({"submitted": "Muster^Erika 1970"}))
    drop.put("a.png")
    drop.look()
    drop.put("b.png")
    drop.look()
    assert "Muster^Erika" in drop.reason()
    assert "Muster" not in caplog.text
    assert len(drop.jobs) == 1


def test_what_cannot_be_rejected_now_does_not_keep_the_others_out(drop, monkeypatch, caplog):
    caplog.set_level(logging.ERROR)
    drop.put("a.png.json", "[]")
    drop.put("a.png")
    drop.put("b.png")
    with monkeypatch.context() as patch:

        def full(*_):
            raise OSError(28, "No space left on device")

        patch.setattr("dicomprinter.intake.accept._write_private", full)
        drop.look()
    assert len(drop.jobs) == 1
    assert drop.left() == ["a.png", "a.png.json"]
    assert "tried again" in caplog.text


def test_a_long_name_is_rejected_with_its_sidecar(drop):
    name = "山" * 75 + ".png"
    drop.put(name, b"\x89PNG")
    drop.put(name + ".json", SIDECAR)
    drop.look()
    page, sidecar = drop.rejected()[0]
    assert sidecar == page + ".json"
    assert len(page.encode()) <= 150


def test_what_is_taken_or_rejected_is_for_its_owner_alone(drop):
    drop.put("a.png").chmod(0o664)
    drop.put("b.png", b"\x89PNG").chmod(0o666)
    drop.look()
    (job,) = drop.jobs
    files = [job.path(job.payload.pages[0].file), *drop.spool.rejected.iterdir()]
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_file_that_cannot_be_moved_leaves_no_folders(drop, monkeypatch):
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0)
    drop.put("a.png")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        drop.look()
        drop.put("a.png")
        drop.look()
    assert list(drop.spool.jobs.iterdir()) == []
    assert drop.left() == ["a.png"]


def test_without_folder_events_the_folder_is_looked_at_often(drop, monkeypatch, caplog):
    def exhausted():
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    monkeypatch.setattr(module, "folder_observer", exhausted)
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.05)
    taken = threading.Event()
    incoming = Incoming(drop.folder, drop.incoming._intake, lambda job: taken.set(), lambda: 3600)
    incoming._complete.quiet = 0.05
    incoming.start()
    try:
        drop.put("scan.png", closed=False)
        assert taken.wait(PATIENCE)
    finally:
        assert incoming.stop()
    assert "inotify instance limit reached); the folder is looked at every 0.05 s" in caplog.text


def test_a_text_beside_two_files_is_the_first_ones(drop):
    for name in ("a.bmp", "a.png"):
        drop.put(name)
    drop.put("a.txt", "a text")
    monotonic = module.time.monotonic
    drop.look()
    with pytest.MonkeyPatch.context() as later:
        later.setattr(module.time, "monotonic", lambda: monotonic() + module.QUIET_SECONDS)
        drop.look()
    first, second = sorted(drop.jobs, key=lambda job: job.id)
    assert (first.facts.name, len(first.payload.texts)) == ("a.bmp", 1)
    assert (second.facts.name, len(second.payload.texts)) == ("a.png", 0)


def test_a_file_that_comes_while_the_folder_is_listed_is_taken_by_the_next_look(drop, monkeypatch):
    drop.put("a.png")
    listed = drop.incoming._walk

    def walk():
        yield from listed()
        drop.put("b.png")

    monkeypatch.setattr(drop.incoming, "_walk", walk)
    drop.look()
    assert drop.left() == ["b.png"]
    monkeypatch.setattr(drop.incoming, "_walk", listed)
    drop.look()
    assert drop.left() == []
