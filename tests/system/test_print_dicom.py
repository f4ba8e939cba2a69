"""Print of the DICOM files of a job: their frames on film, as they are to be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import MPEG2MPML, BasicTextSRStorage

from dicomprinter.imaging.decoder import Decoder
from dicomprinter.workflow.interpreter import Done, Held
from tests.dicom.forwarding import compressed, made
from tests.film_scp import FilmScp
from tests.imaging.windows import linear, shown
from tests.system.film_help import layout, mode, pixels, printing, wide
from tests.system.help import House, grey, png

Running = Callable[[Any], Any]
CT = np.arange(3 * 8 * 16, dtype=np.uint16).reshape(3, 8, 16) * 10
WINDOW = {"RescaleSlope": "1", "RescaleIntercept": "-1024", "WindowCenter": ["40", "-600"], "WindowWidth": ["400", "1"]}


@pytest.fixture
def house(tmp_path: Path, decoder: Decoder) -> Iterator[House]:
    with House(tmp_path, decoder) as opened:
        yield opened


def ct(path: Path, frames: int = 1, **attributes: Any) -> bytes:
    """A ramp like a CT's, in 12 of 16 bits."""
    return made(path, CT[:frames], **{"BitsStored": 12, "HighBit": 11, **WINDOW, **attributes}).read_bytes()


def test_frames_come_behind_the_pages_in_their_order(house: House, running: Running, tmp_path: Path) -> None:
    printer = running(FilmScp())
    job = house.job(ct(tmp_path / "ct", 3), png())
    assert house.run(printing(house, printer.port, mode("Grayscale12") + layout("STANDARD\\1,2")), job) == Done()
    page, *frames = printer.data("N-SET image")
    assert np.array_equal(pixels(page), wide(grey(1)))
    assert len(frames) == 3
    for box, stored in zip(frames, CT, strict=True):
        assert np.array_equal(pixels(box), shown(stored, linear(40, 400), 12, intercept=-1024))
        assert box.BasicGrayscaleImageSequence[0].PhotometricInterpretation == "MONOCHROME2"


def test_what_has_no_pixels_is_told(house: House, running: Running, tmp_path: Path) -> None:
    printer = running(FilmScp())
    report = made(tmp_path / "sr", SOPClassUID=BasicTextSRStorage).read_bytes()
    job = house.job(report, ct(tmp_path / "ct", SOPInstanceUID="1.2.3.4"))
    assert house.run(printing(house, printer.port), job) == Done()
    assert "a DICOM file is not printed: Basic Text SR Storage has no pixels" in house.messages(job)
    assert len(printer.data("N-SET image")) == 1
    outcome = house.run(printing(house, printer.port), house.job(report))
    assert isinstance(outcome, Held)
    assert "nothing to print" in outcome.why


def test_a_confirmed_frame_is_not_printed_again(house: House, running: Running, tmp_path: Path) -> None:
    printer = running(FilmScp(statuses={"N-ACTION film": [0, 0xC600]}))
    program = printing(house, printer.port)
    job = house.job(ct(tmp_path / "ct", 3))
    assert isinstance(house.run(program, job), Held)
    assert [film.pages for film in job.folder.read_films() if film.printed] == [("payload/0001#0",)]
    assert printer.data("N-CREATE film")[0].FilmOrientation == "LANDSCAPE"
    before = len(printer.seen)
    assert house.resume(program, job.id) == Done()
    again = [seen.data for seen in printer.seen[before:] if seen.what == "N-SET image"]
    assert [pixels(box).tolist() for box in again] == [
        shown(stored, linear(40, 400), 8, intercept=-1024).tolist() for stored in CT[1:]
    ]


def test_colour(house: House, running: Running, tmp_path: Path) -> None:
    printer = running(FilmScp())
    colours = np.random.default_rng(1).integers(0, 256, (2, 6, 4, 3)).astype(np.uint8)
    program = printing(house, printer.port, mode("Color"))
    job = house.job(
        made(tmp_path / "rgb", colours).read_bytes(),
        made(tmp_path / "grey", grey(1)[None], SOPInstanceUID="1.2.3.4").read_bytes(),
    )
    assert house.run(program, job) == Done()
    first, second, third = map(pixels, printer.data("N-SET image"))
    assert np.array_equal(first, colours[0])
    assert np.array_equal(second, colours[1])
    assert (third[..., 0] == third[..., 2]).all()


def test_a_hostile_object_reaches_no_printer(house: House, running: Running, tmp_path: Path) -> None:
    """A kilobyte of video that tells two thousand million frames of four thousand million pixels."""
    printer = running(FilmScp())
    path = made(tmp_path / "video", CT[:1], NumberOfFrames=2**31 - 1)
    data = compressed(path, [b"film"], MPEG2MPML)
    outcome = house.run(printing(house, printer.port), house.job(data.read_bytes()))
    assert isinstance(outcome, Held)
    assert "MPEG2" in outcome.why
    assert "send it uncompressed" in outcome.why
    assert printer.seen == []
