"""Print against a printer of the tests' own: what is on the wire, in which order, and what a bad printer does."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.imaging.decoder import Decoder
from dicomprinter.workflow.interpreter import Done, Held
from tests.film_scp import COLOUR, GRAYSCALE, LUT, FilmScp
from tests.system.film_help import (
    film_box,
    image,
    image_box,
    layout,
    mode,
    pixels,
    printing,
    session,
)
from tests.system.help import House, grey, png, rgb, tiff

Running = Callable[[Any], Any]
ONE_FILM = [
    "N-GET printer",
    "N-CREATE session",
    "N-CREATE lut",
    "N-CREATE film",
    "N-SET image",
    "N-ACTION film",
    "N-DELETE film",
    "N-DELETE session",
]


@pytest.fixture
def house(tmp_path: Path, decoder: Decoder) -> Iterator[House]:
    with House(tmp_path, decoder) as opened:
        yield opened


def test_one_film(house: House, running: Running) -> None:
    printer = running(FilmScp())
    job = house.job(png(1))
    assert house.run(printing(house, printer.port), job) == Done()
    assert printer.whats == ONE_FILM
    contexts = {seen.what: seen.context for seen in printer.seen}
    assert contexts.pop("N-CREATE lut") == LUT
    assert set(contexts.values()) == {GRAYSCALE}
    (box,) = printer.data("N-SET image")
    assert box.ImageBoxPosition == 1
    np.testing.assert_array_equal(pixels(box), grey(1))
    assert printer.ended() == (1, 0)
    assert f"film 1 of 1 printed by PRINTER@127.0.0.1:{printer.port}: STANDARD\\1,1, 1 of 1 images" in house.messages(
        job
    )
    assert "done" in house.messages(job).splitlines()


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Grayscale8", {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PhotometricInterpretation": "MONOCHROME2"}),
        ("Grayscale12", {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "SamplesPerPixel": 1}),
        (
            "Color",
            {"BitsAllocated": 8, "SamplesPerPixel": 3, "PlanarConfiguration": 1, "BitsStored": 8},
        ),
    ],
)
def test_the_modes(house: House, running: Running, syntax: str, name: str, wanted: dict[str, object]) -> None:
    """An odd number of pixels in colour too: the value is padded."""
    printer = running(FilmScp(syntaxes=[syntax]))
    assert house.run(printing(house, printer.port, mode(name)), house.job(png(1, colour=True))) == Done()
    (box,) = printer.data("N-SET image")
    one = image(box)
    assert {keyword: one[keyword].value for keyword in wanted} == wanted
    assert (one.Rows, one.Columns, one.PixelRepresentation) == (8, 12, 0)
    assert ("PlanarConfiguration" in one) == (name == "Color")
    expected = rgb(1)
    if name != "Color":
        luminance = expected.astype(np.uint32) @ [299, 587, 114]
        expected = (luminance + 500) // 1000 if name == "Grayscale8" else (luminance * 273 + 8500) // 17000
    np.testing.assert_array_equal(pixels(box), expected)
    assert ("N-CREATE lut" in printer.whats) == (name != "Color")
    assert {seen.context for seen in printer.seen} - {LUT} == {COLOUR if name == "Color" else GRAYSCALE}


ALWAYS = {
    "N-CREATE session": {"NumberOfCopies": 1, "FilmSessionLabel": "DICOM PRINTER PRINT SESSION"},
    "N-CREATE film": {"ImageDisplayFormat": "STANDARD\\1,1", "FilmOrientation": "LANDSCAPE"},
    "N-SET image": {"ImageBoxPosition": 1, "Polarity": "NORMAL"},
}
REFERENCES = {"ReferencedFilmSessionSequence", "ReferencedPresentationLUTSequence", "BasicGrayscaleImageSequence"}
PARTS = {"N-CREATE session": session, "N-CREATE film": film_box, "N-SET image": image_box}
# Request -> element, its text, the attribute's keyword and value.
ATTRIBUTES: dict[str, list[tuple[str, str, str, object]]] = {
    "N-CREATE session": [
        ("NumberOfCopies", "3", "NumberOfCopies", 3),
        ("PrintPriority", "HIGH", "PrintPriority", "HIGH"),
        ("MediumType", "BLUE FILM", "MediumType", "BLUE FILM"),
        ("FilmDestination", "BIN_1", "FilmDestination", "BIN_1"),
        ("FilmSessionLabel", "of #{Job.Name}", "FilmSessionLabel", "of page"),
        ("MemoryAllocation", "512", "MemoryAllocation", 512),
        ("OwnerId", "ward", "OwnerID", "ward"),
    ],
    "N-CREATE film": [
        ("ImageDisplayFormat", "ROW\\2,1", "ImageDisplayFormat", "ROW\\2,1"),
        ("FilmOrientation", "PORTRAIT", "FilmOrientation", "PORTRAIT"),
        ("FilmSizeId", "14INX17IN", "FilmSizeID", "14INX17IN"),
        ("MagnificationType", "CUBIC", "MagnificationType", "CUBIC"),
        ("SmoothingType", "NONE", "SmoothingType", "NONE"),
        ("Trim", "YES", "Trim", "YES"),
        ("BorderDensity", "BLACK", "BorderDensity", "BLACK"),
        ("EmptyImageDensity", "20", "EmptyImageDensity", "20"),
        ("MinDensity", "20", "MinDensity", 20),
        ("MaxDensity", "310", "MaxDensity", 310),
        ("ConfigurationInformation", "LUT=\\1", "ConfigurationInformation", "LUT=\\1"),
        ("RequestedResolutionId", "HIGH", "RequestedResolutionID", "HIGH"),
        ("Illumination", "2000", "Illumination", 2000),
        ("ReflectedAmbientLight", "10", "ReflectedAmbientLight", 10),
        ("AnnotationDisplayFormatId", "A1", "AnnotationDisplayFormatID", "A1"),
    ],
    "N-SET image": [
        ("Polarity", "REVERSE", "Polarity", "REVERSE"),
        ("MagnificationType", "NONE", "MagnificationType", "NONE"),
        ("SmoothingType", "S", "SmoothingType", "S"),
        ("BorderDensity", "150", "BorderDensity", "150"),
        ("RequestedImageSize", "210.5", "RequestedImageSize", 210.5),
        ("RequestedDecimateCropBehavior", "CROP", "RequestedDecimateCropBehavior", "CROP"),
        ("MinDensity", "1", "MinDensity", 1),
        ("MaxDensity", "2", "MaxDensity", 2),
        ("ConfigurationInformation", "c", "ConfigurationInformation", "c"),
    ],
}


def told(printer: FilmScp) -> dict[str, dict[str, object]]:
    """The attributes of each kind of request, without references and images."""
    return {
        what: {element.keyword: element.value for element in printer.data(what)[0] if element.keyword not in REFERENCES}
        for what in ALWAYS
    }


def test_nothing_is_sent_that_the_file_does_not_set(house: House, running: Running) -> None:
    printer = running(FilmScp())
    assert house.run(printing(house, printer.port), house.job(png())) == Done()
    assert told(printer) == ALWAYS


@pytest.mark.parametrize(
    ("what", "row"),
    [(what, row) for what, rows in ATTRIBUTES.items() for row in rows],
    ids=lambda value: str(value)[:40],
)
def test_an_attribute_is_sent_when_the_file_sets_it(
    house: House, running: Running, what: str, row: tuple[str, str, str, object]
) -> None:
    element, text, keyword, value = row
    printer = running(FilmScp())
    program = printing(house, printer.port, PARTS[what](f"<{element}>{text}</{element}>"))
    assert house.run(program, house.job(png())) == Done()
    assert told(printer) == {**ALWAYS, what: {**ALWAYS[what], keyword: value}}


def test_what_a_printer_in_colour_does_not_get(house: House, running: Running) -> None:
    """Densities and a configuration of images, and what goes with a Presentation LUT."""
    printer = running(FilmScp())
    box = image_box(
        "<MinDensity>1</MinDensity><MaxDensity>2</MaxDensity><ConfigurationInformation>c</ConfigurationInformation>"
    )
    light = film_box("<Illumination>2000</Illumination>")
    assert house.run(printing(house, printer.port, mode("Color") + box + light), house.job(png())) == Done()
    (sent,) = printer.data("N-SET image")
    assert {element.keyword for element in sent} == {"ImageBoxPosition", "Polarity", "BasicColorImageSequence"}
    assert "Illumination" not in printer.data("N-CREATE film")[0]


def test_what_needs_a_context_goes_only_to_printers_that_accept_it(house: House, running: Running) -> None:
    printer = running(FilmScp(classes=[GRAYSCALE]))
    inner = film_box(
        "<Illumination>2000</Illumination><ReflectedAmbientLight>10</ReflectedAmbientLight>"
        "<AnnotationDisplayFormatId>A1</AnnotationDisplayFormatId>"
    )
    assert house.run(printing(house, printer.port, inner), house.job(png())) == Done()
    assert told(printer) == ALWAYS
    assert printer.whats == [what for what in ONE_FILM if what != "N-CREATE lut"]


def test_a_presentation_lut_and_annotations(house: House, running: Running) -> None:
    printer = running(FilmScp())
    inner = film_box("<AnnotationDisplayFormatId>A1</AnnotationDisplayFormatId>") + session(
        "<FilmSessionLabel>ward 7</FilmSessionLabel>"
    )
    assert house.run(printing(house, printer.port, inner), house.job(png())) == Done()
    (lut,) = printer.data("N-CREATE lut")
    assert [(element.keyword, element.value) for element in lut] == [("PresentationLUTShape", "IDENTITY")]
    (box,) = printer.data("N-CREATE film")
    assert box.ReferencedPresentationLUTSequence[0].ReferencedSOPClassUID == LUT
    texts = printer.data("N-SET annotation")
    assert [(text.AnnotationPosition, text.TextString) for text in texts] == [(1, "ward 7"), (2, "ward 7")]


@pytest.mark.parametrize(
    ("format_", "pages", "films"),
    [
        ("STANDARD\\2,2", 1, [1]),
        ("STANDARD\\2,2", 4, [4]),
        ("STANDARD\\2,2", 7, [4, 3]),
        ("ROW\\2,1", 4, [3, 1]),
        ("COL\\1,1", 3, [2, 1]),
        ("SLIDE", 2, [1, 1]),
    ],
)
def test_many_pages_fill_films_in_their_order(
    house: House, running: Running, format_: str, pages: int, films: list[int]
) -> None:
    printer = running(FilmScp())
    assert house.run(printing(house, printer.port, layout(format_)), house.job(tiff(pages))) == Done()
    sent = printer.data("N-SET image")
    for number, box in enumerate(sent, start=1):
        np.testing.assert_array_equal(pixels(box), grey(number))
    places = [box.ImageBoxPosition for box in sent]
    assert places == [place for count in films for place in range(1, count + 1)]
    expected = [["N-CREATE film", *["N-SET image"] * count, "N-ACTION film", "N-DELETE film"] for count in films]
    assert printer.whats[3:-1] == [what for one in expected for what in one]


def test_the_printer_says_how_many_images_a_film_has(house: House, running: Running) -> None:
    printer = running(FilmScp(boxes=3))
    assert house.run(printing(house, printer.port, layout("CUSTOM\\1")), house.job(tiff(4))) == Done()
    assert [box.ImageBoxPosition for box in printer.data("N-SET image")] == [1, 2, 3, 1]


def test_what_follows_names_the_session_and_the_film(house: House, running: Running) -> None:
    """The UIDs are ours, of the job and the moment; a printer may answer others."""
    printer = running(FilmScp())
    assert house.run(printing(house, printer.port), house.job(png())) == Done()
    by_what = {seen.what: seen for seen in printer.seen}
    (reference,) = by_what["N-CREATE film"].data.ReferencedFilmSessionSequence
    instances = {what: seen.sop_instance for what, seen in by_what.items()}
    assert reference.ReferencedSOPInstanceUID == instances["N-DELETE session"] == instances["N-CREATE session"]
    assert instances["N-ACTION film"] == instances["N-DELETE film"] == instances["N-CREATE film"]
    assert len({instances["N-CREATE lut"], instances["N-SET image"], *instances.values()}) == 5


@pytest.mark.parametrize(
    ("shape", "orientation"), [((12, 8), "LANDSCAPE"), ((8, 12), "PORTRAIT"), ((8, 8), "PORTRAIT")]
)
def test_auto_is_the_shape_of_the_page(
    house: House, running: Running, shape: tuple[int, int], orientation: str
) -> None:
    stream = io.BytesIO()
    Image.new("L", shape).save(stream, "PNG")
    printer = running(FilmScp())
    assert house.run(printing(house, printer.port), house.job(stream.getvalue())) == Done()
    assert printer.data("N-CREATE film")[0].FilmOrientation == orientation


@pytest.mark.parametrize(
    ("box", "size"),
    [
        # A landscape film of 10 by 8 inches, at 10 pixels an inch; the page is 12 by 8.
        ("<FilmSizeId>8INX10IN</FilmSizeId>", (100, 67)),
        ("<FilmSizeId>8INX10IN</FilmSizeId><ImageDisplayFormat>STANDARD\\2,2</ImageDisplayFormat>", (50, 33)),
        ("<FilmSizeId>8INX10IN</FilmSizeId><FilmOrientation>PORTRAIT</FilmOrientation>", (80, 53)),
        # Nobody knows how large.
        ("", (12, 8)),
        ("<FilmSizeId>8INX10IN</FilmSizeId><ImageDisplayFormat>SLIDE</ImageDisplayFormat>", (12, 8)),
    ],
)
def test_resolution_scales_pages_to_the_film(house: House, running: Running, box: str, size: tuple[int, int]) -> None:
    printer = running(FilmScp())
    job = house.job(png())
    inner = "<Resolution>10x10</Resolution>" + film_box(box)
    assert house.run(printing(house, printer.port, inner), job) == Done()
    (sent,) = printer.data("N-SET image")
    assert (image(sent).Columns, image(sent).Rows) == size
    assert ("pages are not scaled" in house.messages(job)) == (size == (12, 8))


def test_the_pages_of_a_pdf(house: House, running: Running) -> None:
    """Rendered as large as the film wants them; 300 dpi where nothing is said."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(72, 144))
    canvas.drawString(5, 70, "a page")
    canvas.save()
    for inner, size in (
        ("", (300, 600)),
        ("<Resolution>40x40</Resolution>" + film_box("<FilmSizeId>8INX10IN</FilmSizeId>"), (200, 400)),
        ("<Resolution>40x20</Resolution>" + film_box("<FilmSizeId>8INX10IN</FilmSizeId>"), (200, 200)),
    ):
        printer = running(FilmScp())
        assert house.run(printing(house, printer.port, inner), house.job(stream.getvalue())) == Done()
        (sent,) = printer.data("N-SET image")
        assert (image(sent).Columns, image(sent).Rows) == size
        aspect = image(sent).get("PixelAspectRatio")
        assert aspect == ([2, 1] if size == (200, 200) else None) or list(aspect or ()) == [40, 20]


def test_a_film_larger_than_the_limits(house: House, running: Running) -> None:
    printer = running(FilmScp())
    inner = "<Resolution>9000x9000</Resolution>" + film_box("<FilmSizeId>14INX17IN</FilmSizeId>")
    outcome = house.run(printing(house, printer.port, inner), house.job(png()))
    assert isinstance(outcome, Held)
    assert "lower Resolution" in outcome.why
    assert printer.whats[-1] == "N-DELETE session"
