"""Edits of pages: a line of JSON says which, and what follows is a picture; their results are kept and opened again.

The picture is the page, and what a PrintImage lays over it. The fonts of a PrintText are the program's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from dicomprinter.dicom.page import LossySource, Page
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.edits.registry import edit_from_json, edit_to_json
from dicomprinter.imaging.edits.steps import Step, Steps
from dicomprinter.imaging.fonts.folders import own_font
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.open import open_page
from dicomprinter.imaging.page_file import encode_page_file
from fuzz.drawing import CANARY, as_json, changed, check_public
from fuzz.files import Scratch
from fuzz.target import Target

_LIMITS: Final = Limits(pixels=1 << 18, side=4096, pages=4, bytes=1 << 20)
_SCRATCH: Final = Scratch()
_MOST: Final = 3
_RAMP: Final = np.arange(20 * 14 * 3, dtype=np.uint16).reshape(20, 14, 3)
_PAGES: Final = (
    Page((_RAMP % 256).astype(np.uint8), 8, (300.0, 150.0), LossySource("ISO_10918_1", 9.5)),
    Page(_RAMP[:, :, 0] * 97, 16, (72.0, 72.0)),
    Page(np.full((14, 20), 255, np.uint8), 8),
    Page(np.zeros((1, 1, 3), np.uint8), 8),
)
_PLACE: Final[Mapping[str, float]] = MappingProxyType({"x": 5.0, "y": 10.0, "width": 80.0, "height": 60.5})
_TEXT: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "text": "To " + CANARY,
        "colour": [255, 0, 0, 255],
        "background": [0, 0, 255, 40],
        "font_height": 20.0,
        "fonts": [["", 0, ""], ["", 0, "xT"]],
        "across": "centre",
        "down": "bottom",
    }
)
_OVERLAY: Final = "overlay"
# What `registry` knows, each with arguments that do something.
_EDITS: Final[tuple[list[Any], ...]] = (
    ["rotate", {"angle": 90}],
    ["rotate", {"angle": 180}],
    ["trim", {"top": 2, "bottom": "auto", "left": "auto", "right": 1}],
    ["trim", {"top": "auto", "bottom": "auto", "left": "auto", "right": "auto"}],
    ["resize", {"width": 60, "height": 9, "keep_aspect": True}],
    ["resize", {"width": 31, "height": 50, "keep_aspect": False}],
    ["print_text", {**_PLACE, **_TEXT}],
    ["print_text", {**_PLACE, **_TEXT, "text": "e\u0301\u05d0\ud800\t\u2028" + "x" * 99, "font_height": 90.0}],
    ["print_image", {**_PLACE, "file": _OVERLAY, "aspect": "keep", "pages": [[1, 1], [3, None]]}],
    ["print_image", {**_PLACE, "file": _OVERLAY, "aspect": "expand", "pages": [[1, None]]}],
)

# As in the decoder's process.
Image.MAX_IMAGE_PIXELS = None


def _run(data: bytes) -> None:
    line, _, picture = data.partition(b"\n")
    (_SCRATCH.folder / _OVERLAY).write_bytes(picture)
    steps = _steps(line)
    _apply(steps, _page(picture))


def _steps(line: bytes) -> tuple[Step, ...]:
    try:
        said = json.loads(line)
        pairs = [(str(kind), json.dumps(_with_fonts(arguments))) for kind, arguments in said[:_MOST]]
    except (LookupError, RecursionError, TypeError, ValueError):
        pairs = [("rotate", line.decode("utf-8", "replace"))]
    return tuple(Step(kind, arguments, number) for number, (kind, arguments) in enumerate(pairs, start=1))


def _with_fonts(arguments: Any) -> Any:
    """Arguments whose fonts are there: where they lie differs from machine to machine."""
    if not isinstance(arguments, dict) or not isinstance(arguments.get("fonts"), list):
        return arguments
    file = own_font().file
    return {**arguments, "fonts": [[file, *one[1:]] if isinstance(one, list) else one for one in arguments["fonts"]]}


def _page(picture: bytes) -> Page:
    try:
        return open_page(_SCRATCH.file(picture), 0, _LIMITS)
    except PermanentError:
        return _PAGES[len(picture) % len(_PAGES)]


def _apply(steps: tuple[Step, ...], page: Page) -> None:
    notes: list[str] = []
    for step in steps:
        try:
            edit = edit_from_json(step.kind, step.arguments)
        except PermanentError as error:
            check_public(error)
            return
        assert edit_from_json(*edit_to_json(edit)) == edit
    try:
        result = Steps(_SCRATCH.folder, steps).apply(page, _LIMITS, notes.append)
    except PermanentError as error:
        check_public(error)
        return
    form = result.form
    assert _LIMITS.excess(form.columns, form.rows) is None
    assert (form.samples, form.bits_stored) == (page.form.samples, page.form.bits_stored)
    assert result.lossy == page.lossy
    assert not any(CANARY in note for note in notes)
    again = _SCRATCH.folder / "again.png"
    again.write_bytes(encode_page_file(result))
    kept = open_page(again, 0, _LIMITS)
    assert (kept.form, kept.lossy) == (form, result.lossy)
    assert np.array_equal(kept.pixels, result.pixels)


def _seeds() -> Iterator[bytes]:
    for number, edit in enumerate(_EDITS):
        yield as_json([edit, _EDITS[number - 1]]) + b"\n" + encode_page_file(_PAGES[number % len(_PAGES)])


def _inputs() -> st.SearchStrategy[bytes]:
    edits = changed([list(_EDITS[start : start + _MOST]) for start in range(len(_EDITS))])
    pictures = st.sampled_from([encode_page_file(page) for page in _PAGES]) | st.binary(max_size=4)
    return st.builds(lambda said, picture: as_json(said) + b"\n" + picture, edits, pictures)


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=10_000,
    structured=5_000,
    words=(b'"rotate"', b'"trim"', b'"resize"', b'"auto"', b"1e999", b"-1", b"65535", b"\\u05d0", b"dpPG", b"IDAT"),
)
