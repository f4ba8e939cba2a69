"""Which way up a page is: a line of hints, the height of a page, and its pixels, which repeat until it is full."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import numpy as np
from hypothesis import strategies as st

from dicomprinter.errors import InputError
from dicomprinter.imaging.orientation.analysis import analyse
from dicomprinter.imaging.orientation.finding import Finding, Gates
from dicomprinter.imaging.orientation.hints import read_hints
from fuzz.drawing import as_json, changed, check_public
from fuzz.target import Target

_PIXELS: Final = 120 * 160
_TURNS: Final = (0, 90, 180, 270)
_GATES: Final = Gates(longest=100)
_HINTS: Final = {"version": 1, "pages": {"a.pdf#2": {"recommendedClockwiseDegrees": 90, "confidence": 0.87}}}


def _run(data: bytes) -> None:
    line, _, pixels = data.partition(b"\n")
    finding = _look(pixels)
    try:
        hints = read_hints(line)
    except InputError as error:
        check_public(error)
        return
    for name, hint in hints.pages.items():
        assert hint.clockwise in _TURNS
        assert 0 <= hint.confidence <= 1
        assert hints.of(name, 0) is not None
        with_hint = hint.beside(finding)
        _check(with_hint)
        # What both say is no less sure than what one says.
        assert with_hint.direction >= finding.direction - 1e-9


def _look(pixels: bytes) -> Finding:
    height, body = (pixels[0], pixels[1:]) if len(pixels) > 1 else (1, b"\xff")
    rows = 1 + height % 160
    page = np.resize(np.frombuffer(body, np.uint8), (rows, max(1, _PIXELS // rows)))
    finding = analyse(page, _GATES)
    _check(finding)
    return finding


def _check(finding: Finding) -> None:
    assert finding.clockwise in _TURNS
    shares = (finding.axis, finding.direction, finding.across, finding.down)
    assert all(0 <= share <= 1 for share in shares), shares
    assert finding.turn(_GATES) in (0, finding.clockwise)


def _seeds() -> Iterator[bytes]:
    hints = json.dumps(_HINTS).encode()
    yield hints + b"\n\x77" + bytes(range(256))
    # Letters of a kind: strokes, a dot above, a stop.
    rows = ("#..#.....", "#.....##.", "##.#..#..", "#.##..##.", "#.##...#.", "##.#..##.#", ".........", ".........")
    yield hints + b"\n\x9f" + b"".join(bytes(0 if c == "#" else 255 for c in row.ljust(12, ".") * 10) for row in rows)
    yield b'{"version": 1, "pages": {"a": {"recommendedClockwiseDegrees": 270, "confidence": 1}}}\n\x00\x00'
    yield b'{"version": 2}\n\x50' + b"\x00\xff" * 40
    yield b"[" * 300 + b"\n"


def _inputs() -> st.SearchStrategy[bytes]:
    line = changed((_HINTS,)).map(as_json)
    return st.builds(lambda said, pixels: said + b"\n" + pixels, line, st.binary(max_size=600))


TARGET = Target(run=_run, seeds=_seeds, inputs=_inputs, executions=20_000, structured=1_000, longest=4096)
