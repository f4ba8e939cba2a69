"""PDF pages are read by their text, and turned by their /Rotate with the rest of the file as it was."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pypdfium2
import pytest
from PIL import Image
from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, NumberObject, TextStringObject

from dicomprinter.errors import PermanentError
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.orientation.analysis import analyse
from dicomprinter.imaging.orientation.finding import Gates
from dicomprinter.imaging.orientation.look import look
from dicomprinter.imaging.pdf_turn import turn_pages
from tests.imaging.texts import ENGLISH, GERMAN, Grey, drawn, text_pdf, turned

GATES = Gates()


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "page.pdf"
    path.write_bytes(data)
    return path


def changed(data: bytes, page: dict[str, Any] | None = None, root: dict[str, Any] | None = None) -> bytes:
    """The PDF with other entries in its first page and in the root of its page tree."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    first = writer.pages[0]
    for node, entries in ((first, page), (writer.root_object["/Pages"].get_object(), root)):
        for name, value in (entries or {}).items():
            if value is None:
                node.pop(name, None)
            else:
                node[NameObject(name)] = value
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def assert_looks_like(page: Grey, wanted: Grey) -> None:
    """The same page; letters that stand otherwise are drawn a little otherwise."""
    assert page.shape == wanted.shape
    small = [Image.fromarray(pixels).resize((60, 60), Image.Resampling.BOX) for pixels in (page, wanted)]
    one, other = (np.asarray(pixels, np.int16) for pixels in small)
    assert np.abs(one - other).max() < 25 < np.abs(one - other[::-1, ::-1]).max()


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_the_text_itself_and_the_rotate_together(tmp_path: Path, angle: int, rotate: int) -> None:
    data = text_pdf(ENGLISH, angle=angle, rotate=rotate)
    found = look(saved(tmp_path, data), 0, GATES, Limits())
    assert found.turn(GATES) == (angle - rotate) % 360
    # What can be seen says the same.
    assert analyse(drawn(data), GATES).turn(GATES) == (angle - rotate) % 360


def test_invisible_text_does_not_count(tmp_path: Path) -> None:
    # A scan that lies on its side, recognised as if it did not.
    found = look(saved(tmp_path, text_pdf(ENGLISH, invisible=True)), 0, GATES, Limits())
    assert (found.lines, found.turn(GATES)) == (0, 0)


def test_a_watermark_across_is_no_line(tmp_path: Path) -> None:
    assert look(saved(tmp_path, text_pdf(ENGLISH, angle=45)), 0, GATES, Limits()).turn(GATES) == 0


def test_half_of_the_text_on_its_side_is_unsure(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(text_pdf(ENGLISH, lines=30)))
    writer.pages[0].merge_page(pypdf.PdfReader(io.BytesIO(text_pdf(ENGLISH, angle=90, lines=30))).pages[0])
    stream = io.BytesIO()
    writer.write(stream)
    assert look(saved(tmp_path, stream.getvalue()), 0, GATES, Limits()).turn(GATES) == 0


def test_pages_are_turned_and_the_rest_stays(tmp_path: Path) -> None:
    data = text_pdf(ENGLISH, GERMAN, ENGLISH, rotate=90)
    made = turn_pages(saved(tmp_path, data), {0: 270, 2: 180})
    assert made.data.startswith(data)
    assert len(made.data) < len(data) + 2000
    assert not made.signed
    for index, turn in enumerate((270, 0, 180)):
        assert_looks_like(drawn(made.data, index), turned(drawn(data, index), turn))
    # The same again: a repetition writes the same file.
    assert turn_pages(tmp_path / "page.pdf", {0: 270, 2: 180}) == made


@pytest.mark.parametrize(
    ("entries", "shown"),
    [
        ({"/Rotate": NumberObject(450)}, 90),
        ({"/Rotate": NumberObject(-90)}, 270),
        ({"/Rotate": FloatObject("180.0")}, 180),
        ({"/Rotate": None}, 0),
    ],
)
def test_other_ways_to_write_a_rotate(tmp_path: Path, entries: dict[str, Any], shown: int) -> None:
    data = changed(text_pdf(ENGLISH), entries)
    made = turn_pages(saved(tmp_path, data), {0: 90})
    with pypdfium2.PdfDocument(made.data) as document:
        assert document[0].get_rotation() == (shown + 90) % 360


def test_an_inherited_rotate_is_added_to(tmp_path: Path) -> None:
    data = changed(text_pdf(ENGLISH, GERMAN), {"/Rotate": None}, {"/Rotate": NumberObject(90)})
    made = turn_pages(saved(tmp_path, data), {0: 270})
    with pypdfium2.PdfDocument(made.data) as document:
        assert [page.get_rotation() for page in document] == [0, 0]


@pytest.mark.parametrize("value", [NumberObject(45), TextStringObject("90"), ArrayObject([NumberObject(90)])])
def test_a_rotate_that_is_none_is_refused(tmp_path: Path, value: Any) -> None:
    data = changed(text_pdf(ENGLISH), {"/Rotate": value})
    with pytest.raises(PermanentError, match="page 1 has a /Rotate that is no quarter turn"):
        turn_pages(saved(tmp_path, data), {0: 90})


def test_an_odd_media_box_stays(tmp_path: Path) -> None:
    box = ArrayObject(FloatObject(side) for side in ("595.5", "842.25", "-20", "-10"))
    data = changed(text_pdf(ENGLISH), {"/MediaBox": box})
    made = turn_pages(saved(tmp_path, data), {0: 90})
    assert_looks_like(drawn(made.data), turned(drawn(data), 90))


def test_an_encrypted_pdf_is_refused(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(text_pdf(ENGLISH)))
    writer.encrypt("", "owner", algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    with pytest.raises(PermanentError, match="it is encrypted"):
        turn_pages(saved(tmp_path, stream.getvalue()), {0: 90})


def test_a_signed_pdf_keeps_what_was_signed(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(text_pdf(ENGLISH)))
    numbers = ArrayObject(map(NumberObject, (0, 10, 20, 30)))
    value = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Sig"),
            NameObject("/Filter"): NameObject("/Adobe.PPKLite"),
            NameObject("/ByteRange"): numbers,
            NameObject("/Contents"): TextStringObject("00"),
        }
    )
    field = DictionaryObject({NameObject("/FT"): NameObject("/Sig"), NameObject("/V"): writer._add_object(value)})
    form = DictionaryObject({NameObject("/Fields"): ArrayObject([writer._add_object(field)])})
    writer.root_object[NameObject("/AcroForm")] = form
    stream = io.BytesIO()
    writer.write(stream)
    made = turn_pages(saved(tmp_path, stream.getvalue()), {0: 90})
    assert made.signed
    assert made.data.startswith(stream.getvalue())


@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_a_damaged_pdf_is_refused(tmp_path: Path, cut: float) -> None:
    data = text_pdf(ENGLISH)
    with pytest.raises(PermanentError, match="cannot be turned"):
        turn_pages(saved(tmp_path, data[: int(len(data) * cut)]), {0: 90})
