"""The text of a job: what its PDFs say, else the text that came beside its pages."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.job.parts import TEXT_AS_PDF

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.job.job import Job


def job_text(job: Job, tools: Tools) -> str:
    """The text layers of a job's PDFs, else its texts; a form feed stands between pages.

    A PDF that a text has been set as breaks that text's long lines, so there the text itself is taken.

    Raises:
        TransientError: the decoder cannot be started.
        PermanentError: a PDF cannot be read, or has more text than a job may have.
    """
    payload = job.payload
    set_as = {str(PurePosixPath(text).with_suffix(TEXT_AS_PDF)) for text in payload.texts}
    pages = [page for name in payload.documents if name not in set_as for page in _texts(job, name, tools)]
    if not any(page.strip() for page in pages):
        pages = [job.path(name).read_text(encoding="utf-8-sig", errors="replace") for name in payload.texts]
    return "\f".join(pages)


def _texts(job: Job, document: str, tools: Tools) -> list[str]:
    try:
        return tools.decoder.texts(job.path(document))
    except InputError as error:
        raise PermanentError(error.what, cause=error.cause, remedy=error.remedy, private=error.private) from error
