"""Reads pages that have no text, by the program tesseract: it gets the pixels by standard input and prints a text."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.programs import Call
from dicomprinter.errors import PermanentError, TransientError
from dicomprinter.imaging.mode import ColourMode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dicomprinter.actions.base import Tools
    from dicomprinter.dicom.page import Page
    from dicomprinter.job.job import Job
    from dicomprinter.job.parts import PageRef

PROGRAM: Final = "tesseract"
_SECONDS: Final = 120.0
_DPI: Final = 300
# What tesseract believes of a page.
_BELIEVED: Final = range(70, 2401)


@dataclass(frozen=True)
class Ocr:
    """Reads the pages of one job.

    Args:
        action: the name of the action that asks for it.
        job: whose pages these are.
        tools: what opens them and starts the program.
        language: what tesseract calls the language, several joined by `+`.
        needed: whether a page that cannot be read is a failure; otherwise the history says so.
    """

    action: str
    job: Job
    tools: Tools
    language: str
    needed: bool

    def read(self, pages: Sequence[PageRef]) -> list[str]:
        """The text of each page; empty where there is none, and where it could not be read.

        Raises:
            PermanentError, TransientError: a page that is needed cannot be read.
        """
        told: dict[str, None] = {}
        found: list[str] = []
        with self.job.folder.work() as work:
            for page in pages:
                try:
                    found.append(self._read_one(page, work))
                except (PermanentError, TransientError) as error:
                    if self.needed:
                        raise
                    found.append("")
                    if str(error) not in told:
                        what = f"{self.action}: a page was not read: {error}"
                        self.job.note(what, level="WARN", private=error.private)
                    told[str(error)] = None
        return found

    def _read_one(self, page: PageRef, work: Path) -> str:
        if shutil.which(PROGRAM) is None:
            raise PermanentError(
                f'there is no program "{PROGRAM}"',
                cause='ocr="true" needs it, and no folder of PATH, as the service has it, holds it',
                remedy="install tesseract-ocr, with the language, or take ocr away",
            )
        with self.tools.decoder.turn() as turn:
            pages = JobPages(self.job, self.tools.decoder)
            opened = pages.open(page, ColourMode.MONOCHROME8, dpi=_DPI, admit=turn.admit)
            data = _pgm(opened)
        resolution = round(opened.resolution[0]) if opened.resolution else 0
        dpi = resolution if resolution in _BELIEVED else _DPI
        # Lines go over the whole page, and blanks between columns stay, as they do in a PDF's text layer.
        options = ("--dpi", str(dpi), "--psm", "6", "-c", "preserve_interword_spaces=1", "-l", self.language)
        call = Call(
            (PROGRAM, "-", "-", *options),
            work,
            _SECONDS,
            data,
            # A page is read by one processor, so that other jobs have theirs.
            {"OMP_THREAD_LIMIT": "1"},
            ("TESSDATA_PREFIX",),
            self.tools.decoder.limits.text,
            only_computes=True,
        )
        ended = self.tools.programs.run(call)
        if ended is None:
            return ""
        ended.check(PROGRAM)
        return ended.output.decode("utf-8", "replace").replace("\f", "")


def _pgm(page: Page) -> bytes:
    """A grey page of 8 bits as a Portable Graymap."""
    rows, columns = page.pixels.shape[:2]
    return f"P5\n{columns} {rows}\n255\n".encode() + page.pixels.tobytes()
