"""Limits that a configuration sets: a refusal names the limit, the file's figure and the element."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.probe import probe
from dicomprinter.intake.text_page import set_as_pdf
from tests.imaging.pictures import pdf, png, tiff, tiff_page

GREY = png(9, 4, 8, 0, [bytes(9)] * 4)
FILES = (
    ("MaximumPixels", Limits(pixels=35), GREY, r"9 × 4 pixels; a page may have 35"),
    ("MaximumSide", Limits(side=8), GREY, r"9 × 4 pixels; a side may have 8"),
    ("MaximumPages", Limits(pages=2), pdf(3), r"3 pages; 2 are allowed"),
    ("MaximumPages", Limits(pages=2), tiff(*[tiff_page(1, 1, 8, b"x")] * 3), "more than 2 pages"),
    ("MaximumFileSize", Limits(bytes=50), GREY, rf"{len(GREY)} bytes; 50 are allowed"),
    ("MaximumTextSize", Limits(text=5), b"Befund", r"6 bytes; 5 are allowed"),
)


@pytest.mark.parametrize(("element", "limits", "data", "figures"), FILES)
def test_a_refusal_says_what_to_change(element: str, limits: Limits, data: bytes, figures: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(InputError, match=f"{figures}.*raise <{element}> in <General>"):
        probe(tmp_path / "x", limits)
    assert probe(tmp_path / "x").frames


def test_a_changed_limit_counts_from_the_next_call_on(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(GREY)
    with Decoder(children=1) as decoder:
        assert decoder.probe(tmp_path / "x").size == ((9, 4),)
        first = decoder.children()
        decoder.adopt(Limits(pixels=35), 60.0)
        assert decoder.limits.pixels == 35
        with pytest.raises(InputError, match="MaximumPixels"):
            decoder.probe(tmp_path / "x")
        with pytest.raises(PermanentError, match="MaximumPixels"):
            decoder.page(tmp_path / "x", 0)
        second = decoder.children()
        assert first != second, "the memory that a child may have is settled when it begins"
        decoder.adopt(Limits(pixels=35), 60.0)
        with pytest.raises(InputError, match="MaximumPixels"):
            decoder.probe(tmp_path / "x")
        assert decoder.children() == second, "nothing has changed"


@pytest.mark.parametrize("text", ["\f" * 500, "\n" * 50_000, "x" * 500_000, "\t" * 100_000])
def test_a_text_of_pages_without_end_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"more than 3 pages.*raise <MaximumPages>"):
        set_as_pdf(text, tmp_path / "x.pdf", 3)


def test_a_text_of_one_long_word_is_set(tmp_path: Path) -> None:
    set_as_pdf("x" * 50_000, tmp_path / "x.pdf", 20)
    assert probe(tmp_path / "x.pdf").frames == 11
