"""Film on DCMTK's dcmprscp: what it stored is what was sent; what it lacks it says, and the job tells."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dicomprinter.imaging.decoder import Decoder
from dicomprinter.program import Program
from dicomprinter.workflow.interpreter import Done, Held
from tests.dicom.forwarding import made
from tests.imaging.windows import linear, shown
from tests.peers.printers import FilmPrinter, colour_printer, dcmprscp
from tests.system.film_help import film, film_box, image_box, layout, mode, session, wide
from tests.system.help import House, grey, perform, png, rgb, tiff
from tests.waiting import wait_until

grey_film = pytest.mark.peer("dcmprscp")
colour_film = pytest.mark.peer("node", "npm")
Running = Callable[[Any], Any]


@pytest.fixture
def house(tmp_path: Path, decoder: Decoder) -> Iterator[House]:
    with House(tmp_path, decoder) as opened:
        yield opened


def printing(house: House, printer: FilmPrinter, inner: str) -> Program:
    return house.program(film(printer.port, inner, ae_title="IHEFULL"), perform("Film"))


def stored(printer: FilmPrinter) -> list[bytes]:
    """The pixels that it stored."""
    return sorted(image.pixel_array.tobytes() for image in printer.images)


def sent(pages: int, *, is_wide: bool) -> list[bytes]:
    """The pixels of so many pages."""
    every = [grey(number) for number in range(1, pages + 1)]
    return sorted((wide(one) if is_wide else one).tobytes() for one in every)


@grey_film
@pytest.mark.parametrize("name", ["Grayscale8", "Grayscale12"])
@pytest.mark.parametrize("films", [[1], [4], [4, 3]])
def test_what_it_stored_is_what_was_sent(house: House, running: Running, name: str, films: list[int]) -> None:
    printer = running(dcmprscp(house.base / "printer"))
    pages = sum(films)
    job = house.job(tiff(pages))
    assert house.run(printing(house, printer, mode(name) + layout("STANDARD\\2,2")), job) == Done()
    is_wide = name == "Grayscale12"
    assert stored(printer) == sent(pages, is_wide=is_wide)
    assert {image.BitsStored for image in printer.images} == {12 if is_wide else 8}
    assert sorted(len(one.ImageBoxContentSequence) for one in printer.films) == sorted(films)
    for one in printer.films:
        places = sorted(box.ImageBoxPosition for box in one.ImageBoxContentSequence)
        assert places == list(range(1, len(places) + 1))


@grey_film
def test_a_large_page(house: House, running: Running) -> None:
    """26 MB in one image box."""
    printer = running(dcmprscp(house.base / "printer"))
    page = np.arange(5100 * 5100, dtype=np.uint32).astype(np.uint8).reshape(5100, 5100)
    stream = io.BytesIO()
    Image.fromarray(page).save(stream, "PNG", compress_level=1)
    assert house.run(printing(house, printer, ""), house.job(stream.getvalue())) == Done()
    assert stored(printer) == [page.tobytes()]


@grey_film
@pytest.mark.parametrize("name", ["Grayscale8", "Grayscale12"])
def test_dicom_images(house: House, running: Running, name: str) -> None:
    """A CT of three frames through its window, and a radiograph whose smallest value is white."""
    printer = running(dcmprscp(house.base / "printer"))
    bits = 12 if name == "Grayscale12" else 8
    ct = np.arange(3 * 32 * 24, dtype=np.int16).reshape(3, 32, 24) - 1100
    said = {"RescaleSlope": "1", "RescaleIntercept": "100", "WindowCenter": "40", "WindowWidth": "1400"}
    first = made(house.base / "ct", ct, **said)
    cr = np.arange(0, 4096, 4, dtype=np.uint16).reshape(1, 32, 32)
    said = {"BitsStored": 12, "HighBit": 11, "PhotometricInterpretation": "MONOCHROME1"}
    second = made(house.base / "cr", cr, SOPInstanceUID="1.2.3.4", WindowCenter="2048", WindowWidth="3001", **said)
    job = house.job(first.read_bytes(), second.read_bytes())
    assert house.run(printing(house, printer, mode(name) + layout("STANDARD\\2,2")), job) == Done(), house.messages(job)
    expected = [shown(frame, linear(40, 1400), bits, intercept=100) for frame in ct]
    expected.append(shown(cr[0], linear(2048, 3001), bits, is_inverted=True))
    assert stored(printer) == sorted(one.tobytes() for one in expected)
    assert {image.BitsStored for image in printer.images} == {bits}


@grey_film
def test_what_the_file_sets_is_what_it_stored(house: House, running: Running) -> None:
    printer = running(dcmprscp(house.base / "printer"))
    inner = (
        session(
            "<NumberOfCopies>2</NumberOfCopies><MediumType>BLUE FILM</MediumType><PrintPriority>HIGH</PrintPriority>"
        )
        + film_box(
            "<FilmSizeId>14INX17IN</FilmSizeId><FilmOrientation>PORTRAIT</FilmOrientation><Trim>YES</Trim>"
            "<BorderDensity>BLACK</BorderDensity><EmptyImageDensity>20</EmptyImageDensity><MaxDensity>310</MaxDensity>"
            "<MagnificationType>CUBIC</MagnificationType><RequestedResolutionId>HIGH</RequestedResolutionId>"
            "<Illumination>1500</Illumination><ReflectedAmbientLight>12</ReflectedAmbientLight>"
        )
        + image_box(
            "<Polarity>REVERSE</Polarity><RequestedImageSize>120</RequestedImageSize>"
            "<RequestedDecimateCropBehavior>DECIMATE</RequestedDecimateCropBehavior>"
        )
    )
    job = house.job(tiff(1))
    assert house.run(printing(house, printer, inner), job) == Done(), house.messages(job)
    (stored,) = printer.films
    (box,) = stored.FilmBoxContentSequence
    given = {
        "FilmSizeID": "14INX17IN",
        "FilmOrientation": "PORTRAIT",
        "Trim": "YES",
        "BorderDensity": "BLACK",
        "EmptyImageDensity": "20",
        "MaxDensity": 310,
        "MagnificationType": "CUBIC",
        "RequestedResolutionID": "HIGH",
        "Illumination": 1500,
        "ReflectedAmbientLight": 12,
    }
    assert {keyword: box[keyword].value for keyword in given} == given
    (image,) = stored.ImageBoxContentSequence
    assert (image.Polarity, image.RequestedImageSize) == ("REVERSE", 120)
    assert stored.PrintManagementCapabilitiesSequence


@grey_film
@pytest.mark.parametrize(
    ("inner", "said"),
    [
        (film_box("<FilmSizeId>A4</FilmSizeId>"), "0106 (invalid attribute value) to the N-CREATE of film 1"),
        (layout("STANDARD\\5,5"), "0106 (invalid attribute value) to the N-CREATE of film 1"),
        (film_box("<MagnificationType>FINE</MagnificationType>"), "MagnificationType=FINE"),
        (session("<MediumType>MAMMO BLUE</MediumType>"), "to the N-CREATE of the film session"),
    ],
)
def test_what_it_does_not_have(house: House, running: Running, inner: str, said: str) -> None:
    printer = running(dcmprscp(house.base / "printer"))
    outcome = house.run(printing(house, printer, inner), house.job(tiff(1)))
    assert isinstance(outcome, Held)
    assert said in outcome.why
    assert printer.images == []
    assert "Association Aborted" not in printer.log.read_text()


@grey_film
@pytest.mark.parametrize("lacks", [{"lut": False}, {"wide": False}, {"implicit": True}], ids=str)
def test_a_printer_that_can_less(house: House, running: Running, lacks: dict[str, bool]) -> None:
    """No Presentation LUT; eight bits alone; implicit VR alone."""
    printer = running(dcmprscp(house.base / "printer", **lacks))
    job = house.job(tiff(2))
    box = "<Illumination>2000</Illumination><ImageDisplayFormat>STANDARD\\2,2</ImageDisplayFormat>"
    assert house.run(printing(house, printer, mode("Grayscale12") + film_box(box)), job) == Done(), house.messages(job)
    is_wide = "wide" not in lacks
    assert ("falls back to 8 bits" in house.messages(job)) != is_wide
    assert stored(printer) == sent(2, is_wide=is_wide)


@colour_film
def test_colour_films(house: House, running: Running) -> None:
    """Plane by plane, pixel for pixel; then everything is deleted and the association released."""
    printer = running(colour_printer(house.base / "printer"))
    job = house.job(*(png(number, colour=True) for number in (1, 2, 3)))
    program = house.program(film(printer.port, mode("Color") + layout("STANDARD\\2,1")), perform("Film"))
    assert house.run(program, job) == Done(), house.messages(job)
    wait_until(lambda: printer.noted[-1:] == [{"released": True}], "the association is released")
    images = [line for line in printer.noted if "pixels" in line]
    assert [line["position"] for line in images] == [1, 2, 1]
    for number, line in enumerate(images, start=1):
        assert (line["planar"], line["interpretation"]) == (1, "RGB")
        planes = np.frombuffer(base64.b64decode(line["pixels"]), np.uint8).reshape(3, line["rows"], line["columns"])
        np.testing.assert_array_equal(np.moveaxis(planes, 0, -1), rgb(number))
    kinds = [next(iter(line)) for line in printer.noted]
    on_a_film = ["position", "position", "printed", "deleted"]
    assert kinds == [*on_a_film, *on_a_film[1:], "deleted", "released"]
