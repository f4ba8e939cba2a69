"""How large a film and its images are (PS3.3 C.13.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dicomprinter.dicom.page import Page

_MM: Final = 1 / 25.4
_PAPER: Final = {"A4": (210 * _MM, 297 * _MM), "A3": (297 * _MM, 420 * _MM)}
_UNITS: Final = {"IN": 1.0, "CM": 10 * _MM, "MM": _MM}
# 8INX10IN, 24CMX30CM, and 8_5INX11IN for eight and a half.
_SIZE: Final = re.compile(r"(\d{1,3}(?:_\d{1,2})?)(IN|CM|MM)X(\d{1,3}(?:_\d{1,2})?)(IN|CM|MM)")

Size = tuple[float, float]
"""Width and height; of films and images in inches."""


def film_size(size_id: str | None, orientation: str) -> Size | None:
    """The size of a film by its Film Size ID; None when that says no size."""
    match = _SIZE.fullmatch(size_id or "")
    if match:
        sides = (_number(match[1]) * _UNITS[match[2]], _number(match[3]) * _UNITS[match[4]])
    elif size_id in _PAPER:
        sides = _PAPER[size_id]
    else:
        return None
    if not min(sides):
        return None
    return (max(sides), min(sides)) if orientation == "LANDSCAPE" else (min(sides), max(sides))


def image_size(display_format: str, position: int, film: Size) -> Size | None:
    r"""The size of an image on a film; None where only the printer knows it.

    Args:
        display_format: STANDARD\columns,rows; ROW\ or COL\ with the number of images in each row or column.
        position: of the image, from 1.
        film: width and height.
    """
    kind, _, counts = display_format.partition("\\")
    numbers = [int(count) for count in counts.split(",")] if kind in ("STANDARD", "ROW", "COL") else []
    width, height = film
    if kind == "STANDARD":
        return width / numbers[0], height / numbers[1]
    for count in numbers:
        if position <= count:
            across, down = (count, len(numbers)) if kind == "ROW" else (len(numbers), count)
            return width / across, height / down
        position -= count
    return None


def fitted(page: Page, image: Size, resolution: tuple[int, int]) -> tuple[int, int]:
    """Columns and rows that a page gets: as large as its image on the film, of the page's own proportions.

    Args:
        page: as it is.
        image: its size on the film.
        resolution: pixels an inch, across and down.
    """
    rows, columns = page.pixels.shape[:2]
    across, down = page.resolution or (1.0, 1.0)
    width, height = columns / across, rows / down
    scale = min(image[0] / width, image[1] / height)
    return max(1, round(width * scale * resolution[0])), max(1, round(height * scale * resolution[1]))


def _number(text: str) -> float:
    return float(text.replace("_", "."))
