"""Texts on pages: where the lines stand, what fits, which grey a colour is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dicomprinter.dicom.page import LossySource, Page
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.edits.print_text import PrintText
from dicomprinter.imaging.fonts.letters import FontUse, Letters, clean, runs_backwards
from dicomprinter.imaging.fonts.lines import set_text
from tests.imaging.fonts import VERA

FONT = ((str(VERA), 0, ""),)
BLACK, WHITE, NOTHING = (0, 0, 0, 255), (255, 255, 255, 255), (255, 255, 255, 0)
GREY = Page(np.full((400, 300), 255, np.uint8), 8)
RGB = Page(np.full((400, 300, 3), 255, np.uint8), 8, (300.0, 150.0), LossySource("ISO_10918_1", 9.0))
# A rectangle of 200 × 100 pixels at (50, 100).
LEFT, TOP, RIGHT, BOTTOM = 50, 100, 250, 200


def silent(text: str) -> None:
    raise AssertionError(text)


def written(text: str, **other: Any) -> PrintText:
    values: dict[str, Any] = {
        "text": text,
        "x": 100 / 6,
        "y": 25.0,
        "width": 200 / 3,
        "height": 25.0,
        "colour": BLACK,
        "background": NOTHING,
        "font_height": 5.0,
        "fonts": FONT,
        "across": "left",
        "down": "top",
    }
    return PrintText(**values | other)


def ink(page: Page) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is not white."""
    rows, columns = np.nonzero(page.pixels != 255)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


# Where it stands


@pytest.mark.parametrize("down", ["top", "centre", "bottom"])
@pytest.mark.parametrize("across", ["left", "centre", "right"])
def test_alignment(across: str, down: str) -> None:
    left, top, right, bottom = ink(written("Exg", across=across, down=down).apply(GREY, 1, silent))
    free = {"left": left - LEFT, "centre": (left - LEFT) - (RIGHT - right), "right": RIGHT - right}[across]
    assert abs(free) <= 3
    above = {"top": top - TOP, "centre": (top - TOP) - (BOTTOM - bottom), "bottom": BOTTOM - bottom}[down]
    assert abs(above) <= 6


def test_each_line_stands_by_itself() -> None:
    page = written("l\nlllllllllllllll", across="right").apply(GREY, 1, silent)
    assert ink(Page(page.pixels[: TOP + 22], 8))[0] > 240
    assert ink(page)[2] <= RIGHT


def test_lines_are_as_far_apart_as_the_font_says_and_empty_ones_count() -> None:
    one = ink(written("x").apply(GREY, 1, silent))
    two = ink(written("x\nx").apply(GREY, 1, silent))
    three = ink(written("x\n\nx").apply(GREY, 1, silent))
    height = Letters([FontUse(*FONT[0])], 20).line_height
    assert (two[3] - one[3], three[3] - one[3]) == (height, 2 * height)


def test_the_size_is_the_pages_whatever_the_rectangle() -> None:
    small = ink(written("E", font_height=5.0).apply(GREY, 1, silent))
    large = ink(written("E", font_height=10.0).apply(GREY, 1, silent))
    assert (large[3] - large[1]) == pytest.approx(2 * (small[3] - small[1]), abs=1)


@pytest.mark.parametrize("across", ["left", "right"])
@pytest.mark.parametrize("text", ["j", "f"])
def test_letters_that_reach_beyond_their_own_width_are_seen_whole(text: str, across: str) -> None:
    slanted = ((str(VERA.parent / "VeraIt.ttf"), 0, ""),)
    middle = ink(written(text, across="centre", font_height=20.0, fonts=slanted).apply(GREY, 1, silent))
    edge = ink(written(text, across=across, font_height=20.0, fonts=slanted).apply(GREY, 1, silent))
    assert edge[2] - edge[0] == middle[2] - middle[0]


# Words


def lines(text: str, width: int = 200, height: int = 100, size: int = 20) -> list[str]:
    setting = set_text(clean(text), Letters([FontUse(*FONT[0])], size), (width, height), "left", "top")
    return [line.text for line in setting.lines]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("one two three four five six", ["one two three four", "five six"]),
        ("one\ntwo\r\nthree\u2028four", ["one", "two", "three", "four"]),
        ("  indented", ["  indented"]),
        ("a   b", ["a   b"]),
        ("tab\there", ["tab    here"]),
        ("one two three four    five", ["one two three four", "five"]),
        ("abcdefghijklmnopqrstuvwxyz", ["abcdefghijklmnopq", "rstuvwxyz"]),
        ("a abcdefghijklmnopqrstuvwxyz b", ["a", "abcdefghijklmnopq", "rstuvwxyz b"]),
        (
            "one hundred\N{NO-BREAK SPACE}and\N{NO-BREAK SPACE}one",
            ["one", "hundred\N{NO-BREAK SPACE}and\N{NO-BREAK SPACE}one"],
        ),
        ("", []),
        (" \n ", []),
        ("end\n\n", ["end"]),
        ("blanks  \nat the end ", ["blanks", "at the end"]),
        ("a" + " " * 50_000, ["a"]),
    ],
)
def test_words_wrap_and_line_ends_stay(text: str, wanted: list[str]) -> None:
    assert lines(text) == wanted


def test_a_rectangle_narrower_than_a_letter_has_one_in_each_line() -> None:
    assert lines("abc", width=1) == ["a", "b", "c"]


def test_of_a_text_without_end_the_beginning_is_set() -> None:
    for text in ("word " * 20_000, "w" * 100_000, "w\n" * 20_000):
        assert len(lines(text)) == 4


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
        ("a\x00\x07\N{ZERO WIDTH SPACE}\N{RIGHT-TO-LEFT MARK}\N{BYTE ORDER MARK}b", "ab"),
        ("a\ud800b", "a\N{REPLACEMENT CHARACTER}b"),
        ("a\x0cb\x0bc\x85d", "a\nb\nc\nd"),
    ],
)
def test_what_is_written_of_odd_characters(text: str, wanted: str) -> None:
    assert clean(text) == wanted


def test_which_texts_run_backwards() -> None:
    assert runs_backwards("Dr. שלום")
    assert runs_backwards("مرحبا")
    assert not runs_backwards("Müller 漢字 ж 12:30")


# What fits


UNFIT = "the text does not fit into its rectangle; "


@pytest.mark.parametrize(
    ("text", "other", "wanted"),
    [
        ("one", {}, []),
        ("x\n" * 9, {}, [UNFIT + "only its first 4 lines are written"]),
        ("two lines of words are too many", {"height": 6.0}, [UNFIT + "only its first line is written"]),
        ("Eg", {"height": 3.0}, [UNFIT + "letters are cut off"]),
        ("W", {"width": 3.0}, [UNFIT + "letters are cut off"]),
        ("one", {"width": 0.0}, ["nothing of the text is written: its rectangle has no pixel"]),
        ("one", {"y": 100.0}, ["nothing of the text is written: its rectangle has no pixel"]),
        (" ", {"width": 0.0}, []),
        (" ", {}, []),
        ("\n" * 5000, {}, []),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(text: str, other: dict[str, Any], wanted: list[str]) -> None:
    told: list[str] = []
    written(text, **other).apply(GREY, 1, told.append)
    assert told == wanted


@pytest.mark.parametrize("down", ["top", "centre", "bottom"])
def test_what_does_not_fit_begins_at_the_beginning_and_stays_inside(down: str) -> None:
    page = written("Egg\n" * 50, down=down, font_height=7.0).apply(GREY, 1, lambda _: None)
    left, top, right, bottom = ink(page)
    assert left >= LEFT
    assert right <= RIGHT
    assert TOP <= top < TOP + 30
    assert bottom <= BOTTOM


@pytest.mark.parametrize("down", ["top", "centre", "bottom"])
def test_letters_as_high_as_the_rectangle_are_seen_whole(down: str) -> None:
    """The font's line is higher than its letters: FontHeight 5 in a Height of 5 is what sites write."""
    page = written("gE", height=5.0, down=down).apply(GREY, 1, silent)
    assert ink(page)[3] - ink(page)[1] == ink(written("gE").apply(GREY, 1, silent))[3] - TOP - (
        ink(written("gE").apply(GREY, 1, silent))[1] - TOP
    )


@pytest.mark.parametrize("height", [0.0, 0.1, 100.0])
def test_the_smallest_and_the_largest_letters(height: float) -> None:
    assert (written("Eg", font_height=height).apply(GREY, 1, lambda _: None).pixels != 255).any()


def test_letters_larger_than_can_be_drawn() -> None:
    with pytest.raises(PermanentError, match=r"letters of 9000 pixels.*FontHeight"):
        written("E", font_height=100.0).apply(Page(np.zeros((9000, 4), np.uint8), 8), 1, silent)


# Colours


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        (RGB, [255, 128, 0]),
        (GREY, 151),
        (Page(np.zeros((400, 300), np.uint16), 12), 2431),
        (Page(np.zeros((400, 300), np.uint16), 16), 38905),
    ],
    ids=["RGB", "grey 8", "grey 12", "grey 16"],
)
def test_on_a_grey_page_a_colour_is_its_luminance(page: Page, wanted: Any) -> None:
    done = written(" ", background=(255, 128, 0, 255)).apply(page, 1, silent)
    assert done.pixels.dtype == page.pixels.dtype
    inside = done.pixels[TOP:BOTTOM, LEFT:RIGHT]
    assert (inside == wanted).all()
    assert (done.bits_stored, done.resolution, done.lossy) == (page.bits_stored, page.resolution, page.lossy)
    outside = np.ones(page.pixels.shape[:2], bool)
    outside[TOP:BOTTOM, LEFT:RIGHT] = False
    assert (done.pixels[outside] == page.pixels[outside]).all()
    letters = written("EE", colour=(255, 128, 0, 255), font_height=20.0).apply(page, 1, silent).pixels
    assert (letters[TOP:BOTTOM, LEFT:RIGHT] == wanted).sum() > 1000


@pytest.mark.parametrize(("alpha", "wanted"), [(0, [200, 200, 200]), (128, [100, 100, 227]), (255, [0, 0, 255])])
def test_alpha_of_text_and_background(alpha: int, wanted: list[int]) -> None:
    page = Page(np.full((400, 300, 3), 200, np.uint8), 8)
    done = written(" ", background=(0, 0, 255, alpha)).apply(page, 1, silent)
    assert done.pixels[150, 150].tolist() == pytest.approx(wanted, abs=1)
    letters = written("EE", colour=(0, 0, 255, alpha), font_height=20.0).apply(page, 1, silent).pixels
    stem = letters[TOP:BOTTOM, LEFT:RIGHT].reshape(-1, 3)
    assert stem[np.argmax(stem[:, 2])].tolist() == pytest.approx(wanted, abs=1)


def test_white_on_black() -> None:
    page = written("E", colour=WHITE, background=BLACK).apply(RGB, 1, silent)
    inside = page.pixels[TOP:BOTTOM, LEFT:RIGHT]
    assert inside.min() == 0
    assert inside.max() == 255


def test_a_page_may_be_read_only() -> None:
    pixels = GREY.pixels.copy()
    pixels.flags.writeable = False
    written("E", background=BLACK).apply(Page(pixels, 8), 1, silent)
    assert (pixels == 255).all()


# Fonts


def test_characters_come_from_the_fonts_that_have_them() -> None:
    bold = str(VERA.parent / "VeraBd.ttf")
    both = written("iiii", fonts=((str(VERA), 0, ""), (bold, 0, "i"))).apply(GREY, 1, silent)
    assert both.pixels.tolist() == written("iiii", fonts=((bold, 0, ""),)).apply(GREY, 1, silent).pixels.tolist()
    mixed = written("Eii", fonts=((str(VERA), 0, ""), (bold, 0, "i"))).apply(GREY, 1, silent)
    assert mixed.pixels.tolist() != both.pixels.tolist()


def test_the_ink_of_several_fonts_is_that_of_all_runs() -> None:
    plain, bold = Letters([FontUse(str(VERA), 0)], 40), Letters([FontUse(str(VERA.parent / "VeraBd.ttf"), 0)], 40)
    both = Letters([FontUse(str(VERA), 0), FontUse(str(VERA.parent / "VeraBd.ttf"), 0, "g")], 40)
    alone, last, found = plain.ink("EE"), bold.ink("g"), both.ink("EEg")
    assert alone
    assert last
    assert found
    assert (found.left, found.top, found.bottom) == (alone.left, min(alone.top, last.top), last.bottom)
    assert found.right == pytest.approx(plain.width("EE") + last.right)
    assert both.width("EEg") == pytest.approx(plain.width("EE") + bold.width("g"))
    assert both.ink("  ") is None


def test_a_font_that_is_gone(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.ttf")
    with pytest.raises(PermanentError, match=r"font cannot be opened.*gone\.ttf"):
        written("E", fonts=((gone, 0, ""),)).apply(GREY, 1, silent)
