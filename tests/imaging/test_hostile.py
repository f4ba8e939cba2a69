"""Files made to harm the decoder, as they really do it; a small limit stands for a large one where that saves time."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.limits import Limits
from tests.imaging.pictures import chunk, pdf, pdf_of, png, tiff, tiff_page

_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<%s>>>>"
_FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as opened:
        yield opened


def stream(entries: bytes, data: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(data), data)


def page_of(resources: bytes, *objects: bytes) -> bytes:
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", _PAGE % resources, *objects)


def forms_within_forms(depth: int = 12, times: int = 10) -> bytes:
    """A form that draws another ten times, which draws another ten times …: 3 kB for a million million squares."""
    objects = [stream(b"", b"/F Do\n")]
    for level in range(depth):
        inner = b"/Resources<</XObject<</F %d 0 R>>>>" % (level + 6)
        objects.append(stream(_FORM + inner, b"/F Do\n" * times))
    return page_of(b"/XObject<</F 5 0 R>>", *objects, stream(_FORM, b"0 0 9 9 re f\n"))


def tiles_without_end() -> bytes:
    tile = b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep 0.01/YStep 0.01/Resources<<>>"
    content = stream(b"", b"/Pattern cs /P scn 0 0 595 842 re f\n" * 400)
    return page_of(b"/Pattern<</P 5 0 R>>", content, stream(tile, b"1 0 0 rg 0 0 1 1 re f\n" * 20))


def inflating_pdf(size: int) -> bytes:
    squeezer = zlib.compressobj(1)
    packed = b"".join(squeezer.compress(bytes(MEBIBYTE)) for _ in range(size // MEBIBYTE)) + squeezer.flush()
    return page_of(b"", stream(b"/Filter[/FlateDecode/FlateDecode]", zlib.compress(packed)))


@pytest.mark.parametrize("make", [forms_within_forms, tiles_without_end])
def test_a_pdf_that_never_ends_costs_its_time_limit(make: object, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(make())
    (tmp_path / "good").write_bytes(pdf(1))
    with Decoder() as decoder:
        assert decoder.probe(tmp_path / "bad").frames == 1
        assert decoder.form(tmp_path / "bad", 0).columns == 2479
        (child,) = decoder.children()
        decoder._timeout = 1
        with pytest.raises(PermanentError, match=r"took too long.*more than 1 seconds"):
            decoder.page(tmp_path / "bad", 0)
        assert child not in decoder.children()
        decoder._timeout = 60
        assert decoder.page(tmp_path / "good", 0).pixels.shape == (600, 300, 3)


def test_a_pdf_that_makes_the_renderer_crash(tmp_path: Path) -> None:
    """PDFium ends its process when it gets no memory."""
    (tmp_path / "bad").write_bytes(inflating_pdf(256 * MEBIBYTE))
    (tmp_path / "good").write_bytes(pdf(1))
    assert (tmp_path / "bad").stat().st_size < 20_000
    with Decoder(memory=300 * MEBIBYTE) as decoder:
        assert decoder.probe(tmp_path / "bad").frames == 1
        with pytest.raises(PermanentError, match="crash"):
            decoder.page(tmp_path / "bad", 0)
        assert decoder.page(tmp_path / "good", 0).pixels.shape == (600, 300, 3)


def test_a_pdf_that_draws_itself(decoder: Decoder, tmp_path: Path) -> None:
    own = b"/Resources<</XObject<</F 5 0 R>>>>"
    (tmp_path / "x").write_bytes(
        page_of(b"/XObject<</F 5 0 R>>", stream(b"", b"/F Do\n"), stream(_FORM + own, b"0 0 9 9 re f /F Do\n"))
    )
    assert decoder.page(tmp_path / "x", 0, dpi=72).pixels.shape == (842, 595, 3)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("png", png(60_000, 60_000, 8, 2, [bytes(180_000)] * 200)),
        ("tiff", tiff(({256: (65_000,), 257: (65_000,), 258: (1,), 259: (4,), 262: (0,), 278: (65_000,)}, bytes(99)))),
        ("bmp", b"BM" + bytes(8) + struct.pack("<IIiiHHIIii", 54, 40, 60_000, 60_000, 1, 24, 1, 9, 0, 0) + bytes(99)),
    ],
)
def test_small_files_that_would_become_gigabytes(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with Decoder(memory=300 * MEBIBYTE) as small:  # their pixels would need more
        for call, error in ((small.probe, InputError), (lambda file: small.page(file, 0), PermanentError)):
            with pytest.raises(error, match=r"too large.*000 × 6\d000 pixels; a page may have 300 million") as caught:
                call(tmp_path / name)
            assert caught.value.remedy


@pytest.fixture(scope="module")
def inflating() -> bytes:
    squeezer = zlib.compressobj(1)
    return b"".join(squeezer.compress(bytes(MEBIBYTE)) for _ in range(200)) + squeezer.flush()


def test_a_profile_that_inflates_is_none(inflating: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(png(1, 1, 8, 2, [b"\1\2\3"], chunk(b"iCCP", b"name\0\0" + inflating)))
    with Decoder(memory=300 * MEBIBYTE) as small:
        assert small.probe(tmp_path / "x").size == ((1, 1),)
        assert small.page(tmp_path / "x", 0).pixels.tolist() == [[[1, 2, 3]]]


def test_pixels_behind_the_last_row_are_not_inflated(inflating: bytes, tmp_path: Path) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    (tmp_path / "x").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", inflating) + chunk(b"IEND", b""))
    with Decoder(memory=300 * MEBIBYTE) as small:
        assert small.probe(tmp_path / "x").size == ((8, 8),)
        assert not small.page(tmp_path / "x", 0).pixels.any()


def test_a_picture_larger_than_its_memory(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(png(4000, 4000, 16, 6, [bytes(4000 * 8)] * 4000))
    with Decoder(memory=256 * MEBIBYTE) as small, pytest.raises(PermanentError, match="memory"):
        small.page(tmp_path / "x", 0)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process holds")
def test_a_page_that_the_limits_allow_fits_the_memory_that_goes_with_them(tmp_path: Path) -> None:
    """The costliest format: RGBA of 16 bits. What the program itself takes is not in question here."""
    side = 4000
    limits = Limits(pixels=side * side)
    (tmp_path / "x").write_bytes(png(side, side, 16, 6, [bytes(side * 8)] * side))
    (tmp_path / "small").write_bytes(png(1, 1, 16, 6, [bytes(8)]))
    with Decoder() as decoder:
        decoder.page(tmp_path / "small", 0)
        (pid,) = decoder.children()
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        idle = int(status.split("VmPeak:")[1].split()[0]) * 1024
    memory = limits.memory - limits.bytes - (1 << 30) + idle
    with Decoder(limits, memory=memory + 8 * MEBIBYTE) as decoder:
        assert decoder.page(tmp_path / "x", 0).form.frame_bytes == 3 * side * side


def test_a_large_picture_within_the_limits(decoder: Decoder, tmp_path: Path) -> None:
    random = np.random.default_rng(1).integers(0, 256, (3000, 4000, 3), dtype=np.uint8)
    Image.fromarray(random).save(tmp_path / "x", "PNG", compress_level=0)
    assert (tmp_path / "x").stat().st_size > 36_000_000
    assert decoder.probe(tmp_path / "x").size == ((4000, 3000),)
    assert (decoder.page(tmp_path / "x", 0).pixels == random).all()


def test_more_pages_than_the_limits_allow(tmp_path: Path) -> None:
    (tmp_path / "pdf").write_bytes(pdf(30))
    (tmp_path / "tiff").write_bytes(tiff(*[tiff_page(1, 1, 8, b"x")] * 30))
    with Decoder(Limits(pages=29)) as decoder:
        for name in ("pdf", "tiff"):
            with pytest.raises(InputError, match="29"):
                decoder.probe(tmp_path / name)
