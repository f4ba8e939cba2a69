from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from dicomprinter.dicom.page import LossySource, Page
from dicomprinter.imaging.colour import convert, lay_on_white, to_8_bits
from dicomprinter.imaging.mode import ColourMode


def half_up(number: Fraction) -> int:
    return int((number + Fraction(1, 2)) // 1)


def grey(bits: int) -> Page:
    dtype = np.uint8 if bits == 8 else np.uint16
    return Page(np.arange(1 << bits, dtype=dtype).reshape(-1, 16), bits, (300, 150), LossySource("ISO_10918_1", 3.0))


@pytest.fixture(scope="module")
def rgb() -> Page:
    corners = [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]
    random = np.random.default_rng(1).integers(0, 256, (1995, 3))
    return Page(np.concatenate([corners, random]).astype(np.uint8).reshape(200, 10, 3), 8)


@pytest.mark.parametrize(("mode", "top"), [(ColourMode.MONOCHROME8, 255), (ColourMode.MONOCHROME12, 4095)])
def test_luminance_is_rounded_half_up_in_full_precision(rgb: Page, mode: ColourMode, top: int) -> None:
    expected = [
        half_up(Fraction(299 * int(r) + 587 * int(g) + 114 * int(b), 1000) * top / 255)
        for r, g, b in rgb.pixels.reshape(-1, 3)
    ]
    converted = convert(rgb, mode)
    assert converted.pixels.ravel().tolist() == expected
    assert converted.bits_stored == (8 if top == 255 else 12)


def test_ties_go_up() -> None:
    # 299 * 0 + 587 * 0 + 114 * 250 = 28.5 exactly
    assert convert(Page(np.array([[[0, 0, 250]]], np.uint8), 8), ColourMode.MONOCHROME8).pixels[0, 0] == 29


def test_twelve_bits_from_eight() -> None:
    converted = convert(grey(8), ColourMode.MONOCHROME12)
    assert converted.pixels.ravel().tolist() == [(g << 4) | (g >> 4) for g in range(256)]
    assert converted.pixels.dtype == np.uint16


@pytest.mark.parametrize(
    ("bits", "mode", "top"),
    [
        (16, ColourMode.MONOCHROME8, 255),
        (16, ColourMode.MONOCHROME12, 4095),
        (12, ColourMode.MONOCHROME8, 255),
    ],
)
def test_grey_is_scaled(bits: int, mode: ColourMode, top: int) -> None:
    converted = convert(grey(bits), mode).pixels.ravel()
    full = (1 << bits) - 1
    assert converted.tolist() == [half_up(Fraction(g * top, full)) for g in range(full + 1)]


def test_rgb_repeats_grey() -> None:
    converted = convert(grey(16), ColourMode.RGB)
    assert converted.pixels.shape == (4096, 16, 3)
    assert converted.bits_stored == 8
    assert (converted.pixels == convert(grey(16), ColourMode.MONOCHROME8).pixels[:, :, None]).all()


def test_what_fits_already_stays_and_facts_are_kept(rgb: Page) -> None:
    assert convert(rgb, ColourMode.RGB) is rgb
    assert convert(grey(16), ColourMode.AS_IS).bits_stored == 16
    converted = convert(grey(8), ColourMode.MONOCHROME12)
    assert converted.resolution == (300, 150)
    assert converted.lossy == LossySource("ISO_10918_1", 3.0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_on_white(dtype: type) -> None:
    top = np.iinfo(dtype).max
    random = np.random.default_rng(2).integers(0, top + 1, (130, 7, 4)).astype(dtype)
    random[0] = [*itertools.product((0, top), repeat=4)][:7]
    random[1] = [*itertools.product((0, top), repeat=4)][9:]
    result = lay_on_white(random[:, :, :3], random[:, :, 3])
    for (*colours, alpha), got in zip(random.reshape(-1, 4).tolist(), result.reshape(-1, 3).tolist(), strict=True):
        assert got == [half_up(Fraction(c * alpha + top * (top - alpha), top)) for c in colours]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_that_the_colours_are_multiplied_by(dtype: type) -> None:
    top = np.iinfo(dtype).max
    colours = np.array([[[0, 10, 200], [5, 0, 9], [top, 0, 1]]], dtype)
    alpha = np.array([[200, 0, top]], dtype)
    rest = top - 200
    expected = [[rest, rest + 10, rest + 200], [top, top, top], [top, 0, 1]]
    assert lay_on_white(colours, alpha, multiplied=True).tolist() == [expected]


def test_sixteen_bits_to_eight() -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert to_8_bits(every).ravel().tolist() == [half_up(Fraction(v * 255, 65535)) for v in range(65536)]
