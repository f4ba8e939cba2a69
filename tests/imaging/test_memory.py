"""What the child holds while it works on many pages, in pages of pixels above what it takes when idle."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.errors import PermanentError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.mode import ColourMode

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process holds")
COLUMNS, ROWS = 2480, 3508
Figures = TypeVar("Figures")
PAGE_KB = COLUMNS * ROWS * 3 / 1024


def held(pid: int, name: str) -> int:
    """In kB: RssAnon now, VmHWM at most."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.split(f"{name}:")[1].split()[0])


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def pdf_file(path: Path) -> None:
    canvas = Canvas(str(path), pagesize=(595.276, 841.89))
    for number in range(4):
        canvas.drawString(100, 100, f"page {number}")
        canvas.showPage()
    canvas.save()


def scan_file(path: Path) -> None:
    page = np.random.default_rng(1).integers(0, 256, (110, 78, 3), dtype=np.uint8)
    Image.fromarray(page).resize((COLUMNS, ROWS), Image.Resampling.NEAREST).save(path.with_suffix(".jpg"))
    canvas = Canvas(str(path), pagesize=(595.2, 841.92))
    for number in range(3):
        canvas.drawImage(str(path.with_suffix(".jpg")), 0, 0, 595.2, 841.92)
        canvas.drawString(100, 100, f"page {number}")
        canvas.showPage()
    canvas.save()


def tiff_file(path: Path, mode: str, compression: str) -> None:
    spots = np.random.default_rng(1).integers(0, 256, (110, 78, 3), dtype=np.uint8)
    image = Image.fromarray(spots).resize((COLUMNS, ROWS), Image.Resampling.NEAREST).convert(mode)
    image.save(path, "TIFF", save_all=True, append_images=[image] * 2, compression=compression)


def jpeg_file(path: Path) -> None:
    Image.new("RGB", (COLUMNS, ROWS), (200, 100, 0)).save(path, "JPEG", subsampling="4:2:2")


# kind: how it is made, the pages it has, the colour mode, and how many pages of pixels the child may hold at once
KINDS = {
    "pdf": (pdf_file, 4, ColourMode.AS_IS, 1.5),
    "pdf of scans": (scan_file, 3, ColourMode.AS_IS, 2.4),
    "pdf to grey": (pdf_file, 4, ColourMode.MONOCHROME8, 1.8),
    "jpeg": (jpeg_file, 1, ColourMode.AS_IS, 1.5),
    "tiff lzw": (lambda path: tiff_file(path, "RGB", "tiff_lzw"), 3, ColourMode.AS_IS, 1.5),
    "tiff group 4": (lambda path: tiff_file(path, "1", "group4"), 3, ColourMode.AS_IS, 1.0),
    "tiff jpeg": (lambda path: tiff_file(path, "RGB", "jpeg"), 3, ColourMode.AS_IS, 2.7),
    "tiff cmyk": (lambda path: tiff_file(path, "CMYK", "packbits"), 2, ColourMode.AS_IS, 3.0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_held_once_and_given_back(kind: str, tmp_path: Path) -> None:
    make, pages, mode, most = KINDS[kind]
    make(tmp_path / "x")
    with Decoder() as decoder:
        decoder.page(tmp_path / "x", 0, mode)  # loads the libraries
        (pid,) = decoder.children()
        decoder.probe(tmp_path / "x")  # only now the page has been let go
        idle, idle_total = held(pid, "RssAnon"), held(pid, "VmRSS")
        forget_peak(pid)
        file_kb = (tmp_path / "x").stat().st_size / 1024  # mapped, and so counted, but not held
        for index in range(pages):
            assert decoder.page(tmp_path / "x", index, mode).form.columns == COLUMNS
        assert held(pid, "VmHWM") - idle_total < most * PAGE_KB + file_kb
        decoder.probe(tmp_path / "x")
        assert held(pid, "RssAnon") - idle < PAGE_KB / 4


def test_the_child_has_let_go_of_a_page_before_it_is_handed_out(tmp_path: Path) -> None:
    pdf_file(tmp_path / "x")
    with Decoder() as decoder:
        decoder.page(tmp_path / "x", 0)
        (pid,) = decoder.children()
        decoder.probe(tmp_path / "x")
        idle = held(pid, "RssAnon")
        for index in range(4):
            decoder.page(tmp_path / "x", index)
            assert held(pid, "RssAnon") - idle < PAGE_KB / 4


def alone(work: Callable[[Path], Figures], path: Path) -> Figures:
    """Done in a fresh process: this one gives back at any moment what other tests have left in it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, path).result()


def given_back_after_a_bad_page(path: Path) -> int:
    path.write_bytes(b"no picture")
    with Decoder() as decoder:
        decoder.probe(path)
        blocks = [bytearray(os.urandom(100_000)) for _ in range(300)]
        last = bytearray(os.urandom(100_000))  # stays above them
        before = held(os.getpid(), "RssAnon")
        del blocks
        with pytest.raises(PermanentError):
            decoder.page(path, 0)
        after = held(os.getpid(), "RssAnon")
        assert any(last)
        return before - after


def test_what_a_page_left_in_the_c_library_is_given_back(tmp_path: Path) -> None:
    assert alone(given_back_after_a_bad_page, tmp_path / "x") > 25_000


def held_with_and_after_each_page(path: Path) -> list[tuple[int, int]]:
    pdf_file(path)
    figures = []
    with Decoder() as decoder:
        decoder.page(path, 0)
        idle = held(os.getpid(), "RssAnon")
        for index in range(4):
            page = decoder.page(path, index)
            with_it = held(os.getpid(), "RssAnon") - idle
            smaller = page.pixels[::50].copy()  # stays above it in the C library's memory
            del page
            figures.append((with_it, held(os.getpid(), "RssAnon") - idle))
            assert smaller.any()
    return figures


def test_the_parent_gives_a_page_back_too(tmp_path: Path) -> None:
    for with_it, after in alone(held_with_and_after_each_page, tmp_path / "x"):
        assert with_it > PAGE_KB / 2
        assert after < PAGE_KB / 4
