"""Pages of invented text, as PDFs and as pixels."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdfium2
from reportlab.pdfgen.canvas import Canvas

A4 = (595, 842)
ENGLISH = (
    "The examination shows both lungs well expanded without consolidation. The heart is of normal size, and there is "
    "no pleural effusion. Compared with the previous images, the small nodule in the left upper lobe has not changed. "
    "We recommend a follow up in twelve months, or earlier if the patient should notice anything new."
)
GERMAN = (
    "Die Untersuchung zeigt beidseits eine regelrechte Belüftung ohne Hinweis auf Verschattungen. Das Herz ist normal "
    "groß, kein Erguss, knöcherner Thorax altersentsprechend. Im Vergleich zur Voraufnahme ist der kleine Rundherd im "
    "linken Oberlappen unverändert. Wir empfehlen eine Kontrolle in zwölf Monaten, bei Beschwerden auch früher."
)
NUMBERS = " ".join(str(number * 7919 % 100000) for number in range(300))

Grey = npt.NDArray[np.uint8]


def text_pdf(
    *texts: str,
    font: str = "Times-Roman",
    size: int = 10,
    angle: int = 0,
    rotate: int = 0,
    lines: int = 40,
    invisible: bool = False,
) -> bytes:
    """A page for each text, which fills it.

    `angle` turns the text itself, counter-clockwise, `rotate` is each page's /Rotate.
    """
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4, invariant=True)
    for text in texts:
        canvas.saveState()
        if angle:
            canvas.translate(A4[0] / 2, A4[1] / 2)
            canvas.rotate(angle)
            # Across, the page is as high as it was broad.
            canvas.translate(*((-A4[0] / 2, -A4[1] / 2) if angle == 180 else (-A4[1] / 2, -A4[0] / 2)))
        width, height = A4 if angle % 180 == 0 else A4[::-1]
        writer = canvas.beginText(60, height - 70)
        writer.setFont(font, size)
        if invisible:
            writer.setTextRenderMode(3)
        measure = partial(canvas.stringWidth, fontName=font, fontSize=size)
        for line in islice(_lines(text, measure, width - 120), min(lines, int((height - 140) / size / 1.25))):
            writer.textLine(line)
        canvas.drawText(writer)
        canvas.restoreState()
        canvas.setPageRotation(rotate)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _lines(text: str, measure: Callable[[str], float], width: float) -> Iterator[str]:
    """The text over and over, in lines that fit."""
    line = ""
    for word in cycle(text.split()):
        if measure(f"{line} {word}") <= width:
            line = f"{line} {word}".strip()
        else:
            yield line
            line = word


def drawn(document: bytes | str, index: int = 0, dpi: float = 150) -> Grey:
    """A page of a PDF in grey."""
    with pypdfium2.PdfDocument(document) as opened:
        return np.array(opened[index].render(scale=dpi / 72, grayscale=True).to_numpy()).squeeze()


def text_page(text: str = ENGLISH, dpi: float = 150, **how: Any) -> Grey:
    """A page of text in grey."""
    return drawn(text_pdf(text, **how), dpi=dpi)


def turned(page: Grey, clockwise: int) -> Grey:
    return np.ascontiguousarray(np.rot90(page, -clockwise // 90))
