"""Writing a text on a page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from dicomprinter.dicom.page import Page
from dicomprinter.imaging.edits.base import Note, PageEdit
from dicomprinter.imaging.edits.place import Box, box_of, fill, lay, samples_of
from dicomprinter.imaging.fonts.letters import FontUse, Letters, clean
from dicomprinter.imaging.fonts.lines import Setting, drawn, set_text
from dicomprinter.imaging.limits import Limits

Colour = tuple[int, int, int, int]


@dataclass(frozen=True)
class PrintText(PageEdit):
    """Writes a text into a rectangle: words wrap, line ends stay, and what does not fit is told.

    Args:
        text: what is written.
        x: the left edge, in percent of the page's width.
        y: the top, in percent of the page's height.
        width: in percent of the page's width.
        height: in percent of the page's height.
        colour: red, green, blue, alpha, 0 to 255; a grey page gets the luminance.
        background: the same, of the whole rectangle.
        font_height: of the em square, in percent of the page's height.
        fonts: files, each with its index in a collection and the characters that it is for, as in `FontUse`.
        across: where the lines stand.
        down: where the text stands; one that does not fit begins at the top.
    """

    kind: ClassVar[str] = "print_text"

    text: str
    x: float
    y: float
    width: float
    height: float
    colour: Colour
    background: Colour
    font_height: float
    fonts: tuple[tuple[str, int, str], ...]
    across: Literal["left", "centre", "right"]
    down: Literal["top", "centre", "bottom"]

    def apply(self, page: Page, number: int, note: Note, limits: Limits | None = None) -> Page:
        """The page with the text.

        Raises:
            PermanentError: a font is gone, or the letters would be too large.
        """
        box = box_of(page, self.x, self.y, self.width, self.height)
        text = clean(self.text)
        if box.width < 1 or box.height < 1:
            if text.strip():
                note("nothing of the text is written: its rectangle has no pixel")
            return page
        pixels = page.pixels.copy()
        region = pixels[box.slices]
        fill(region, samples_of(page, self.background[:3]), self.background[3])
        letters = Letters([FontUse(*font) for font in self.fonts], self._size(page))
        setting = set_text(text, letters, (box.width, box.height), self.across, self.down)
        _tell(setting, note)
        picture = drawn(setting, letters, box.width, box.height)
        written = picture.getbbox()
        if written:
            inked = Box(*written).slices
            lay(region[inked], samples_of(page, self.colour[:3]), np.asarray(picture)[inked], self.colour[3])
        return replace(page, pixels=pixels)

    def _size(self, page: Page) -> int:
        return max(1, round(self.font_height * page.form.rows / 100))


def _tell(setting: Setting, note: Note) -> None:
    if setting.left_out:
        number = len(setting.lines)
        written = "line is" if number == 1 else f"{number} lines are"
        note(f"the text does not fit into its rectangle; only its first {written} written")
    elif setting.is_cut:
        note("the text does not fit into its rectangle; letters are cut off")
