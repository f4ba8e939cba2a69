"""Prints of a job in this process: the action's XML, its pages, what a printer got."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from dicomprinter.program import Program
from tests.system.help import House, perform
from tests.system.service import connection


def film(port: int, inner: str = "", *, name: str = "Film", ae_title: str = "PRINTER", more: str = "") -> str:
    """A Print; `inner` beside its connection, `more` inside that."""
    return f'<Print name="{name}">{connection(port, ae_title, more=more)}{inner}</Print>'


def session(inner: str) -> str:
    return f"<BasicFilmSessionAttributes>{inner}</BasicFilmSessionAttributes>"


def film_box(inner: str) -> str:
    return f"<BasicFilmBoxAttributes>{inner}</BasicFilmBoxAttributes>"


def image_box(inner: str) -> str:
    return f"<BasicImageBoxAttributes>{inner}</BasicImageBoxAttributes>"


def layout(text: str) -> str:
    return film_box(f"<ImageDisplayFormat>{text}</ImageDisplayFormat>")


def mode(text: str) -> str:
    return f"<PrintMode>{text}</PrintMode>"


def printing(house: House, port: int, inner: str = "", *, on_error: str = "Hold") -> Program:
    """A workflow that prints."""
    return house.program(film(port, inner), perform("Film", on_error=on_error))


def image(box: Dataset) -> Dataset:
    """The image of an image box."""
    (found,) = box.get("BasicGrayscaleImageSequence") or box.BasicColorImageSequence
    return found


def pixels(box: Dataset) -> np.ndarray[Any, Any]:
    """The pixels of an image box as (rows, columns[, 3])."""
    one = image(box)
    shape = (one.Rows, one.Columns) if one.SamplesPerPixel == 1 else (3, one.Rows, one.Columns)
    found = np.frombuffer(one.PixelData, np.uint8 if one.BitsAllocated == 8 else np.uint16, int(np.prod(shape)))
    return found.reshape(shape) if one.SamplesPerPixel == 1 else np.moveaxis(found.reshape(shape), 0, -1)


def wide(grey: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Grey of 8 bits as 12 bits have it."""
    return grey.astype(np.uint16) << 4 | grey >> 4
