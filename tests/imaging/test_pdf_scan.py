"""Scans are drawn by bands; nobody is to see that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.colors import blue, red
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.imaging import pdf, pdf_scan
from dicomprinter.imaging.limits import Limits

A4 = (595.276, 841.89)
LETTER = (612, 792)


def picture(path: Path, columns: int, rows: int, mode: str = "RGB") -> str:
    spots = np.random.default_rng(1).integers(0, 256, (rows // 6 + 1, columns // 6 + 1, 3), dtype=np.uint8)
    image = Image.fromarray(spots).resize((columns, rows), Image.Resampling.BICUBIC).convert(mode)
    file = path.with_suffix(".png" if mode == "1" else ".jpg")
    image.save(file)
    return str(file)


def document(path: Path, size: tuple[float, float], draw: Callable[[Canvas], None]) -> Path:
    canvas = Canvas(str(path), pagesize=size)
    draw(canvas)
    canvas.showPage()
    canvas.save()
    return path


@contextmanager
def page_of(path: Path) -> Iterator[tuple[pypdfium2.PdfDocument, pypdfium2.PdfPage]]:
    with pypdfium2.PdfDocument(path) as opened:
        yield opened, opened[0]


def words(canvas: Canvas) -> None:
    for line in range(70):
        canvas.setFont("Times-Roman", 7.3 + line % 3)
        canvas.drawString(30.4, 20.7 + 11.3 * line, "what a scanner's software has read, visible or not " * 2)


@pytest.mark.parametrize("dpi", [300, 200.5, 72])
@pytest.mark.parametrize(
    "form",
    [
        (A4, 2480, 3508, "RGB", 0.0),
        (A4, 1240, 1754, "RGB", 3.7),
        (A4, 3400, 4800, "L", 0.0),
        (LETTER, 2550, 3300, "1", 0.0),
        ((597.6, 845.3), 620, 877, "RGB", 1.3),
    ],
)
def test_by_bands_is_the_same_as_at_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: tuple[tuple[float, float], int, int, str, float],
    dpi: float,
) -> None:
    size, columns, rows, mode, inset = form
    file = picture(tmp_path / "scan", columns, rows, mode)

    def scan(canvas: Canvas) -> None:
        canvas.drawImage(file, inset, inset, size[0] - 2 * inset, size[1] - 2.5 * inset)
        words(canvas)

    path = document(tmp_path / "x.pdf", size, scan)
    with page_of(path) as (opened, page):
        assert pdf_scan.is_scan(opened, page, dpi / 72)
    by_bands = pdf.render(path, 0, dpi, Limits()).pixels
    monkeypatch.setattr(pdf_scan, "is_scan", lambda *_: False)
    at_once = pdf.render(path, 0, dpi, Limits()).pixels
    assert by_bands.shape == at_once.shape
    assert (by_bands == at_once).all()


def _turned(canvas: Canvas) -> None:
    canvas.rotate(90)
    canvas.translate(0, -595)


def _field(canvas: Canvas) -> None:
    canvas.acroForm.textfield(name="field", x=50, y=50)


OTHERS: dict[str, Callable[[Canvas], object]] = {
    "a turned picture": _turned,
    "a turned page": lambda canvas: canvas.setPageRotation(90),
    "a shading": lambda canvas: canvas.linearGradient(0, 0, 600, 800, (red, blue)),
    "lines": lambda canvas: canvas.line(0, 0, 600, 800),
    "see-through": lambda canvas: canvas.setFillAlpha(0.5),
    "a field": _field,
    "a link": lambda canvas: canvas.linkURL("https://example.org", (10, 10, 90, 90)),
    "cropped": lambda canvas: canvas.setCropBox((10, 10, 500, 700)),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_would_differ_is_drawn_at_once(tmp_path: Path, kind: str) -> None:
    file = picture(tmp_path / "scan", 827, 1169)

    def page_with(canvas: Canvas) -> None:
        OTHERS[kind](canvas)
        canvas.drawImage(file, 0, 0, *A4)
        words(canvas)

    with page_of(document(tmp_path / "x.pdf", A4, page_with)) as (opened, page):
        assert not pdf_scan.is_scan(opened, page, 300 / 72)


def test_pages_without_a_scan_are_drawn_at_once(tmp_path: Path) -> None:
    small = picture(tmp_path / "small", 40, 60)
    for draw in (words, lambda canvas: canvas.drawImage(small, 0, 0, *A4)):
        with page_of(document(tmp_path / "x.pdf", A4, draw)) as (opened, page):
            assert not pdf_scan.is_scan(opened, page, 300 / 72)
