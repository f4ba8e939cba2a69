"""A text in one or several fonts: which font each character takes, and how wide it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from PIL import ImageDraw
from PIL.ImageFont import FreeTypeFont, Layout, truetype

from dicomprinter.errors import PermanentError

LARGEST: Final = 8192
"""Pixels: the greatest height of letters."""
_TAB: Final = " " * 4
# Control and format characters: nothing of them is to be seen.
_UNWRITTEN: Final = ("Cc", "Cf")
_HALF: Final = "Cs"
_RIGHT_TO_LEFT: Final = ("R", "AL")


def clean(text: str) -> str:
    """A text of characters that can be drawn: composed, tabs as blanks, every kind of line end the same."""
    whole = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(one) == _HALF else one for one in text)
    lines = unicodedata.normalize("NFC", whole).replace("\t", _TAB).splitlines()
    return "\n".join("".join(one for one in line if unicodedata.category(one) not in _UNWRITTEN) for line in lines)


def runs_backwards(text: str) -> bool:
    """Whether some of it is written from right to left (Hebrew, Arabic)."""
    return any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text)


@dataclass(frozen=True)
class FontUse:
    """A font, and what it is for.

    Args:
        file: its path.
        index: which font of a collection.
        characters: those that are taken from it; of the first font of several this is empty: it takes the rest.
    """

    file: str
    index: int
    characters: str = ""


@dataclass(frozen=True)
class Ink:
    """A rectangle around what is drawn, in pixels from where the pen starts on the base line."""

    left: float
    top: float
    right: float
    bottom: float


class Letters:
    """Fonts of one size.

    Args:
        uses: at least one.
        size: of the em square, in pixels.

    Raises:
        PermanentError: a font cannot be opened, or the size is too large.
    """

    def __init__(self, uses: Sequence[FontUse], size: int) -> None:
        if size > LARGEST:
            raise PermanentError(
                f"letters of {size} pixels are too large",
                cause=f"{LARGEST} pixels are the most that are drawn",
                remedy="make FontHeight smaller",
            )
        self._fonts = [_opened(use, size) for use in uses]
        self._places = {one: number for number, use in enumerate(uses) for one in use.characters}
        metrics = [font.getmetrics() for font in self._fonts]
        self.ascent = max(ascent for ascent, _ in metrics)
        self.line_height = self.ascent + max(descent for _, descent in metrics)

    def width(self, line: str) -> float:
        """How far the pen goes, in pixels."""
        return sum(font.getlength(run) for font, run in self._runs(line))

    def ink(self, line: str) -> Ink | None:
        """What is drawn of a line; None when nothing is."""
        boxes: list[Ink] = []
        pen = 0.0
        for font, run in self._runs(line):
            left, top, right, bottom = font.getbbox(run, anchor="ls")
            if right > left and bottom > top:
                boxes.append(Ink(pen + left, top, pen + right, bottom))
            pen += font.getlength(run)
        if not boxes:
            return None
        return Ink(
            min(box.left for box in boxes),
            min(box.top for box in boxes),
            max(box.right for box in boxes),
            max(box.bottom for box in boxes),
        )

    def draw(self, canvas: ImageDraw.ImageDraw, pen: float, base: float, line: str) -> None:
        """Draw a line on a grey canvas in white."""
        for font, run in self._runs(line):
            canvas.text((pen, base), run, fill=255, font=font, anchor="ls")
            pen += font.getlength(run)

    def _runs(self, line: str) -> list[tuple[FreeTypeFont, str]]:
        if not self._places:
            return [(self._fonts[0], line)] if line else []
        runs = groupby(line, lambda one: self._places.get(one, 0))
        return [(self._fonts[place], "".join(run)) for place, run in runs]


def _opened(use: FontUse, size: int) -> FreeTypeFont:
    try:
        # The other layout needs a library that not every system has, and would then give other lines.
        return truetype(use.file, size, index=use.index, layout_engine=Layout.BASIC)
    except OSError as error:
        raise PermanentError(
            "a font cannot be opened",
            cause=f"{use.file} was there when the action was performed: {error.strerror or error}",
            remedy="install it again, or let the job go back to the action",
        ) from error
