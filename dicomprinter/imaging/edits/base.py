"""What every edit of a page is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from dicomprinter.dicom.page import Form, Page
from dicomprinter.imaging.limits import Limits

Note = Callable[[str], object]
"""Takes a sentence of which the job's history warns, once for all pages alike; nothing of the patient."""


@dataclass(frozen=True)
class PageEdit(ABC):
    """A change of a page. Its subclass is a frozen dataclass of plain values, for it is written down as JSON.

    The fields may be texts, numbers, booleans, None, and tuples of these; `registry` knows each edit by its `kind`.
    """

    kind: ClassVar[str]

    @abstractmethod
    def apply(self, page: Page, number: int, note: Note, limits: Limits | None = None) -> Page:
        """The changed page, with its resolution and its lossy history; `page` itself when there is nothing to change.

        Args:
            page: 8 bit grey, 16 bit grey or RGB; its pixels may be read-only.
            number: of the page in the job, from 1.
            note: takes what the job's history should tell.
            limits: of a picture that is opened for it; the usual ones when unsaid.

        Raises:
            PermanentError: it cannot be done to this page.
        """

    def size(self, form: Form, number: int) -> tuple[int, int]:
        """Width and height that `apply` gives a page of this form, in pixels; asked before memory is taken.

        Raises:
            PermanentError: it cannot be done to such a page.
        """
        return form.columns, form.rows

    @property
    def shows_in_pixels(self) -> bool:
        """Whether `size` is only the most that the page may have: what it has depends on what is on it."""
        return False

    def below(self, folder: Path) -> Self:
        """This edit with the files that it names as paths, where it names them relative to the job's folder."""
        return self
