"""Several PDFs as one, through PDFium: every page as it is, one after the other."""

from __future__ import annotations

import io
from contextlib import ExitStack
from typing import TYPE_CHECKING

from dicomprinter.errors import InputError
from dicomprinter.imaging.pdf import opened
from dicomprinter.imaging.refusals import damaged, too_large

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dicomprinter.imaging.limits import Limits


def merge_pdfs(paths: Sequence[Path], limits: Limits) -> bytes:
    """One PDF of all pages, in this order.

    Raises:
        InputError: a file needs a password or is damaged, or they have too many pages together.
    """
    import pypdfium2  # noqa: PLC0415 - only a PDF pays for it

    with ExitStack() as stack:
        made = stack.enter_context(pypdfium2.PdfDocument.new())
        sources = [stack.enter_context(opened(path)) for path in paths]
        wanted = sum(map(len, sources))
        if wanted > limits.pages:
            raise too_large(f"{wanted} pages together; {limits.pages} are allowed", "MaximumPages")
        try:
            for source in sources:
                made.import_pages(source)
        except pypdfium2.PdfiumError:
            raise damaged("PDF", "its pages cannot be copied") from None
        if len(made) != wanted:
            raise InputError("PDFs cannot be merged", cause="a page of them cannot be copied")
        stream = io.BytesIO()
        made.save(stream)
        return stream.getvalue()
