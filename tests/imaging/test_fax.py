"""Faxes and other bi-level pages as TIFF."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dicomprinter.imaging.open import open_page
from dicomprinter.imaging.probe import probe
from tests.imaging.fax import group_3, group_4, modified_huffman, reversed_bits
from tests.imaging.pictures import tiff, tiff_page

WIDTH = 1728


def fax_page() -> np.ndarray:
    """1 for black: text-like spots, ruled lines, empty rows, rows that begin black, every length of run."""
    random = np.random.default_rng(11)
    rows = np.kron(random.random((30, 216)) < 0.2, np.ones((3, 8))).astype(np.uint8)
    rows[10:14] = 0
    rows[20] = 1
    rows[30:60, :5] = 1
    rows[70, : WIDTH // 2] = 1
    rows[71:75] = random.integers(0, 2, (4, WIDTH))
    ladder = np.repeat(np.arange(58) % 2, np.arange(58)).astype(np.uint8)
    rows[80, : len(ladder)] = ladder
    shifted = np.roll(rows[40], 2)
    rows[41] = shifted
    return rows


PAGE = fax_page()
CODERS: dict[str, tuple[int, int, Callable[[np.ndarray], bytes]]] = {
    "modified huffman": (2, 0, modified_huffman),
    "group 3, one dimension": (3, 0, group_3),
    "group 3, two dimensions": (3, 1, lambda rows: group_3(rows, two_dimensions=True)),
    "group 3, aligned": (3, 4, lambda rows: group_3(rows, aligned=True)),
    "group 4": (4, 0, group_4),
    "none": (1, 0, lambda rows: np.packbits(rows, axis=1).tobytes()),
}


def fax(
    coder: str, rows: np.ndarray, *, white_is_zero: bool = True, fill_order: int = 1, resolution: tuple[int, int]
) -> bytes:
    compression, options, code = CODERS[coder]
    strip = code(rows if white_is_zero else 1 - rows)
    if fill_order == 2:
        strip = reversed_bits(strip)
    tags, strip = tiff_page(rows.shape[1], len(rows), 1, strip, photometric=0 if white_is_zero else 1)
    tags |= {259: (compression,), 266: (fill_order,), 296: (2,)}
    tags |= {282: (Fraction(resolution[0]),), 283: (Fraction(resolution[1]),)}
    if compression == 3:
        tags |= {292: (options,)}
    return tiff((tags, strip))


@pytest.mark.parametrize("coder", CODERS)
@pytest.mark.parametrize("fill_order", [1, 2])
@pytest.mark.parametrize("white_is_zero", [True, False])
def test_faxes(coder: str, fill_order: int, white_is_zero: bool, tmp_path: Path) -> None:
    data = fax(coder, PAGE, white_is_zero=white_is_zero, fill_order=fill_order, resolution=(204, 98))
    (tmp_path / "x").write_bytes(data)
    assert probe(tmp_path / "x").size == ((WIDTH, 90),)
    page = open_page(tmp_path / "x", 0)
    assert page.bits_stored == 8
    assert (page.pixels == 255 * (1 - PAGE)).all()
    assert page.lossy is None


@pytest.mark.parametrize("width", [1, 7, 8, 9, 1727, 2432])
def test_any_width(width: int, tmp_path: Path) -> None:
    rows = np.resize(PAGE, (20, width))
    for coder in CODERS:
        (tmp_path / "x").write_bytes(fax(coder, rows, resolution=(204, 196)))
        assert (open_page(tmp_path / "x", 0).pixels == 255 * (1 - rows)).all(), coder


@pytest.mark.parametrize("resolution", [(204, 98), (204, 196), (408, 391), (300, 300)])
def test_pixels_of_a_fax_keep_their_shape(resolution: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(fax("group 4", PAGE, resolution=resolution))
    page = open_page(tmp_path / "x", 0)
    assert page.resolution == resolution
    assert page.pixels.shape == PAGE.shape


def test_a_fax_that_lies_on_its_side(tmp_path: Path) -> None:
    tags, strip = tiff_page(WIDTH, 90, 1, group_4(PAGE), photometric=0, tag274=6)
    tags |= {259: (4,), 282: (Fraction(80),), 283: (Fraction(38),), 296: (3,)}  # to the centimetre
    (tmp_path / "x").write_bytes(tiff((tags, strip)))
    page = open_page(tmp_path / "x", 0)
    assert (page.pixels == np.rot90(255 * (1 - PAGE), -1)).all()
    assert page.resolution == pytest.approx((38 * 2.54, 80 * 2.54))


def test_grey_of_few_bits(tmp_path: Path) -> None:
    for bits, strip, expected in ((2, b"\x1b", [0, 85, 170, 255]), (4, b"\x01\xef", [0, 17, 238, 255])):
        for photometric in (1, 0):
            (tmp_path / "x").write_bytes(tiff(tiff_page(4, 1, bits, strip, photometric=photometric)))
            values = expected if photometric else [255 - value for value in expected]
            assert open_page(tmp_path / "x", 0).pixels.tolist() == [values]


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_black_and_white_of_other_formats(kind: str, tmp_path: Path) -> None:
    Image.fromarray(255 * (1 - PAGE)).convert("1").save(tmp_path / "x", kind)
    assert (open_page(tmp_path / "x", 0).pixels == 255 * (1 - PAGE)).all()
