"""Every edit on every kind of page, and pages as files of a job."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dicomprinter.dicom.page import Form, LossySource, Page
from dicomprinter.errors import PermanentError
from dicomprinter.imaging import calls
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.edits.base import PageEdit
from dicomprinter.imaging.edits.print_image import PrintImage
from dicomprinter.imaging.edits.print_text import PrintText
from dicomprinter.imaging.edits.registry import edit_from_json, edit_to_json
from dicomprinter.imaging.edits.resize import Resize
from dicomprinter.imaging.edits.rotate import Rotate
from dicomprinter.imaging.edits.steps import Step, Steps
from dicomprinter.imaging.edits.trim import Edge, Trim
from dicomprinter.imaging.fonts.folders import own_font
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.open import open_page
from dicomprinter.imaging.page_file import encode_page_file
from tests.imaging.pictures import chunk, pdf
from tests.imaging.test_form import NOISE, SAVED
from tests.links import ROOT

DEEP = NOISE[:, :, 0].astype(np.uint16) * 257 + NOISE[:, :, 1]
PAGES = {"grey 8": Page(NOISE[:, :, 0], 8, (300.0, 150.0)), "grey 16": Page(DEEP, 16), "RGB": Page(NOISE, 8)}
EDITS: dict[str, PageEdit] = {
    "rotate": Rotate(90),
    "trim": Trim(2, "auto", 1, 0),
    "fit": Resize(40, 17, keep_aspect=True),
    "stretch": Resize(70, 20, keep_aspect=False),
    "text": PrintText(
        "Eg", 5.0, 5.0, 90.0, 80.0, (255, 0, 0, 255), (0, 0, 255, 50), 40.0, ((own_font().file, 0, ""),), "left", "top"
    ),
    "picture": PrintImage(str(ROOT / "examples/actions/logo.png"), 10.0, 10.0, 50.0, 60.5, "keep", ((1, 1), (7, None))),
}


def step(edit: PageEdit, number: int = 1) -> Step:
    return Step(*edit_to_json(edit), number)


def steps(*edits: PageEdit, folder: Path = Path()) -> Steps:
    return Steps(folder, tuple(map(step, edits)))


def same(one: Page, other: Page) -> bool:
    return (
        one.pixels.dtype == other.pixels.dtype
        and one.pixels.tolist() == other.pixels.tolist()
        and (one.bits_stored, one.resolution, one.lossy) == (other.bits_stored, other.resolution, other.lossy)
    )


def silent(_: str) -> None:
    """Nobody listens."""


# A page as a file


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("resolution", [None, (300.0, 300.0), (204.0, 98.0), (72.009, 1234.5678)])
@pytest.mark.parametrize("lossy", [None, LossySource("ISO_10918_1", 12.345678)])
def test_a_page_file_is_the_page(
    kind: str, resolution: tuple[float, float] | None, lossy: LossySource | None, tmp_path: Path
) -> None:
    page = replace(PAGES[kind], resolution=resolution, lossy=lossy)
    (tmp_path / "page.png").write_bytes(encode_page_file(page))
    assert same(open_page(tmp_path / "page.png", 0), page)


@pytest.mark.parametrize("kind", PAGES)
def test_other_programs_open_a_page_file(kind: str) -> None:
    page = replace(PAGES[kind], resolution=(204.0, 204.0))
    with Image.open(io.BytesIO(encode_page_file(page))) as image:
        assert np.asarray(image).tolist() == page.pixels.tolist()
        assert image.info["dpi"] == pytest.approx(page.resolution, abs=0.02)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"resolution":[300],"lossy":null}',
        b'{"resolution":"x","lossy":null}',
        b'{"resolution":null,"lossy":{"method":"ISO_10918_1\\\\X","ratio":2}}',
        b'{"resolution":null,"lossy":{"method":"ISO_10918_1","ratio":NaN}}',
        b'{"resolution":null,"lossy":{"method":"ISO_10918_1","ratio":-1}}',
        b'{"resolution":null,"lossy":{"method":"ISO_10918_1","ratio":1e999}}',
        b'{"resolution":[1e999,NaN],"lossy":7}',
        b'{"resolution":[%s,300],"lossy":null}' % (b"9" * 400),
        b"[" * 900,
        b" " * 2000,
    ],
)
def test_a_file_that_says_nonsense_of_itself_is_an_ordinary_picture(said: bytes, tmp_path: Path) -> None:
    whole = encode_page_file(replace(PAGES["grey 8"], resolution=None))
    start = whole.index(b"dpPG") - 4
    end = start + 12 + int.from_bytes(whole[start : start + 4], "big")
    (tmp_path / "page.png").write_bytes(whole[:start] + chunk(b"dpPG", said) + whole[end:])
    page = open_page(tmp_path / "page.png", 0)
    assert (page.resolution, page.lossy) == (None, None)
    assert page.pixels.tolist() == NOISE[:, :, 0].tolist()


# In the decoder


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize(("kind", "mode"), [*SAVED, ("PNG", "I;16")])
def test_every_edit_on_every_kind_of_picture(
    decoder: Decoder, edit: PageEdit, kind: str, mode: str, tmp_path: Path
) -> None:
    """The file that it makes opens as the page that the edit gives: its bits, colours, resolution and lossy history."""
    source = Image.fromarray(DEEP) if mode == "I;16" else Image.fromarray(NOISE).convert(mode)
    source.save(tmp_path / "x", kind, dpi=(300, 300))
    data = decoder.edited(tmp_path / "x", 0, steps(edit))
    assert data is not None
    (tmp_path / "page.png").write_bytes(data)
    before = open_page(tmp_path / "x", 0)
    wanted = edit.apply(before, 1, silent)
    found = decoder.page(tmp_path / "page.png", 0)
    assert same(found, wanted)
    assert (found.bits_stored, found.is_colour, found.lossy) == (before.bits_stored, before.is_colour, before.lossy)
    for colours in ColourMode:
        straight = decoder.page(tmp_path / "x", 0, colours, edits=steps(edit))
        assert same(straight, decoder.page(tmp_path / "page.png", 0, colours))
        assert decoder.form(tmp_path / "x", 0, colours, edits=steps(edit)) == straight.form


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_every_edit_on_a_pdf_page(decoder: Decoder, edit: PageEdit, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf(2))
    page = decoder.page(tmp_path / "x.pdf", 1, dpi=72, edits=steps(edit))
    assert same(page, edit.apply(decoder.page(tmp_path / "x.pdf", 1, dpi=72), 1, silent))
    assert decoder.form(tmp_path / "x.pdf", 1, dpi=72, edits=steps(edit)) == page.form


@pytest.mark.parametrize("edit", [*EDITS.values(), Trim(2, 3, 1, 0)], ids=[*EDITS, "cut"])
def test_the_form_of_an_edited_pdf_page_is_told_without_rendering(
    edit: PageEdit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But where an edge is looked for: a multi-frame object renders its pages once."""
    (tmp_path / "x.pdf").write_bytes(pdf(1))
    turned = steps(Rotate(270), edit)
    wanted = turned.apply(open_page(tmp_path / "x.pdf", 0, dpi=72), Limits(), silent).form
    rendered = []

    def counted(*arguments: Any, **options: Any) -> Page:
        rendered.append(arguments)
        return open_page(*arguments, **options)

    monkeypatch.setattr(calls, "open_page", counted)
    request = {"path": str(tmp_path / "x.pdf"), "index": 0, "mode": "RGB", "dpi": 72, "edits": turned.to_message()}
    message, _ = calls.answer({"call": "form", **request}, Limits())
    assert Form(**message["form"]) == wanted
    assert len(rendered) == edit.shows_in_pixels


def test_what_a_form_rules_out_is_refused_before_rendering(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf(1))
    with pytest.raises(PermanentError, match=r"page 1 has 72 × 144 pixels; to cut 72 \+ 0 off its width"):
        decoder.form(tmp_path / "x.pdf", 0, dpi=72, edits=steps(Trim(0, 0, 72, 0)))
    with pytest.raises(PermanentError, match="70000 × 1 pixels"):
        decoder.form(tmp_path / "x.pdf", 0, dpi=72, edits=steps(Resize(70_000, 1, keep_aspect=False)))


def test_edits_are_done_in_their_order(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(encode_page_file(PAGES["RGB"]))
    page = decoder.page(tmp_path / "x.png", 0, edits=steps(Rotate(90), Rotate(180)))
    assert page.pixels.tolist() == np.rot90(NOISE).tolist()


def test_what_leaves_a_page_as_it_is_makes_no_file(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(encode_page_file(PAGES["RGB"]))
    assert decoder.edited(tmp_path / "x.png", 0, steps(Rotate(0))) is None


# To and from JSON


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_every_edit_can_be_written_down(edit: PageEdit) -> None:
    kind, arguments = edit_to_json(edit)
    assert edit_from_json(kind, arguments) == edit
    assert edit_to_json(edit_from_json(kind, arguments)) == (kind, arguments)
    for damaged in ("", "[]", "{}", "7", '{"x":1}', "{" * 5000, arguments.replace(":", ":{},", 1)):
        with pytest.raises(PermanentError, match="damaged"):
            edit_from_json(kind, damaged)
    for name in json.loads(arguments):
        with pytest.raises(PermanentError, match="damaged"):
            edit_from_json(kind, json.dumps({**json.loads(arguments), name: {"odd": 1}}))


def test_an_edit_of_another_version() -> None:
    with pytest.raises(PermanentError, match='no change of pages called "fold"'):
        edit_from_json("fold", "{}")


# What goes wrong


class Failing(Rotate):
    """Raises what it is told."""

    def __init__(self, error: Exception) -> None:
        object.__setattr__(self, "error", error)

    def apply(self, page: Page, number: int, note: Callable[[str], object], limits: Limits | None = None) -> Page:
        error: Exception = self.error  # type: ignore[attr-defined]
        raise error

    def size(self, form: Form, number: int) -> tuple[int, int]:
        return 1, 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "more memory than is allowed"),
        (ValueError("Muster^Erika"), "ValueError"),
        (OSError("Muster^Erika"), "OSError"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (PermanentError("its own words"), "its own words"),
    ],
)
def test_what_an_edit_raises_is_told(monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
    def failing(*_: Any) -> PageEdit:
        return Failing(error)

    monkeypatch.setattr("dicomprinter.imaging.edits.steps.edit_from_json", failing)
    with pytest.raises(PermanentError, match=words) as caught:
        Steps(Path(), (Step("rotate", "{}", 3),)).apply(PAGES["RGB"], Limits(), silent)
    assert "Muster" not in str(caught.value)


def test_an_edit_may_not_go_beyond_the_limits() -> None:
    page = Page(np.zeros((10, 30), np.uint8), 8)
    assert steps(Rotate(90)).apply(page, Limits(side=30), silent).form.rows == 30
    with pytest.raises(PermanentError, match=r"30 × 10 pixels; a side may have 20.*MaximumSide"):
        steps(Rotate(180)).apply(page, Limits(side=20), silent)


# Rotate


@pytest.mark.parametrize(
    ("angle", "pixels", "resolution"),
    [
        (90, [[4, 1], [5, 2], [6, 3]], (150.0, 300.0)),
        (180, [[6, 5, 4], [3, 2, 1]], (300.0, 150.0)),
        (270, [[3, 6], [2, 5], [1, 4]], (150.0, 300.0)),
    ],
)
def test_rotate_turns_clockwise(angle: int, pixels: list[list[int]], resolution: tuple[float, float]) -> None:
    page = Page(np.array([[1, 2, 3], [4, 5, 6]], np.uint8), 8, (300.0, 150.0), LossySource("ISO_10918_1", 9.0))
    turned = Rotate(angle).apply(page, 1, silent)
    assert turned.pixels.tolist() == pixels
    assert (turned.resolution, turned.lossy) == (resolution, page.lossy)
    assert Rotate(angle).size(page.form, 1) == (turned.form.columns, turned.form.rows)


def test_rotate_knows_quarters_only() -> None:
    with pytest.raises(PermanentError, match="45 degrees"):
        Rotate(45).apply(PAGES["RGB"], 1, silent)


# Trim


def framed(kind: str) -> Page:
    """20 rows of 30: an edge of one colour around 3 to 15, 4 to 28."""
    page = PAGES[kind]
    edge = page.pixels[0, 0]
    inner = np.full_like(page.pixels[:20, :30], 0)
    inner[:] = edge
    # Its corners have the edge's colour.
    inner[3:15, 10] = inner[8, 4:28] = np.max(edge) // 2 + 3
    return replace(page, pixels=inner)


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize(
    ("edges", "rows", "columns"),
    [
        (("auto", "auto", "auto", "auto"), (3, 15), (4, 28)),
        (("auto", 0, 0, 0), (3, 20), (0, 30)),
        ((0, "auto", 0, 0), (0, 15), (0, 30)),
        ((0, 0, "auto", 0), (0, 20), (4, 30)),
        ((0, 0, 0, "auto"), (0, 20), (0, 28)),
        ((1, 2, 3, 4), (1, 18), (3, 26)),
        ((4, "auto", "auto", 1), (4, 15), (4, 29)),
        ((19, 0, 0, 29), (19, 20), (0, 1)),
    ],
)
def test_trim(kind: str, edges: tuple[Edge, Edge, Edge, Edge], rows: tuple[int, int], columns: tuple[int, int]) -> None:
    page = framed(kind)
    notes: list[str] = []
    trimmed = Trim(*edges).apply(page, 1, notes.append)
    assert trimmed.pixels.tolist() == page.pixels[slice(*rows), slice(*columns)].tolist()
    assert (trimmed.resolution, trimmed.bits_stored, notes) == (page.resolution, page.bits_stored, [])
    assert trimmed.pixels.flags.c_contiguous


def test_numbers_are_cut_off_before_an_edge_is_looked_for() -> None:
    """Below a scanner's black line, the colour is that of the paper."""
    pixels = np.full((200, 100), 255, np.uint8)
    pixels[:5], pixels[150:160, 40:60] = 0, 90
    trimmed = Trim(5, "auto", "auto", "auto").apply(Page(pixels, 8), 1, silent)
    assert trimmed.pixels.tolist() == pixels[5:160, 40:60].tolist()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (200, 3)])
def test_a_blank_page_stays(size: tuple[int, int]) -> None:
    page, notes = Page(np.full((*size, 3), 200, np.uint8), 8), []
    assert Trim("auto", "auto", "auto", "auto").apply(page, 7, notes.append) is page
    assert notes == ["a blank page has no edge to find: it keeps those that are auto"]
    rest = Trim(0, "auto", size[1] - 1, "auto").apply(page, 7, notes.append)
    assert rest.pixels.shape == (size[0], 1, 3)


@pytest.mark.parametrize("edges", [(10, 10, 0, 0), (0, 20, 0, 0), (0, 0, 1_000_000, 0), (0, 0, 15, 15)])
def test_more_than_the_page_is_refused(edges: tuple[Edge, Edge, Edge, Edge]) -> None:
    with pytest.raises(PermanentError, match=r"page 4 has 30 × 20 pixels; to cut \d+ \+ \d+ off its width"):
        Trim(*edges).apply(framed("RGB"), 4, silent)
    with pytest.raises(PermanentError, match="less than no pixels"):
        Trim(-1, 0, 0, 0).apply(framed("RGB"), 4, silent)


# Resize


@pytest.mark.parametrize(
    ("edit", "size"),
    [
        (Resize(100, 100, keep_aspect=True), (100, 66)),
        (Resize(1000, 70, keep_aspect=True), (106, 70)),
        (Resize(53, 35, keep_aspect=True), (53, 35)),
        (Resize(53, 100, keep_aspect=True), (53, 35)),
        (Resize(1, 1, keep_aspect=True), (1, 1)),
        (Resize(1, 900, keep_aspect=True), (1, 1)),
        (Resize(20, 90, keep_aspect=False), (20, 90)),
    ],
)
def test_resize_gives_the_size_and_the_resolution(edit: Resize, size: tuple[int, int]) -> None:
    page = replace(PAGES["RGB"], resolution=(53.0, 70.0))
    resized = edit.apply(page, 1, silent)
    assert edit.size(page.form, 1) == size == (resized.form.columns, resized.form.rows)
    assert resized.resolution == pytest.approx((size[0], 2 * size[1]))
    assert (resized is page) == (size == (53, 35))


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("size", [(530, 350), (17, 9)])
def test_resize_filters_every_bit(kind: str, size: tuple[int, int]) -> None:
    """A page of one value keeps it; a ramp stays one, in steps finer than 8 bits where there are 16."""
    page = PAGES[kind]
    flat = replace(page, pixels=np.full_like(page.pixels, 0x71AB & np.iinfo(page.pixels.dtype).max))
    assert set(Resize(*size, keep_aspect=False).apply(flat, 1, silent).pixels.ravel().tolist()) == {
        int(flat.pixels.flat[0])
    }
    top = np.iinfo(page.pixels.dtype).max
    ramp = np.linspace(0, top, 53).astype(page.pixels.dtype)
    ramp = np.broadcast_to(ramp.reshape(1, 53, *(1,) * (page.pixels.ndim - 2)), page.pixels.shape)
    scaled = Resize(*size, keep_aspect=False).apply(replace(page, pixels=ramp), 1, silent).pixels
    row = scaled[0].reshape(size[0], -1)[:, 0].astype(int)
    assert scaled.dtype == page.pixels.dtype
    assert (np.diff(row) >= 0).all()
    middle = (np.arange(size[0]) + 0.5) * 53 / size[0] - 0.5
    inside = slice(size[0] // 4, -size[0] // 4)
    assert row[inside] == pytest.approx((middle * top / 52)[inside], abs=top * 0.005)
    if page.bits_stored == 16 and size[0] > 53:
        assert len(set(row.tolist())) > 256


def test_resize_to_nothing() -> None:
    with pytest.raises(PermanentError, match="less than one pixel"):
        Resize(0, 5, keep_aspect=False).apply(PAGES["RGB"], 1, silent)


def test_a_page_larger_than_the_limits_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(PermanentError, match=r"65000 × 42925 pixels; a page may have 300 million.*MaximumPixels"):
        steps(Resize(65000, 65000, keep_aspect=True)).apply(PAGES["RGB"], Limits(), silent)
