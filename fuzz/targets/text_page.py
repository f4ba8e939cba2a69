"""A text that comes alone: looked at as a file, then set as pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hypothesis import strategies as st

from dicomprinter.errors import InputError
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.probe import probe
from dicomprinter.intake.text_page import set_as_pdf
from fuzz.files import Scratch
from fuzz.target import Target

_LIMITS: Final = Limits(pages=50, bytes=1 << 20)
_SCRATCH: Final = Scratch()


def _run(data: bytes) -> None:
    file = _SCRATCH.file(data)
    try:
        found = probe(file, _LIMITS)
        if found.kind != "text":
            return
        target = _SCRATCH.folder / "text.pdf"
        set_as_pdf(file.read_text(encoding="utf-8-sig"), target, _LIMITS.pages)
    except InputError:
        return
    pages = probe(target, _LIMITS)
    assert pages.frames <= _LIMITS.pages


def _seeds() -> Iterator[bytes]:
    yield "Befund: ohne Besonderheit\n\tMüster, Mia\f\nSeite 2\r\n".encode()
    yield ("wort " * 60).encode()
    yield b"\xef\xbb\xbf" + b"x" * 300
    yield "Ωμέγα 山\n".encode()
    yield b"\x1b[31mred\x1b[0m"


def _inputs() -> st.SearchStrategy[bytes]:
    alphabet = st.sampled_from("ab \t\n\f\r\v\x85\xa0\u2028-–é(\\)") | st.characters(codec="latin-1")
    return st.text(alphabet, max_size=200).map(lambda text: text.encode("utf-8"))


TARGET = Target(run=_run, seeds=_seeds, inputs=_inputs, executions=12_000, structured=1_000, longest=2048)
