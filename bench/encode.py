"""Each codec beside the public tool for the same transfer syntax."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from pydicom.uid import (
    UID,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from bench.instances import write_instance
from bench.measure import Figure, alternate, processor_ms, run
from bench.pages import deep, grey, photo, text_with_pictures
from bench.results import Row
from bench.scale import Place
from dicomprinter.dicom.codecs import Encoded, encode
from dicomprinter.dicom.page import Pixels
from tests.peers import program


@dataclass(frozen=True)
class _Codec:
    """A syntax, the tool that writes it, and how many times as fast we are to be.

    Args:
        name: for the reader.
        syntax: what is written.
        tool: the program and its options; empty where there is none.
        target: for pages in colour, where the public figures come from.
        target_of_grey: for the others.
        without: a module that is hidden meanwhile.
        remark: what else a reader has to know.
    """

    name: str
    syntax: UID
    tool: tuple[str, ...] = ()
    target: float | None = None
    target_of_grey: float | None = None
    without: str | None = None
    remark: str = ""


@dataclass(frozen=True, eq=False)
class _Page:
    """Pixels, the uncompressed object of them that the tools read, and one so small that it shows their start-up."""

    name: str
    pixels: Pixels
    bits: int
    file: Path
    tiny: Path


_OWN_JPEG: Final = "dicomprinter_jpeg"
_CODECS: Final = (
    _Codec(".70 by dicomprinter-jpeg", JPEGLosslessSV1, ("dcmcjpeg", "+e1"), 2.5, 2.5),
    _Codec(".70 by imagecodecs", JPEGLosslessSV1, ("dcmcjpeg", "+e1"), 0.95, without=_OWN_JPEG),
    _Codec("RLE", RLELossless, ("dcmcrle",), 0.9),
    _Codec(".50 JPEG Baseline", JPEGBaseline8Bit, ("dcmcjpeg", "+eb", "+q", "90"), 6),
    _Codec(".80 JPEG-LS", JPEGLSLossless, ("dcmcjpls",)),
    _Codec(".90 JPEG 2000", JPEG2000Lossless),
    _Codec(".201 HTJ2K", HTJ2KLossless),
)


def measure(place: Place) -> list[Row]:
    """A row for each page and codec."""
    text, picture = text_with_pictures(*place.scale.page), photo(*place.scale.page)
    tiny = place.folder / "tiny.dcm"
    write_instance(tiny, grey(text)[:8, :8].copy())
    pages = (
        _Page("text RGB", text, 8, place.folder / "text.dcm", tiny),
        _Page("photo RGB", picture, 8, place.folder / "photo.dcm", tiny),
        _Page("text grey 8", grey(text), 8, place.folder / "grey.dcm", tiny),
        _Page("photo grey 12", deep(picture), 12, place.folder / "deep.dcm", tiny),
    )
    rows = []
    for page in pages:
        write_instance(page.file, page.pixels, page.bits)
        for codec in _codecs():
            if page.bits == 8 or codec.syntax != JPEGBaseline8Bit:
                with _hidden(codec.without):
                    rows.append(_row(codec, page, place))
    return rows


def _codecs() -> tuple[_Codec, ...]:
    if find_spec(_OWN_JPEG) is not None:
        return _CODECS
    return (replace(_CODECS[1], remark="dicomprinter-jpeg is not installed; "), *_CODECS[2:])


@contextmanager
def _hidden(module: str | None) -> Iterator[None]:
    """Let imports of it fail, as where it is not installed."""
    if module is None:
        yield
        return
    modules: dict[str, Any] = sys.modules
    before = modules.get(module)
    modules[module] = None
    try:
        yield
    finally:
        del modules[module]
        if before is not None:
            modules[module] = before


def _row(codec: _Codec, page: _Page, place: Place) -> Row:
    what = f"{codec.name}, {page.name}"
    rounds, output = place.scale.rounds, place.folder / "encoded.dcm"

    def ours() -> Encoded:
        return encode(page.pixels, page.bits, codec.syntax, 90)

    size = {"bytes": len(ours().data)}
    if not codec.tool or not place.scale.peers:
        return Row("encode", what, alternate(rounds, {"ours": ours})["ours"], remark=codec.remark, details=size)
    tool = (program(codec.tool[0]), *codec.tool[1:])
    actions: dict[str, Callable[[], object]] = {
        "ours": ours,
        "theirs": lambda: run(*tool, page.file, output),
        "start": lambda: run(*tool, page.tiny, output),
        "with file": lambda: write_instance(output, page.pixels, page.bits, codec.syntax),
    }
    found = alternate(rounds, actions)
    used = {name: processor_ms(actions[name], min(3, rounds)) for name in ("ours", "theirs", "start")}
    net = found["theirs"].less(found["start"])
    processor_ratio = used["theirs"].less(used["start"]).median / max(0.1, used["ours"].median)
    return Row(
        "encode",
        what,
        found["ours"],
        net,
        target=codec.target if page.pixels.ndim == 3 else codec.target_of_grey,
        remark=codec.remark + _remark(found["theirs"], found["start"], found["with file"], processor_ratio),
        details=size
        | {
            "theirs_whole": found["theirs"],
            "theirs_start_up": found["start"],
            "ours_with_file": found["with file"],
            "processor_ours": used["ours"],
            "processor_theirs_whole": used["theirs"],
            "processor_ratio": round(processor_ratio, 3),
        },
    )


def _remark(whole: Figure, start: Figure, with_file: Figure, processor_ratio: float) -> str:
    return (
        f"theirs whole {whole}, start-up {start}; ours with its file {with_file}; by processor {processor_ratio:.2f}×"
    )
