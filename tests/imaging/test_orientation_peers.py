"""The CCITT charts and the pages of documents in Debian packages, each in every position.

Four charts are no pages of text in one direction: a circuit (2), a diagram (6), Japanese in columns (7), and a memo on
its side over a headline that is upright (8). They count all the same: they stay as they came.
"""

from __future__ import annotations

import gzip
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from dicomprinter.imaging.orientation.analysis import analyse
from dicomprinter.imaging.orientation.finding import Gates
from tests.imaging.texts import Grey, turned
from tests.peers import document, program

TURNS = (0, 90, 180, 270)
GATES = Gates()
DOCUMENTS = (
    ("/usr/share/doc/libtasn1-doc/libtasn1.pdf", "libtasn1-doc", 1),
    ("/usr/share/doc/shared-mime-info/shared-mime-info-spec.pdf", "shared-mime-info", 1),
    ("/usr/share/doc/nettle-dev/nettle.pdf.gz", "nettle-dev", 5),
)
CHARTS = tuple(range(1, 9))
NOT_TEXT = {2, 6, 7, 8}


def chart(number: int) -> Grey:
    file = document(f"/usr/share/jbigkit-testdata/ccitt{number}.jbg", "jbigkit-testdata")
    decoded = subprocess.run([program("jbgtopbm"), file], capture_output=True, check=True)
    return np.asarray(Image.open(io.BytesIO(decoded.stdout)).convert("L"))


def pages(path: Path, every: int = 1) -> Iterator[Grey]:
    data = path.read_bytes()
    with pypdfium2.PdfDocument(gzip.decompress(data) if path.suffix == ".gz" else data) as opened:
        for index in range(0, len(opened), every):
            yield np.array(opened[index].render(scale=110 / 72, grayscale=True).to_numpy()).squeeze()


def ends(page: Grey) -> list[int]:
    return [(turn + analyse(turned(page, turn), GATES).turn(GATES)) % 360 for turn in TURNS]


@pytest.mark.peer("jbgtopbm")
def test_charts_and_documents_end_upright() -> None:
    charts = {number: ends(chart(number)) for number in CHARTS}
    text = [ends(page) for path, package, every in DOCUMENTS for page in pages(document(path, package), every)]
    every_page = [*charts.values(), *text]
    # From upright, nothing is turned; and what is turned at all ends upright.
    assert all(end in (0, turn) for page in every_page for turn, end in zip(TURNS, page, strict=True))
    upright = [end == 0 for page in every_page for end in page]
    assert sum(upright) >= 0.95 * len(upright)
    of_text = [
        end == 0 for page in [*text, *(charts[number] for number in charts if number not in NOT_TEXT)] for end in page
    ]
    assert sum(of_text) >= 0.99 * len(of_text)


@pytest.mark.peer("jbgtopbm")
@pytest.mark.parametrize("name", ["form_russian", "form_english", "default-testpage", "topsecret"])
def test_forms_and_labels_are_never_turned_wrongly(name: str) -> None:
    (page,) = pages(document(f"/usr/share/cups/data/{name}.pdf", "cups-filters"))
    assert all(end in (0, turn) for turn, end in zip(TURNS, ends(page), strict=True))


@pytest.mark.peer("jbgtopbm")
def test_a_photograph_stays() -> None:
    photograph = Image.open(document("/usr/share/jbigkit-testdata/sandra.pgm", "jbigkit-testdata")).convert("L")
    for size in (1, 6):
        page = np.asarray(photograph.resize((photograph.width * size, photograph.height * size)))
        assert ends(page) == [0, 90, 180, 270]
