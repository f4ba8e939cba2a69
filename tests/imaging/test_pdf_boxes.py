"""The boxes of a PDF page: what viewers show of it is what it becomes (ISO 32000-1, 14.11.2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.decoder import Decoder
from tests.imaging.pictures import pdf_of

MEDIA = "/MediaBox[0 0 72 144]"
FAR = "/CropBox[1000 1000 1100 1100]"
WHOLE = (144, 72)
DRAWING = b"<</Length 26>>stream\n1 0 0 rg 0 0 20 20 re f\n\n\n\nendstream"
# The largest number that PDFium keeps, as far as PDF's own largest: the width is no number any more.
VAST = "3" + "4" * 38 + ".0"


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as opened:
        yield opened


def page_with(page: str, parent: str = "") -> bytes:
    return pdf_of(
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[3 0 R]/Count 1{parent}>>".encode(),
        f"<</Type/Page/Parent 2 0 R/Contents 4 0 R{page}>>".encode(),
        DRAWING,
    )


@pytest.mark.parametrize(
    ("page", "parent", "shape"),
    [
        (MEDIA, "", WHOLE),
        (MEDIA + "/CropBox[36 72 1100 1100]", "", (72, 36)),
        (MEDIA + FAR, "", WHOLE),
        (MEDIA + "/CropBox[72 0 100 144]", "", WHOLE),
        (FAR, MEDIA, WHOLE),
        (MEDIA, FAR, WHOLE),
        ("", MEDIA + FAR, WHOLE),
        (MEDIA + FAR + "/Rotate 90", "", WHOLE[::-1]),
        ("/MediaBox[72 144 0 0]" + FAR, "", WHOLE),
        (MEDIA + "/CropBox[0 0 0 0]", "", WHOLE),
        (MEDIA + "/CropBox[nan nan nan nan]", "", WHOLE),
    ],
)
def test_the_crop_box_counts_as_far_as_it_lies_on_the_page(
    decoder: Decoder, page: str, parent: str, shape: tuple[int, int], tmp_path: Path
) -> None:
    file = tmp_path / "x"
    file.write_bytes(page_with(page, parent))
    assert decoder.probe(file).frames == 1
    form = decoder.form(file, 0, dpi=72)
    pixels = decoder.page(file, 0, dpi=72).pixels
    assert (form.rows, form.columns) == pixels.shape[:2] == shape
    if shape == WHOLE:
        assert pixels[-10, 10].tolist() == [255, 0, 0]
    (tmp_path / "merged").write_bytes(decoder.merged([file, file]))
    assert decoder.probe(tmp_path / "merged").frames == 2


@pytest.mark.parametrize("crop", ["", FAR])
def test_a_page_of_no_size_is_refused(decoder: Decoder, crop: str, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(page_with(f"/MediaBox[-{VAST} 0 {VAST} 99]{crop}"))
    with pytest.raises(InputError, match="page 1 cannot be read, or its boxes give it no size"):
        decoder.probe(file)


@pytest.mark.parametrize("crop", ["", FAR.replace("1000", "-20").replace("1100", "-10")])
def test_a_page_beyond_the_limits_is_refused_when_it_becomes_pixels(
    decoder: Decoder, crop: str, tmp_path: Path
) -> None:
    file = tmp_path / "x"
    file.write_bytes(page_with(f"/MediaBox[0 0 1000000 1000000]{crop}"))
    with pytest.raises(PermanentError, match=r"4166667 × 4166667 pixels; .* raise <MaximumSide>"):
        decoder.page(file, 0)
