"""The text of a job: what its PDFs say, else the text that came beside its pages."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.job.parts import TEXT_AS_PDF, PageRef

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.parse.ocr import Ocr
    from dicomprinter.job.job import Job


def job_text(job: Job, tools: Tools, ocr: Ocr | None) -> str:
    """The text layers of a job's PDFs, in the order of its pages, else its texts; a form feed stands between pages.

    A PDF that a text has been set as breaks that text's long lines, so there the text itself is taken. `ocr` reads the
    pages that have no text, where no text came beside them either.

    Raises:
        TransientError: the decoder cannot be started, or a page that is needed cannot be read now.
        PermanentError: a PDF or a page that is needed cannot be read, or there is more text than a job may have.
    """
    payload = job.payload
    set_as = {str(PurePosixPath(text).with_suffix(TEXT_AS_PDF)) for text in payload.texts}
    layers = {
        PageRef(name, index): text
        for name in payload.documents
        if name not in set_as
        for index, text in enumerate(_texts(job, name, tools))
    }
    pages = {page: layers.get(page, "") for page in JobPages(job, tools.decoder).in_order(layers)}
    if payload.texts and not any(text.strip() for text in pages.values()):
        return "\f".join(job.path(name).read_text(encoding="utf-8-sig", errors="replace") for name in payload.texts)
    if ocr is not None:
        blank = [page for page, text in pages.items() if not text.strip()]
        pages |= dict(zip(blank, ocr.read(blank), strict=True))
    return "\f".join(pages.values())


def _texts(job: Job, document: str, tools: Tools) -> list[str]:
    try:
        return tools.decoder.texts(job.path(document))
    except InputError as error:
        raise PermanentError(error.what, cause=error.cause, remedy=error.remedy, private=error.private) from error
