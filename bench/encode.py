"""Each codec beside the public tool for the same transfer syntax."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
from dicomprinter.dicom.codecs import encode
from dicomprinter.dicom.page import Pixels
from tests.peers import program


@dataclass(frozen=True)
class _Codec:
    """A syntax, the tool that writes it, and how many times as fast we are to be."""

    name: str
    syntax: UID
    tool: tuple[str, ...] = ()
    target: float | None = None


@dataclass(frozen=True, eq=False)
class _Page:
    """Pixels, the uncompressed object of them that the tools read, and one so small that it shows their start-up."""

    name: str
    pixels: Pixels
    bits: int
    file: Path
    tiny: Path


_CODECS: Final = (
    _Codec(".70 JPEG Lossless", JPEGLosslessSV1, ("dcmcjpeg", "+e1"), 0.95),
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
        fitting = [codec for codec in _CODECS if page.bits == 8 or codec.syntax != JPEGBaseline8Bit]
        rows += [_row(codec, page, place) for codec in fitting]
    return rows


def _row(codec: _Codec, page: _Page, place: Place) -> Row:
    what = f"{codec.name}, {page.name}"
    rounds, output = place.scale.rounds, place.folder / "encoded.dcm"

    def ours() -> object:
        return encode(page.pixels, page.bits, codec.syntax, 90)

    if not codec.tool or not place.scale.peers:
        return Row("encode", what, alternate(rounds, {"ours": ours})["ours"])
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
        # The targets are those of colour and 8 bits a sample, where the public figures come from.
        target=codec.target if page.pixels.ndim == 3 else None,
        remark=_remark(found["theirs"], found["start"], found["with file"], processor_ratio),
        details={
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
