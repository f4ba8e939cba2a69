from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.errors import InputError
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.probe import Probe, probe
from tests.imaging.pictures import chunk, pdf, png, tiff, tiff_page


def saved(kind: str, **options: object) -> bytes:
    random = np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(random).save(stream, kind, **options)
    return stream.getvalue()


def multipage_tiff(**options: object) -> bytes:
    stream = io.BytesIO()
    pages = [Image.new("L", (20 + number, 10), number) for number in range(3)]
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:], **options)
    return stream.getvalue()


def protected_pdf(user: str) -> bytes:
    stream = io.BytesIO()
    canvas = Canvas(stream, encrypt=StandardEncryption(user, ownerPassword="owner"))
    canvas.drawString(100, 100, "x")
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


WHOLE = {
    "png": (saved("PNG"), Probe("image", "image/png", 1, ((60, 40),))),
    "jpeg": (saved("JPEG"), Probe("image", "image/jpeg", 1, ((60, 40),))),
    "progressive": (saved("JPEG", progressive=True), Probe("image", "image/jpeg", 1, ((60, 40),))),
    "restarts": (saved("JPEG", restart_marker_blocks=1), Probe("image", "image/jpeg", 1, ((60, 40),))),
    "bmp": (saved("BMP"), Probe("image", "image/bmp", 1, ((60, 40),))),
    "tiff": (multipage_tiff(), Probe("image", "image/tiff", 3, ((20, 10), (21, 10), (22, 10)))),
    "bigtiff": (multipage_tiff(big_tiff=True), Probe("image", "image/tiff", 3, ((20, 10), (21, 10), (22, 10)))),
    "lzw": (multipage_tiff(compression="tiff_lzw"), Probe("image", "image/tiff", 3, ((20, 10), (21, 10), (22, 10)))),
    "pdf": (pdf(3), Probe("pdf", "application/pdf", 3)),
    "text": ("Befund: größer\r\n\tÜber\f".encode(), Probe("text", "text/plain", 1)),
    "text with a mark": ("\ufeffBefund".encode(), Probe("text", "text/plain", 1)),
    "text like dicom": (b"DICM comes after 128 bytes", Probe("text", "text/plain", 1)),
    "text like a bitmap": (b"BMI 23.5 and falling, says the chart of today", Probe("text", "text/plain", 1)),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "misleading.gif"


@pytest.mark.parametrize("name", WHOLE)
def test_recognised_by_content(name: str, file: Path) -> None:
    data, expected = WHOLE[name]
    file.write_bytes(data)
    assert probe(file) == expected


@pytest.mark.parametrize("name", ["png", "jpeg", "progressive", "restarts", "bmp", "tiff", "bigtiff", "lzw", "pdf"])
def test_cut_off_anywhere_is_refused(name: str, file: Path) -> None:
    data = WHOLE[name][0].rstrip(b"\0\r\n ")  # padding and a last line's end are nobody's loss
    for length in {len(data) - 1, *range(16, len(data), max(1, len(data) // 40))}:
        file.write_bytes(data[:length])
        with pytest.raises(InputError) as caught:
            probe(file)
        assert caught.value.remedy


def test_a_thumbnail_is_no_page(file: Path) -> None:
    file.write_bytes(tiff(tiff_page(4, 2, 8, bytes(8)), tiff_page(2, 1, 8, bytes(2), tag254=1)))
    assert probe(file).frames == 1


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


REFUSED = {
    "empty": (b"", "empty"),
    "blank": (b" \r\n\t ", "empty"),
    "binary": (b"\x00\x01\x02\x03", "unknown"),
    "latin 1": ("größer".encode("latin-1"), "UTF-8"),
    "utf-16": ("größer".encode("utf-16"), "UTF-16"),
    "gif": (saved("GIF"), "GIF.*DICOM"),
    "dicom in name only": (bytes(128) + b"DICM", "damaged DICOM"),
    "something that begins as a data set does not": (b"\x08\0\xff\xff\0\0\0\0", "unknown"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
    "postscript": (b"%!PS-Adobe-3.0\n", "PostScript"),
    "png with a wrong byte": (flipped(saved("PNG"), 80), "checksum"),
    "png without pixels": (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"IEND", b""), "damaged"),
    "png of 60,000 squared": (png(60_000, 60_000, 8, 0, [b"\0"]), "60000 × 60000"),
    "png that is too wide": (png(70_000, 1, 8, 0, [b"\0"]), "65535"),
    "tiff of 60,000 squared": (
        tiff(({256: (60_000,), 257: (60_000,), 258: (1,), 259: (4,), 262: (0,), 278: (60_000,)}, b"\0")),
        "60000 × 60000",
    ),
    "tiff of floating point": (tiff(tiff_page(1, 1, 16, bytes(2), tag339=3)), "unusual"),
    "tiff with too few bytes": (tiff(tiff_page(4, 4, 8, bytes(15))), "fewer bytes"),
    "bigtiff that points nowhere": (b"II+\0\x08\0\0\0" + b"\xff" * 8, "cut off"),
    "pdf without pages": (pdf(0), "damaged PDF"),
    "pdf with a password": (protected_pdf("secret"), "password"),
    "pdf in name only": (b"%PDF-1.4\nnothing\nstartxref\n0\n%%EOF\n", "damaged PDF"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_cause(name: str, file: Path) -> None:
    data, word = REFUSED[name]
    file.write_bytes(data)
    with pytest.raises(InputError, match=word) as caught:
        probe(file)
    assert caught.value.remedy


def test_a_pdf_that_opens_without_a_password_is_taken(file: Path) -> None:
    file.write_bytes(protected_pdf(""))
    assert probe(file).frames == 1


def test_a_circle_of_pages_ends(file: Path) -> None:
    data = tiff(tiff_page(1, 1, 8, b"x"))
    first = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[first : first + 2], "little")
    link = first + 2 + 12 * entries
    file.write_bytes(data[:link] + data[4:8] + data[link + 4 :])
    with pytest.raises(InputError, match="circle"):
        probe(file)


def test_limits_of_pages_and_bytes(file: Path) -> None:
    for data in (pdf(3), multipage_tiff()):
        file.write_bytes(data)
        with pytest.raises(InputError, match="pages"):
            probe(file, Limits(pages=2))
        with pytest.raises(InputError, match="too large"):
            probe(file, Limits(bytes=100))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        probe(tmp_path / "nothing")


def test_a_password_of_one_file_is_not_told_of_the_next(tmp_path: Path) -> None:
    locked, empty = tmp_path / "locked.pdf", tmp_path / "empty.pdf"
    locked.write_bytes(protected_pdf("secret"))
    empty.write_bytes(pdf(0))
    for file, message in ((locked, "needs a password"), (empty, "no pages"), (locked, "needs a password")):
        with pytest.raises(InputError, match=message):
            probe(file)
