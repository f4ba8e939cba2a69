from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.dicom.page import Form
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.picture import Picture
from tests.imaging.pictures import pdf, tiff, tiff_page
from tests.imaging.test_open import PICTURES

NOISE = np.random.default_rng(8).integers(0, 256, (35, 53, 3), dtype=np.uint8)
SAVED = [
    *((kind, mode) for kind in ("TIFF", "PNG") for mode in ("1", "L", "P", "RGB", "RGBA", "LA")),
    *(("TIFF", mode) for mode in ("CMYK", "YCbCr")),
    *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
    *(("BMP", mode) for mode in ("1", "L", "P", "RGB", "RGBA")),
]


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as opened:
        yield opened


def assert_alike(decoder: Decoder, path: Path, index: int = 0, dpi: float = 300) -> None:
    for mode in ColourMode:
        page = decoder.page(path, index, mode, dpi=dpi)
        assert decoder.form(path, index, mode, dpi=dpi) == page.form
        assert page.form.frame_bytes == page.pixels.nbytes


@pytest.mark.parametrize("name", PICTURES)
def test_of_pictures_made_by_hand(decoder: Decoder, name: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(PICTURES[name][0])
    assert_alike(decoder, tmp_path / "x")


@pytest.mark.parametrize(("kind", "mode"), SAVED)
def test_of_every_kind_of_picture(decoder: Decoder, kind: str, mode: str, tmp_path: Path) -> None:
    Image.fromarray(NOISE).convert(mode).save(tmp_path / "x", kind)
    assert_alike(decoder, tmp_path / "x")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "L"), ("TIFF", "RGB"), ("TIFF", "P")])
def test_of_turned_pictures(decoder: Decoder, kind: str, mode: str, orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(NOISE).convert(mode).save(tmp_path / "x", kind, exif=exif)
    form = decoder.form(tmp_path / "x", 0)
    assert (form.rows, form.columns) == ((35, 53) if orientation < 5 else (53, 35))
    assert_alike(decoder, tmp_path / "x")


def test_of_the_pages_of_a_tiff(decoder: Decoder, tmp_path: Path) -> None:
    pages = (tiff_page(2, 1, 16, bytes(4)), tiff_page(3, 1, 8, bytes(3)), tiff_page(1, 1, 1, b"\0"))
    (tmp_path / "x").write_bytes(tiff(*pages))
    assert [decoder.form(tmp_path / "x", index) for index in range(3)] == [
        Form(1, 2, 1, 16),
        Form(1, 3, 1, 8),
        Form(1, 1, 1, 8),
    ]
    for index in range(3):
        assert_alike(decoder, tmp_path / "x", index)
    with pytest.raises(PermanentError, match="no page 4"):
        decoder.form(tmp_path / "x", 3)


@pytest.mark.parametrize("dpi", [72, 96, 150, 300, 203.2])
def test_of_pdf_pages_is_told_without_rendering(decoder: Decoder, dpi: float, tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "x"))
    sizes = [(595.276, 841.89), (612, 792), (841.89, 595.276), (10.3, 0.4), (144.5, 72.24)]
    for size in sizes:
        canvas.setPageSize(size)
        canvas.showPage()
    canvas.save()
    for index in range(len(sizes)):
        assert_alike(decoder, tmp_path / "x", index, dpi)


def test_a_4_at_300_dots_per_inch_has_2480_columns(decoder: Decoder, tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "x"), pagesize=(595.276, 841.89))
    canvas.rect(-1, -1, 597, 843, fill=1, stroke=0)
    canvas.showPage()
    canvas.save()
    assert decoder.form(tmp_path / "x", 0) == Form(3508, 2480, 3, 8)
    assert decoder.form(tmp_path / "x", 0, ColourMode.MONOCHROME12) == Form(3508, 2480, 1, 12)
    page = decoder.page(tmp_path / "x", 0)
    assert page.form == Form(3508, 2480, 3, 8)
    assert not page.pixels.any()  # no blank line at the edges


def test_a_turned_pdf_page_is_upright(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pdf(1, "/Rotate 90"))
    assert decoder.form(tmp_path / "x", 0) == Form(300, 600, 3, 8)
    assert_alike(decoder, tmp_path / "x")


def test_refusals_are_those_of_the_page(decoder: Decoder, tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "x"), pagesize=(100_000, 100_000))
    canvas.showPage()
    canvas.save()
    (tmp_path / "text").write_bytes(b"text")
    for path, index in ((tmp_path / "x", 0), (tmp_path / "x", 1), (tmp_path / "text", 0), (tmp_path / "none", 0)):
        with pytest.raises(PermanentError) as there:
            decoder.form(path, index)
        with pytest.raises(PermanentError) as expected:
            decoder.page(path, index)
        assert str(there.value) == str(expected.value)


def test_pixels_other_than_the_headers_told_are_refused() -> None:
    picture = Picture(3, 2, False, 8, lambda: np.zeros((3, 2), np.uint8))
    with pytest.raises(ValueError, match="form"):
        picture.page()
    assert Picture(2, 3, False, 8, picture.decode).page().form == Form(3, 2, 1, 8)


def test_limits_hold(tmp_path: Path) -> None:
    Image.fromarray(NOISE).save(tmp_path / "x", "PNG")
    with Decoder(Limits(pixels=1000)) as small, pytest.raises(PermanentError, match="too large"):
        small.form(tmp_path / "x", 0)
