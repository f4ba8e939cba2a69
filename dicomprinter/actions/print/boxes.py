"""Makes the images of a Print's films ahead of the printer, each as the file that its N-SET sends."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.objects.ahead import Ahead
from dicomprinter.actions.print.pages import MODES
from dicomprinter.actions.print.pixels import write_image_box
from dicomprinter.imaging.pool import cores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from dicomprinter.actions.print.attributes import FilmAttributes
    from dicomprinter.actions.print.pages import FilmPages
    from dicomprinter.job.parts import PageRef

Made = tuple[Path, list[str]]
"""An image's file, and the notes for the history."""


@dataclass(frozen=True)
class Order:
    """An image to be made: its page, its place on the film from 1, the film's first page, the Print's mode."""

    page: PageRef
    position: int
    first: PageRef
    mode: str


class ImageBoxes:
    """The images of some pages in their order; leaving the block ends what is still being made.

    Args:
        pages: opens them.
        attributes: what goes with them.
        work: a folder for their files.
        transfer_syntax: of the presentation context.
        refs: the pages.
        on_a_film: how many images a film has.
        mode: the Print's.
    """

    def __init__(
        self,
        pages: FilmPages,
        attributes: FilmAttributes,
        work: Path,
        *,
        transfer_syntax: str,
        refs: Sequence[PageRef],
        on_a_film: int,
        mode: str,
    ) -> None:
        self._pages = pages
        self._attributes = attributes
        self._work = work
        self._transfer_syntax = transfer_syntax
        self._orders = [
            Order(page, number % on_a_film + 1, refs[number - number % on_a_film], mode)
            for number, page in enumerate(refs)
        ]
        self._decoder = pages.pages.decoder
        self._taken = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._ahead = self._stack.enter_context(Ahead(self._orders, self.make, cores(), self._decoder.close))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def take(self, order: Order) -> Made:
        """The next image; one that was made for another place or mode is made anew.

        Raises:
            PermanentError, TransientError: the page cannot be decoded.
        """
        made = self._ahead.take()
        made_for = self._orders[self._taken]
        self._taken += 1
        if made_for == order:
            return made
        made[0].unlink()
        return self.make(order)

    def make(self, order: Order) -> Made:
        """Write an image box.

        Raises:
            PermanentError, TransientError: the page cannot be decoded.
        """
        notes: list[str] = []
        file = self._work / f"{order.page.file.replace('/', '-')}-{order.page.index}.{order.mode}"
        with self._decoder.turn() as turn:
            size = self._pages.image_size(order.first, order.position)
            page = self._pages.open(order.page, MODES[order.mode], size, turn, notes.append)
            resolution = self._pages.action.resolution if size else page.resolution
            across, down = resolution or (1, 1)
            write_image_box(
                file,
                self._attributes.image_box(order.position),
                page,
                (round(across), round(down)),
                self._transfer_syntax,
            )
        return file, notes
