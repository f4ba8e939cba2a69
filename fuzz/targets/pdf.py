"""PDF: counted, drawn and read here, where a crash or a hang is what is looked for."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.open import open_form, open_page
from dicomprinter.imaging.pdf_text import read_texts
from dicomprinter.imaging.probe import probe
from fuzz.files import Scratch
from fuzz.target import Target
from tests.imaging.pictures import pdf, pdf_of

_LIMITS: Final = Limits(pixels=1 << 18, side=2048, pages=20, bytes=1 << 20, text=1 << 14)
_DPI: Final = 36
_SCRATCH: Final = Scratch()


def _run(data: bytes) -> None:
    for file in _SCRATCH.each(data, _with_an_end(data)):
        _look(file)


def _look(file: Path) -> None:
    try:
        found = probe(file, _LIMITS)
    except InputError:
        return
    if found.kind != "pdf":
        return
    for index in {0, found.frames - 1}:
        try:
            form = open_form(file, index, ColourMode.AS_IS, _LIMITS, dpi=_DPI)
            page = open_page(file, index, _LIMITS, dpi=_DPI)
        except PermanentError:
            continue
        assert page.form == form
    try:
        texts = read_texts(file, _LIMITS)
    except InputError:
        return
    assert len(texts) == found.frames
    assert sum(len(text) for text in texts) <= _LIMITS.text


def _with_an_end(data: bytes) -> bytes:
    """Its cross-reference table made right, so that what a mutation has moved is found."""
    if not data.startswith(b"%PDF-"):
        return data
    body = data[: data.rfind(b"\nxref")] if b"\nxref" in data else data
    places = {int(found[1]): found.start(1) for found in re.finditer(rb"(?:^|\n)(\d{1,3}) 0 obj", body)}
    size = max(places, default=0) + 1
    lines = [b"%010d 00000 n \n" % places[n] if n in places else b"0000000000 65535 f \n" for n in range(size)]
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body) + 1)
    return body + b"\nxref\n0 %d\n" % size + b"".join(lines) + trailer


def _seeds() -> Iterator[bytes]:
    yield pdf(2)
    yield pdf(1, "/Rotate 90/CropBox[0 0 36 36]")
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<<%s>>%s>>"
    head = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>")
    text = b"BT /F 12 Tf 9 9 Td (Report) Tj ET 1 0 0 rg 0 0 30 30 re f"
    font = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Courier>>>>"
    packed = zlib.compress(text)
    yield pdf_of(
        *head, page % (font, b""), b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed)
    )
    picture = (
        b"<</Type/XObject/Subtype/Image/Width 4/Height 4/ColorSpace/DeviceGray/BitsPerComponent 8/Length 16>>stream\n"
    )
    draw = b"<</Length 24>>stream\nq 99 0 0 99 0 0 cm /I Do Q\nendstream"
    yield pdf_of(*head, page % (b"/XObject<</I 5 0 R>>", b""), draw, picture + bytes(range(16)) + b"\nendstream")
    itself = b"/Resources<</XObject<</F 5 0 R>>>>/Length 5>>stream\n/F Do\nendstream"
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]" + itself
    yield pdf_of(*head, page % (b"/XObject<</F 5 0 R>>", b""), b"<</Length 5>>stream\n/F Do\nendstream", form)
    note = b"/Annots[<</Type/Annot/Subtype/Square/Rect[9 9 50 50]/C[1 0 0]>>]"
    yield pdf_of(*head, page % (b"", note), b"<</Length 0>>stream\n\nendstream")


TARGET = Target(
    run=_run,
    seeds=_seeds,
    executions=12_000,
    structured=2_000,
    words=(
        *(
            b"/Type",
            b"/Kids",
            b"/Count",
            b"/MediaBox",
            b"/Rotate",
            b"/Filter",
            b"/FlateDecode",
            b"/ASCIIHexDecode",
            b"/Length",
        ),
        *(
            b" 0 R",
            b" 0 obj",
            b"endobj",
            b"stream\n",
            b"endstream",
            b"/DCTDecode",
            b"/JBIG2Decode",
            b"/JPXDecode",
            b"/Pattern",
        ),
    ),
    longest=4096,
)
