"""How large films and the images on them are, and which pixels a page gets there."""

from __future__ import annotations

import numpy as np
import pytest

from dicomprinter.actions.print.geometry import Size, film_size, fitted, image_size
from dicomprinter.actions.print.pixels import scaled
from dicomprinter.dicom.page import Page

MM = 1 / 25.4


@pytest.mark.parametrize(
    ("size_id", "orientation", "size"),
    [
        ("14INX17IN", "PORTRAIT", (14, 17)),
        ("14INX17IN", "LANDSCAPE", (17, 14)),
        ("8_5INX11IN", "PORTRAIT", (8.5, 11)),
        ("24CMX30CM", "PORTRAIT", (240 * MM, 300 * MM)),
        ("300MMX240MM", "PORTRAIT", (240 * MM, 300 * MM)),
        ("A4", "LANDSCAPE", (297 * MM, 210 * MM)),
        ("0INX10IN", "PORTRAIT", None),
        ("LARGE", "PORTRAIT", None),
        (None, "PORTRAIT", None),
    ],
)
def test_the_size_of_a_film(size_id: str | None, orientation: str, size: Size | None) -> None:
    assert film_size(size_id, orientation) == (None if size is None else pytest.approx(size))


@pytest.mark.parametrize(
    ("layout", "sizes"),
    [
        ("STANDARD\\2,3", [(6, 4)] * 6),
        ("ROW\\2,1,3", [(6, 4), (6, 4), (12, 4), (4, 4), (4, 4), (4, 4), None]),
        ("COL\\1,4", [(6, 12), (6, 3), (6, 3), (6, 3), (6, 3), None]),
        ("SLIDE", [None]),
        ("CUSTOM\\2", [None]),
    ],
)
def test_the_sizes_of_its_images(layout: str, sizes: list[Size | None]) -> None:
    assert [image_size(layout, position, (12, 12)) for position in range(1, len(sizes) + 1)] == sizes


@pytest.mark.parametrize(
    ("shape", "dpi", "resolution", "pixels"),
    [
        ((100, 200), None, (10, 10), (50, 25)),
        ((200, 100), None, (10, 10), (20, 40)),
        # The pixels of a fax are twice as high as wide.
        ((100, 200), (200.0, 100.0), (10, 10), (40, 40)),
        # And so may be those of a printer.
        ((100, 100), None, (20, 10), (80, 40)),
        ((1, 5000), None, (10, 10), (50, 1)),
    ],
)
def test_a_page_keeps_its_proportions(
    shape: tuple[int, int], dpi: tuple[float, float] | None, resolution: tuple[int, int], pixels: tuple[int, int]
) -> None:
    page = Page(np.zeros(shape, np.uint8), 8, dpi)
    assert fitted(page, (5, 4), resolution) == pixels


@pytest.mark.parametrize(("bits", "value"), [(8, 200), (12, 4095), (12, 1234)])
def test_scaling_keeps_depth_and_value(bits: int, value: int) -> None:
    page = Page(np.full((9, 13), value, np.uint8 if bits == 8 else np.uint16), bits)
    for columns, rows in ((26, 18), (5, 3), (13, 9)):
        larger = scaled(page, columns, rows)
        assert larger.pixels.shape == (rows, columns)
        assert larger.pixels.dtype == page.pixels.dtype
        assert set(np.unique(larger.pixels)) == {value}


def test_an_edge_stays_within_its_bits() -> None:
    """The filter overshoots."""
    page = Page(np.tile(np.array([0, 0, 0, 4095, 4095, 4095], np.uint16), (6, 1)), 12)
    assert scaled(page, 40, 40).pixels.max() == 4095


def test_colour_is_scaled_in_each_sample() -> None:
    page = Page(np.full((4, 4, 3), (10, 20, 30), np.uint8), 8)
    assert np.unique(scaled(page, 9, 7).pixels.reshape(-1, 3), axis=0).tolist() == [[10, 20, 30]]
