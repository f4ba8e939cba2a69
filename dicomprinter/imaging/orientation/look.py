"""Looks at one page of a file, in the decoder's child process."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dicomprinter.imaging import pdf
from dicomprinter.imaging.colour import to_grey
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.open import PDF, open_page
from dicomprinter.imaging.orientation.analysis import analyse
from dicomprinter.imaging.orientation.finding import Finding, Gates
from dicomprinter.imaging.orientation.pdf_text import text_finding
from dicomprinter.imaging.probe import sniff
from dicomprinter.imaging.refusals import refusing
from dicomprinter.imaging.source import mapped

_MOST_DPI: Final = 300.0


def look(path: Path, index: int, gates: Gates, limits: Limits) -> Finding:
    """Which way the text of a page stands.

    A PDF page is decided by its text, one without by how it looks.

    Args:
        path: a picture or a PDF.
        index: the page, from 0.
        gates: how it is looked at.
        limits: checked before memory is taken.

    Raises:
        PermanentError: the page cannot be read.
        TransientError: the disk or the system fails.
    """
    dpi = _MOST_DPI
    with refusing(index), mapped(path, limits) as data:
        if sniff(data) == PDF:
            with pdf.page_of(path, index) as page:
                finding = text_finding(page)
                longer = max(page.get_size())
            if finding is not None:
                return finding
            dpi = min(_MOST_DPI, gates.longest / longer * 72)
    return analyse(to_grey(open_page(path, index, limits, dpi=dpi), 8).pixels, gates)
