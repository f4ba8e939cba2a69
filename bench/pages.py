"""The pages that everything is measured on: made by code, the same in every run."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

A4: Final = (3508, 2480)
"""Rows and columns of A4 at 300 dpi."""
_WORDS: Final = (
    "patient", "shows", "a", "regular", "rhythm", "of", "the", "heart", "without", "signs", "of", "strain", "and",
    "vital", "capacity", "reaches", "expected", "values", "after", "inhalation", "no", "further", "findings",
)  # fmt: skip
_MARGIN: Final = 0.07
_LINES: Final = 62


def photo(rows: int, columns: int, *, seed: int = 1) -> NDArray[np.uint8]:
    """(rows, columns, 3): soft colours with a sensor's noise."""
    down, across = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j].astype(np.float32)
    soft = np.stack(
        [
            128 + 90 * np.sin(7 * across + 3 * down) * np.cos(5 * down),
            128 + 80 * np.sin(9 * down + 2 * across * across),
            128 + 70 * np.cos(6 * across * down + 4 * across),
        ],
        axis=2,
    )
    noise = np.random.default_rng(seed).normal(0, 2.5, soft.shape).astype(np.float32)
    return (soft + noise).clip(0, 255).astype(np.uint8)


def text_with_pictures(rows: int, columns: int, *, seed: int = 1) -> NDArray[np.uint8]:
    """(rows, columns, 3): a printed report, black on white, with two photographs in colour."""
    image = Image.new("RGB", (columns, rows), "white")
    draw = ImageDraw.Draw(image)
    random = np.random.default_rng(seed)
    step = rows * (1 - 2 * _MARGIN) / _LINES
    font = ImageFont.load_default(size=max(6, round(step * 0.66)))
    left = round(columns * _MARGIN)
    for line in range(_LINES):
        words = " ".join(random.choice(_WORDS, 14))
        draw.text((left, round(rows * _MARGIN + line * step)), words, fill=(20, 20, 20), font=font)
    picture = photo(max(1, rows // 5), max(1, columns // 3), seed=seed)
    for share in (0.3, 0.6):
        image.paste(Image.fromarray(picture), (columns // 2, round(rows * share)))
    return np.asarray(image).copy()


def grey(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(rows, columns): what a scanner without colour would give."""
    return np.asarray(Image.fromarray(page).convert("L")).copy()


def deep(page: NDArray[np.uint8], *, seed: int = 1) -> NDArray[np.uint16]:
    """(rows, columns), 12 bits: the grey page with four bits of noise below."""
    noise = np.random.default_rng(seed).integers(0, 16, page.shape[:2], dtype=np.uint16)
    return grey(page) * np.uint16(16) + noise
