"""Setting a text in a rectangle: words wrap, line ends are kept."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from dicomprinter.imaging.fonts.letters import Letters

# Other spaces, such as U+00A0, keep words together. Pillow measures a million characters at most.
_WORD: Final = re.compile(" {1,2000}[^ ]{0,2000}|[^ ]{1,2000}")


@dataclass(frozen=True)
class Line:
    """A line and where its pen starts: columns from the left, base line in rows from the top."""

    text: str
    pen: float
    base: float


@dataclass(frozen=True)
class Setting:
    """A text in its rectangle.

    Args:
        lines: those that are drawn.
        left_out: whether there would be more.
        is_cut: whether ink of these lies outside the rectangle.
    """

    lines: tuple[Line, ...]
    left_out: bool
    is_cut: bool


def set_text(text: str, letters: Letters, size: tuple[int, int], across: str, down: str) -> Setting:
    """Set a text; when it is too long, its beginning.

    Args:
        text: what `letters.clean` gives.
        letters: the fonts.
        size: width and height of the rectangle, in pixels.
        across: left, centre or right.
        down: top, centre or bottom.
    """
    width, height = size
    lines: list[str] = []
    left_out = is_cut = False
    top, bottom = math.inf, -math.inf  # of the ink, from the top of the first line
    for line in _wrapped(text, letters, width):
        base = len(lines) * letters.line_height + letters.ascent
        ink = letters.ink(line)
        if ink is not None:
            higher, lower = min(top, base + ink.top), max(bottom, base + ink.bottom)
            if top < bottom and lower - higher > height:
                left_out = True
                break
            top, bottom = higher, lower
            is_cut = is_cut or ink.right - ink.left > width
        lines.append(line)
    if top > bottom:
        return Setting((), left_out=False, is_cut=False)
    block = len(lines) * letters.line_height
    start = {"top": 0.0, "centre": (height - block) / 2, "bottom": float(height - block)}[down]
    # Ink counts, not the room above and below it: what can be seen whole is moved to where it is seen whole.
    start = max(min(start, height - bottom), -top)
    placed = tuple(
        _placed(line, letters, width, across, start + number * letters.line_height)
        for number, line in enumerate(lines)
        if line
    )
    return Setting(placed, left_out, is_cut or bottom - top > height)


def drawn(setting: Setting, letters: Letters, width: int, height: int) -> Image.Image:
    """The lines in white on a black grey picture of the rectangle."""
    picture = Image.new("L", (width, height))
    canvas = ImageDraw.Draw(picture)
    for line in setting.lines:
        letters.draw(canvas, line.pen, line.base, line.text)
    return picture


def _placed(line: str, letters: Letters, width: int, across: str, top: float) -> Line:
    room = width - letters.width(line)
    pen = {"left": 0.0, "centre": room / 2, "right": room}[across]
    ink = letters.ink(line)
    if ink is not None:
        pen = max(min(pen, width - ink.right), -ink.left)
    return Line(line, float(round(pen)), float(round(top + letters.ascent)))


def _wrapped(text: str, letters: Letters, width: int) -> Iterator[str]:
    """The lines, made as they are asked for: of a long text most never are."""
    for paragraph in text.split("\n"):
        line = ""
        for found in _WORD.finditer(paragraph):
            word = found[0]
            if letters.width(line + word) <= width:
                line += word
                continue
            if line:
                yield line.rstrip(" ")
            if line or word.isspace():
                word = word.lstrip(" ")
            while (end := _fitting(word, letters, width)) < len(word):
                yield word[:end]
                word = word[end:]
            line = word
        yield line.rstrip(" ")


def _fitting(line: str, letters: Letters, width: int) -> int:
    """How many characters of a line go into the width; at least one. Of a long line most are never looked at."""
    low = 1
    while low < len(line) and letters.width(line[: 2 * low]) <= width:
        low *= 2
    low, high = min(low, len(line)), min(2 * low, len(line))
    while low < high:
        middle = (low + high + 1) // 2
        if letters.width(line[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low
