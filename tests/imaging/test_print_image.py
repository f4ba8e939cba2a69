"""Pictures laid over pages: their alpha, place and sides; on every kind of page."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from dicomprinter.dicom.page import LossySource, Page
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.edits.print_image import PrintImage
from dicomprinter.imaging.edits.registry import edit_to_json
from dicomprinter.imaging.edits.steps import Step, Steps
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.overlay import open_overlay
from tests.imaging.pictures import pdf, tiff, tiff_page

LOSSY = LossySource("ISO_10918_1", 9.0)
WHITE = Page(np.full((100, 200, 3), 255, np.uint8), 8, (300.0, 150.0), LOSSY)
GREY8 = Page(np.full((100, 200), 255, np.uint8), 8)
GREY12 = Page(np.full((100, 200), 4095, np.uint16), 12)
GREY16 = Page(np.full((100, 200), 65535, np.uint16), 16)
EVERYWHERE = ((1, None),)


def laid(file: Path, **other: Any) -> PrintImage:
    values: dict[str, Any] = {
        "file": str(file), "x": 10.0, "y": 20.0, "width": 20.0, "height": 40.0, "aspect": "ignore", "pages": EVERYWHERE
    }  # fmt: skip
    return PrintImage(**values | other)


def silent(text: str) -> None:
    raise AssertionError(text)


def saved(folder: Path, picture: Image.Image, kind: str = "PNG", **how: Any) -> Path:
    picture.save(folder / "overlay", kind, **how)
    return folder / "overlay"


def half(colour: tuple[int, int, int] = (200, 0, 0), alpha: int = 255) -> Image.Image:
    """Its left half is this colour, its right half transparent: and green, which must not be seen."""
    picture = Image.new("RGBA", (40, 40), (0, 255, 0, 0))
    picture.paste((*colour, alpha), (0, 0, 20, 40))
    return picture


def place(page: Page) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is no longer white."""
    changed = page.pixels != (1 << page.bits_stored) - 1
    rows, columns = np.nonzero(changed if changed.ndim == 2 else changed.any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize(
    ("page", "whole", "through"),
    [
        (WHITE, [200, 0, 0], [233, 155, 155]),
        (GREY8, 60, 178),
        (GREY12, 960, 2866),
        (GREY16, 15369, 45863),
    ],
    ids=["RGB", "grey 8", "grey 12", "grey 16"],
)
def test_alpha_counts_on_every_kind_of_page(page: Page, whole: Any, through: Any, tmp_path: Path) -> None:
    """0.299 of red 200 of 255, in the page's own range; what is transparent leaves the page as it was."""
    for alpha, wanted in ((255, whole), (100, through)):
        done = laid(saved(tmp_path, half(alpha=alpha))).apply(page, 1, silent)
        assert done.pixels.dtype == page.pixels.dtype
        assert done.pixels[40, 25] == pytest.approx(wanted, abs=int(page.pixels.max()) // 255)
        assert place(done) == (20, 20, pytest.approx(40, abs=1), 60)
        assert (done.bits_stored, done.resolution, done.lossy) == (page.bits_stored, page.resolution, page.lossy)


@pytest.mark.parametrize(
    ("aspect", "size", "wanted"),
    [
        ("ignore", (40, 10), (20, 20, 60, 60)),
        ("keep", (40, 10), (20, 35, 60, 45)),
        ("keep", (10, 40), (35, 20, 45, 60)),
        ("keep", (400, 1), (20, 39, 60, 40)),
        ("expand", (40, 10), (20, 20, 60, 60)),
    ],
)
def test_sides(aspect: str, size: tuple[int, int], wanted: tuple[int, int, int, int], tmp_path: Path) -> None:
    file = saved(tmp_path, Image.new("L", size, 0))
    assert place(laid(file, aspect=aspect).apply(WHITE, 1, silent)) == wanted


def test_expand_cuts_what_stands_over_on_both_sides(tmp_path: Path) -> None:
    picture = Image.new("RGB", (120, 40), "red")
    picture.paste("blue", (40, 0, 80, 40))
    done = laid(saved(tmp_path, picture), aspect="expand").apply(WHITE, 1, silent)
    assert np.unique(done.pixels[20:60, 22:58].reshape(-1, 3), axis=0).tolist() == [[0, 0, 255]]


def test_beyond_the_edges_nothing_is_drawn(tmp_path: Path) -> None:
    file = saved(tmp_path, Image.new("L", (8, 8)))
    assert place(laid(file, x=90.0, y=80.0).apply(WHITE, 1, silent)) == (180, 80, 200, 100)


def test_a_page_of_few_pixels_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    page = Page(np.zeros((1, 1), np.uint8), 8)
    assert laid(saved(tmp_path, half()), x=0.0, width=10.0).apply(page, 1, told.append) is page
    assert told == ["nothing of the picture is drawn: its rectangle has no pixel"]


@pytest.mark.parametrize(
    ("pages", "wanted"),
    [
        (((1, 1),), {1}),
        (EVERYWHERE, {1, 2, 3, 4, 5}),
        (((2, 2), (4, None)), {2, 4, 5}),
    ],
)
def test_pages(pages: tuple[tuple[int, int | None], ...], wanted: set[int], tmp_path: Path) -> None:
    edit = laid(saved(tmp_path, half()), pages=pages)
    assert {number for number in range(1, 6) if edit.apply(WHITE, number, silent) is not WHITE} == wanted


def test_a_16_bit_picture_on_a_16_bit_page_keeps_all_of_them(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(0, 65_400, 1_635, np.uint16) + 7, (40, 1))
    for alpha in (False, True):
        samples = np.stack((ramp, np.full_like(ramp, 65535)), axis=-1) if alpha else ramp
        (tmp_path / "overlay").write_bytes(imagecodecs.png_encode(samples))
        done = laid(tmp_path / "overlay").apply(GREY16, 1, silent)
        assert done.pixels[20:60, 20:60].tolist() == ramp.tolist()
    coloured = laid(tmp_path / "overlay").apply(WHITE, 1, silent)
    assert coloured.pixels[30, 59].tolist() == [248, 248, 248]


def bmp_with_alpha(picture: Image.Image) -> bytes:
    """Pillow writes none whose alpha it would read."""
    samples = np.asarray(picture)[::-1, :, [2, 1, 0, 3]]
    masks = b"".join(mask.to_bytes(4, "little") for mask in (0xFF0000, 0xFF00, 0xFF, 0xFF000000))
    size = [value.to_bytes(4, "little") for value in (108, *picture.size)]
    header = b"".join(size) + b"\1\0\x20\0" + (3).to_bytes(4, "little") + bytes(20) + masks
    start = (14 + 108).to_bytes(4, "little")
    return b"BM" + bytes(8) + start + header.ljust(108, b"\0") + samples.tobytes()


def multiplied(picture: Image.Image) -> bytes:
    """A TIFF whose colours have been multiplied by their alpha."""
    samples = np.asarray(picture).astype(int)
    samples[:, :, :3] = samples[:, :, :3] * samples[:, :, 3:] // 255
    raw = samples.astype(np.uint8).tobytes()
    return tiff(tiff_page(*picture.size, 8, raw, photometric=2, samples=4, tag338=1))


def sixteen(picture: Image.Image, *, multiply: bool) -> bytes:
    samples = np.asarray(picture).astype(np.uint32) * 257
    if multiply:
        samples[:, :, :3] = samples[:, :, :3] * samples[:, :, 3:] // 65535
    raw = samples.astype("<u2").tobytes()
    return tiff(tiff_page(*picture.size, 16, raw, photometric=2, samples=4, tag338=1 if multiply else 2))


def encoded(picture: Image.Image, kind: str, **how: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **how)
    return stream.getvalue()


def palette(picture: Image.Image) -> bytes:
    """Its first colour is transparent."""
    small = Image.new("P", picture.size, 0)
    small.putpalette([0, 255, 0, 200, 0, 0])
    small.paste(1, (0, 0, 20, 40))
    return encoded(small, "PNG", transparency=0)


@pytest.mark.parametrize("alpha", [255, 100])
@pytest.mark.parametrize(
    "encode",
    [
        lambda picture: encoded(picture, "PNG"),
        lambda picture: encoded(picture, "TIFF"),
        lambda picture: encoded(picture, "TIFF", compression="tiff_lzw"),
        multiplied,
        lambda picture: sixteen(picture, multiply=False),
        lambda picture: sixteen(picture, multiply=True),
        bmp_with_alpha,
    ],
    ids=["PNG", "TIFF", "LZW", "multiplied", "16 bits", "16 bits multiplied", "BMP"],
)
def test_alpha_of_every_format(encode: Any, alpha: int, tmp_path: Path) -> None:
    (tmp_path / "overlay").write_bytes(encode(half(alpha=alpha)))
    done = laid(tmp_path / "overlay").apply(WHITE, 1, silent)
    assert done.pixels[40, 25].tolist() == pytest.approx([200, 0, 0] if alpha == 255 else [233, 155, 155], abs=2)
    assert done.pixels[40, 55].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (palette(half()), [200, 0, 0]),
        (encoded(half().convert("LA"), "PNG"), [60, 60, 60]),
        (encoded(half().convert("LA"), "TIFF"), [60, 60, 60]),
    ],
    ids=["palette", "grey PNG", "grey TIFF"],
)
def test_other_kinds_of_alpha(data: bytes, colour: list[int], tmp_path: Path) -> None:
    (tmp_path / "overlay").write_bytes(data)
    done = laid(tmp_path / "overlay").apply(WHITE, 1, silent)
    assert done.pixels[40, 25].tolist() == colour
    assert done.pixels[40, 55].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("mode", "kind"), [("RGB", "PNG"), ("L", "PNG"), ("1", "TIFF"), ("CMYK", "JPEG"), ("CMYK", "TIFF"), ("P", "BMP")]
)
def test_what_has_no_alpha_covers_all(mode: str, kind: str, tmp_path: Path) -> None:
    file = saved(tmp_path, Image.new("RGB", (40, 40), "black").convert(mode), kind)
    done = laid(file).apply(WHITE, 1, silent)
    assert place(done) == (20, 20, 60, 60)
    assert done.pixels[20:60, 20:60].max() < 40


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("TIFF", "RGBA"), ("PNG", "L"), ("TIFF", "LA")])
def test_a_picture_is_upright_first(kind: str, mode: str, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (40, 20), (0, 0, 0, 255))
    picture.paste((255, 255, 255, 255), (20, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    file = saved(tmp_path, picture.convert(mode), kind, exif=exif)
    done = laid(file, aspect="keep").apply(WHITE, 1, silent)
    assert place(done) == (30, 20, 50, pytest.approx(40, abs=2))


def test_a_page_may_be_read_only(tmp_path: Path) -> None:
    pixels = WHITE.pixels.copy()
    pixels.flags.writeable = False
    laid(saved(tmp_path, half())).apply(replace(WHITE, pixels=pixels), 1, silent)
    assert (pixels == 255).all()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n rest", "damaged PNG"),
        (encoded(half(), "PNG")[:-20], "damaged PNG"),
        (pdf(), "no picture"),
        (b"a text", "no picture"),
    ],
)
def test_what_is_no_picture(data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "overlay").write_bytes(data)
    with pytest.raises(PermanentError, match=words):
        laid(tmp_path / "overlay").apply(WHITE, 1, silent)


def test_a_picture_that_is_gone(tmp_path: Path) -> None:
    edit = laid(Path("payload/overlay")).below(tmp_path)
    assert edit.file == str(tmp_path / "payload/overlay")
    with pytest.raises(PermanentError, match="cannot be read"):
        edit.apply(WHITE, 1, silent)


def test_a_picture_beyond_the_limits(tmp_path: Path) -> None:
    with pytest.raises((PermanentError, InputError), match="MaximumPixels"):
        open_overlay(saved(tmp_path, half()), Limits(pixels=100))


def test_the_limits_of_a_picture_are_those_of_the_page(tmp_path: Path) -> None:
    """The site's, lower or higher than the usual ones."""
    saved(tmp_path, Image.new("L", (66_000, 1)))
    steps = Steps(tmp_path, (Step(*edit_to_json(laid(Path("overlay"))), 1),))
    with pytest.raises(PermanentError, match="66000 × 1 pixels; a side may have 65535"):
        steps.apply(WHITE, Limits(), silent)
    assert (steps.apply(WHITE, Limits(side=70_000), silent).pixels == 0).any()
