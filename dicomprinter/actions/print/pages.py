"""The pages of a job on films: which go together, which way a film lies, how many pixels each page has there."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dicomprinter.actions.print.geometry import film_size, fitted, image_size
from dicomprinter.actions.print.pixels import scaled
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.mode import ColourMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomprinter.actions.objects.job_pages import JobPages
    from dicomprinter.actions.print.action import Print
    from dicomprinter.actions.print.geometry import Size
    from dicomprinter.dicom.page import Page
    from dicomprinter.imaging.room import Turn
    from dicomprinter.job.parts import PageRef

MODES: Final = {
    "Color": ColourMode.RGB,
    "Grayscale8": ColourMode.MONOCHROME8,
    "Grayscale12": ColourMode.MONOCHROME12,
}
_DPI: Final = 300
"""Of a PDF's pages where nothing says how large they are to be."""
_FORM_DPI: Final = 72
_LEAST_DPI: Final = 18
_MOST_DPI: Final = 1200


@dataclass(frozen=True)
class FilmPages:
    """Opens the pages of one Print of one job as its films want them; several threads may ask at once.

    Args:
        action: the Print.
        pages: of the job.
    """

    action: Print
    pages: JobPages
    _orientations: dict[PageRef, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def orientation(self, first: PageRef) -> str:
        """Which way a film lies: as the file says, else by the shape of its first page.

        Raises:
            PermanentError, TransientError: the page cannot be looked into.
        """
        said = self.action.film_box.film_orientation
        if said != "AUTO":
            return said
        with self._lock:
            if first not in self._orientations:
                columns, rows = self.pages.size(first, dpi=_FORM_DPI)
                self._orientations[first] = "LANDSCAPE" if columns > rows else "PORTRAIT"
            return self._orientations[first]

    def image_size(self, first: PageRef, position: int) -> Size | None:
        """The size in inches of an image on the film that begins with a page; None when pages stay as they are.

        Raises:
            PermanentError, TransientError: as `orientation`.
        """
        if self.action.resolution is None:
            return None
        film = film_size(self.action.film_box.film_size_id, self.orientation(first))
        return film and image_size(self.action.film_box.image_display_format.text, position, film)

    def open(
        self, page: PageRef, mode: ColourMode, size: Size | None, turn: Turn, note: Callable[[str], object]
    ) -> Page:
        """A page with the pixels that its image on the film has.

        Args:
            page: which.
            mode: the colour mode.
            size: of the image in inches; None leaves the page as it is.
            turn: its stay in memory.
            note: takes what the job's history should tell.

        Raises:
            PermanentError, TransientError: the page cannot be decoded, or would be larger than the limits allow.
        """
        resolution = self.action.resolution
        dpi = float(max(resolution) if resolution else _DPI)
        if resolution is None or size is None:
            return self.pages.open(page, mode, dpi=dpi, note=note, admit=turn.admit)
        most = round(size[0] * resolution[0]), round(size[1] * resolution[1])
        self._check(*most)
        if page.file in self.pages.job.payload.documents:
            columns, rows = self.pages.size(page, dpi=_FORM_DPI)
            inches = columns / _FORM_DPI, rows / _FORM_DPI
            dpi = max(resolution) * min(size[0] / inches[0], size[1] / inches[1])
            dpi = min(max(dpi, _LEAST_DPI), _MOST_DPI)
        # Once decoded, once scaled; 12 bits are scaled in 32.
        more = 6 * most[0] * most[1]
        opened = self.pages.open(page, mode, dpi=dpi, note=note, admit=lambda number: turn.admit(number + more))
        return scaled(opened, *fitted(opened, size, resolution))

    def _check(self, columns: int, rows: int) -> None:
        excess = self.pages.decoder.limits.excess(columns, rows)
        if excess:
            raise PermanentError(
                f"an image on the film would have {excess[0]}",
                cause="the film is that large at this Resolution",
                remedy=f"lower Resolution, or raise <{excess[1]}>",
            )
