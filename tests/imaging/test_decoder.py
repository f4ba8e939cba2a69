from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dicomprinter.errors import InputError, PermanentError, TransientError
from dicomprinter.imaging import process
from dicomprinter.imaging.colour import convert
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.open import open_page
from dicomprinter.imaging.probe import probe
from tests.imaging.pictures import pdf, png
from tests.waiting import PATIENCE, wait_until

# A child whose probe does what the file's name says, for want of a file that breaks today's decoders.
FAULTY = """
import ctypes, os
import dicomprinter.imaging.calls as module
from dicomprinter.imaging.child import main
sound = module.probe
def probe(path, limits):
    if path.name == "crash":
        os.kill(os.getpid(), 11)
    if path.name == "hang":
        library = ctypes.PyDLL(None)
        path.with_name("hanging").touch()
        library.pause()  # with the interpreter's lock held
    if path.name == "memory":
        bytearray(1 << 40)
    if path.name == "print":
        print("noise on standard output", flush=True)
        path = path.with_name("good")
    return sound(path, limits)
module.probe = probe
main()
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    """One child, whoever calls at once: which one a call gets would be left to how busy the machine is."""
    with Decoder(Limits(pixels=1_000_000), timeout=PATIENCE, children=1) as decoder:
        yield decoder


@pytest.fixture
def good(tmp_path: Path) -> Path:
    random = np.random.default_rng(7).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    path = tmp_path / "good"
    Image.fromarray(random).save(path, "JPEG", dpi=(300, 200))
    return path


def child_of(decoder: Decoder) -> int:
    (child,) = decoder.children()
    return child


@pytest.mark.parametrize("mode", ColourMode)
def test_the_same_as_in_this_process(decoder: Decoder, good: Path, mode: ColourMode) -> None:
    here, there = convert(open_page(good, 0), mode), decoder.page(good, 0, mode)
    assert (there.pixels == here.pixels).all()
    assert there.pixels.dtype == here.pixels.dtype
    assert (there.bits_stored, there.resolution, there.lossy) == (here.bits_stored, here.resolution, here.lossy)
    assert decoder.probe(good) == probe(good)
    assert not there.pixels.flags.writeable


def test_pdf_at_a_resolution(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pdf(2))
    assert decoder.probe(tmp_path / "x").frames == 2
    assert decoder.page(tmp_path / "x", 1, ColourMode.MONOCHROME8, dpi=150).pixels.shape == (300, 150)


def test_errors_arrive_whole(decoder: Decoder, tmp_path: Path) -> None:
    for name, data, kind in (("empty", b"", InputError), ("large", png(2000, 2000, 8, 0, [b""]), InputError)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(kind) as here:
            probe(tmp_path / name, Limits(pixels=1_000_000))
        with pytest.raises(kind) as there:
            decoder.probe(tmp_path / name)
        for field in ("what", "cause", "remedy", "private"):
            assert getattr(there.value, field) == getattr(here.value, field)
    with pytest.raises(PermanentError, match="no page 2"):
        decoder.page(tmp_path / "good" if (tmp_path / "good").exists() else _picture(tmp_path), 1)


def _picture(folder: Path) -> Path:
    (folder / "good").write_bytes(png(1, 1, 8, 0, [b"\0"]))
    return folder / "good"


def test_any_thread_may_call(decoder: Decoder, good: Path) -> None:
    expected = open_page(good, 0).pixels
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.append(bool((decoder.page(good, 0).pixels == expected).all())))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Decoder]:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", FAULTY))
    with Decoder(timeout=PATIENCE) as decoder:
        yield decoder


@posix
def test_a_crash_costs_one_call(faulty: Decoder, good: Path) -> None:
    assert faulty.probe(good).frames == 1
    with pytest.raises(PermanentError, match="crash"):
        faulty.probe(good.with_name("crash"))
    assert faulty.probe(good).frames == 1


@posix
def test_a_hang_is_ended(faulty: Decoder, good: Path) -> None:
    faulty.probe(good)
    pid = child_of(faulty)
    faulty._timeout = 0.5
    with pytest.raises(PermanentError, match="too long"):
        faulty.probe(good.with_name("hang"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    faulty._timeout = PATIENCE
    assert faulty.probe(good).frames == 1


@posix
def test_memory_is_limited(faulty: Decoder, good: Path) -> None:
    with pytest.raises(PermanentError, match="MemoryError"):
        faulty.probe(good.with_name("memory"))
    assert faulty.probe(good).frames == 1


def test_a_library_that_prints_breaks_nothing(faulty: Decoder, good: Path) -> None:
    assert faulty.probe(good.with_name("print")).frames == 1


@posix
def test_signals_for_the_service_are_not_for_the_child(decoder: Decoder, good: Path) -> None:
    decoder.probe(good)
    pid = child_of(decoder)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
    assert decoder.probe(good).frames == 1
    assert child_of(decoder) == pid


@posix
def test_a_child_killed_between_calls_is_started_again(decoder: Decoder, good: Path) -> None:
    decoder.probe(good)
    os.kill(child_of(decoder), signal.SIGKILL)  # perhaps noticed only when the next request is on its way
    assert decoder.probe(good).frames == 1


def test_a_child_that_cannot_start(monkeypatch: pytest.MonkeyPatch, good: Path) -> None:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", "raise SystemExit(1)"))
    with Decoder() as decoder, pytest.raises(TransientError, match="did not start"):
        decoder.probe(good)


def test_a_child_that_ends_in_the_middle_of_a_page(monkeypatch: pytest.MonkeyPatch, good: Path) -> None:
    cut = """
import sys
sys.stdin.buffer.readline()
print("{}", flush=True)
sys.stdin.buffer.readline()
print('{"bytes": 100}\\npart of it', flush=True)
"""
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", cut))
    with Decoder(timeout=PATIENCE) as decoder, pytest.raises(PermanentError, match="crash"):
        decoder.page(good, 0)


def test_a_page_larger_than_the_memory(monkeypatch: pytest.MonkeyPatch, decoder: Decoder, good: Path) -> None:
    def too_large(*_: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    decoder.probe(good)
    with monkeypatch.context() as patch:
        patch.setattr(process.mmap, "mmap", too_large)
        with pytest.raises(TransientError, match="too little memory"):
            decoder.page(good, 0)
    assert decoder.page(good, 0).pixels.sum() > 0


@posix
def test_closing_ends_the_child_and_pages_stay(good: Path) -> None:
    with Decoder() as decoder:
        page = decoder.page(good, 0)
        pid = child_of(decoder)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert page.pixels.sum() > 0


PARENT = """
import sys, threading
from pathlib import Path
from dicomprinter.imaging import process
from dicomprinter.imaging.decoder import Decoder
faulty, good, hang = sys.argv[1:]
process.COMMAND = (sys.executable, "-c", faulty)
decoder = Decoder(timeout=30)
decoder.probe(Path(good))
print(*decoder.children(), flush=True)
if hang:
    decoder._timeout = 3
    decoder.probe(Path(hang))
threading.Event().wait()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of the end of somebody else's child")
@pytest.mark.parametrize("hanging", [False, True])
def test_no_orphan_after_kill_9(good: Path, hanging: bool) -> None:
    """A child that holds the interpreter's lock hears of nothing: an alarm ends it, after 1.5 times the time-out."""
    command = [sys.executable, "-c", PARENT, FAULTY, str(good), str(good.with_name("hang")) if hanging else ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            child = os.pidfd_open(int(parent.stdout.readline()))
            if hanging:
                wait_until(good.with_name("hanging").exists, "the child hangs")
            assert not has_ended(child, 0)
        finally:
            parent.kill()
    try:
        assert has_ended(child, PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)
        os.close(child)


def has_ended(process: int, timeout: float) -> bool:
    """Whether the process of this pidfd ends in time."""
    return bool(select.select([process], [], [], timeout)[0])
