"""Which way up pages are: text in every position, what it is sure of, and what stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from dicomprinter.imaging.orientation.analysis import analyse
from dicomprinter.imaging.orientation.finding import Finding, Gates
from tests.imaging.texts import GERMAN, NUMBERS, Grey, text_page, turned

TURNS = (0, 90, 180, 270)
GATES = Gates()
NOISE = np.random.default_rng(7)
PAGE = text_page()


def ends(page: Grey, gates: Gates = GATES) -> list[int]:
    """How the page stands in the end, when it came in each position; 0 is upright."""
    return [(turn + analyse(turned(page, turn), gates).turn(gates)) % 360 for turn in TURNS]


def image(page: Grey) -> Image.Image:
    return Image.fromarray(page)


TEXTS = {
    "Times": PAGE,
    "Helvetica, large": text_page(font="Helvetica", size=16),
    "Courier, small": text_page(font="Courier", size=7),
    "bold italic": text_page(font="Times-BoldItalic"),
    "German": text_page(GERMAN),
    "white on black": 255 - PAGE,
    "one bit": np.where(PAGE > 128, np.uint8(255), np.uint8(0)),
    "faint": (255 - (255 - PAGE) // 5).astype(np.uint8),
    "blurred": np.asarray(image(PAGE).filter(ImageFilter.GaussianBlur(1))),
    "a scan's noise": np.clip(PAGE * 0.7 + 60 + NOISE.normal(0, 12, PAGE.shape), 0, 255).astype(np.uint8),
    "a shadow": (PAGE * np.linspace(0.4, 1, PAGE.shape[1])).astype(np.uint8),
    "skewed": np.asarray(image(PAGE).rotate(2, Image.Resampling.BICUBIC, fillcolor=255)),
    "300 dpi": text_page(dpi=300),
    "A6": text_page(lines=20)[:880, :620],
}


@pytest.mark.parametrize("page", TEXTS.values(), ids=TEXTS)
def test_text_ends_upright_from_every_side(page: Grey) -> None:
    assert ends(page) == [0, 0, 0, 0]


def test_few_lines_are_turned_by_a_quarter_but_not_by_a_half() -> None:
    page = text_page(lines=4)
    assert ends(page) == [0, 0, 180, 0]
    assert ends(page, Gates(lines_180=2)) == [0, 0, 0, 0]


def test_numbers_alone_do_not_say_which_end_is_up() -> None:
    assert ends(text_page(NUMBERS, font="Helvetica")) == [0, 90, 180, 270]


def test_capitals_are_turned_only_as_far_as_their_stops_say() -> None:
    for turn, end in zip(TURNS, ends(text_page(GERMAN.upper(), font="Helvetica")), strict=True):
        assert end in (0, turn)


def test_shares_stay_shares_where_points_stand_beside_letters() -> None:
    # More than one small mark for each letter.
    row = np.full((40, 400), 255, np.uint8)
    for left in range(4, 390, 12):
        row[14:26, left : left + 3] = 0
        for point in (5, 9):
            row[23:26, left + point - 1 : left + point + 1] = 0
    found = analyse(np.tile(row, (10, 1)), GATES)
    assert 0.9 < found.across <= 1
    assert 0 <= found.axis <= 1


def _bricks() -> Grey:
    rows, columns = np.mgrid[:1500, :1100]
    seams = (rows % 40 < 4) | ((columns + rows // 40 % 2 * 40) % 80 < 4)
    return np.where(seams, 60, 200).astype(np.uint8)


def _clouds() -> Grey:
    layers = np.zeros((600, 450))
    for size in (2, 4, 8, 16, 32, 64):
        coarse = NOISE.integers(0, 256, (600 // size, 450 // size)).astype(np.uint8)
        layers += np.asarray(image(coarse).resize((450, 600), Image.Resampling.BICUBIC), np.float64) * size
    return (layers * (255 / layers.max())).astype(np.uint8)


STAY = {
    "blank": np.full((1500, 1100), 255, np.uint8),
    "blank, scanned": np.clip(NOISE.normal(245, 4, (1500, 1100)), 0, 255).astype(np.uint8),
    "black": np.zeros((1500, 1100), np.uint8),
    "a photograph's texture": _clouds(),
    "noise": NOISE.integers(0, 256, (500, 400)).astype(np.uint8),
    "bricks": _bricks(),
    "stripes": np.tile(np.repeat(np.uint8([0, 255]), 3), (1200, 150)),
    "a raster of dots": np.tile(np.where(np.arange(36).reshape(6, 6) % 6 < 3, 0, 255).astype(np.uint8), (200, 150)),
    "one pixel": np.zeros((1, 1), np.uint8),
    "one line": NOISE.integers(0, 256, (1, 5000)).astype(np.uint8),
}


@pytest.mark.parametrize("page", STAY.values(), ids=STAY)
def test_what_has_no_text_stays(page: Grey) -> None:
    assert ends(page) == [0, 90, 180, 270]


def test_the_margin_counts_as_it_is_weighed() -> None:
    # A page whose text lies on its side, all of it within the margin but for a few upright lines in the middle.
    page = np.full((1600, 1600), 255, np.uint8)
    side = turned(text_page(lines=14), 90)
    page[100:1340, 0 : side.shape[1] - 240] = side[:1240, 240:]
    weights = [analyse(page, Gates(margin_percent=49, margin_weight=weight)).axis for weight in (1.0, 0.0)]
    assert weights[0] > weights[1]


def finding(
    clockwise: int, *, axis: float = 0.9, direction: float = 0.9, lines: int = 20, delta: float = 0.5
) -> Finding:
    return Finding(clockwise, axis, direction, across=0.2 + delta, down=0.2, lines=lines)


@pytest.mark.parametrize(
    ("found", "turn"),
    [
        (finding(90), 90),
        (finding(180), 180),
        (finding(0), 0),
        (finding(90, axis=0.29), 0),
        (finding(90, delta=0.14), 0),
        (finding(270, direction=0.35), 270),
        (finding(270, direction=0.34), 0),
        (finding(180, direction=0.60), 180),
        (finding(180, direction=0.59), 0),
        (finding(180, lines=6), 180),
        (finding(180, lines=5), 0),
        (finding(90, lines=1), 90),
    ],
)
def test_gates(found: Finding, turn: int) -> None:
    assert found.turn(GATES) == turn
