"""Which fonts a text is written in: the named family or its nearest, and others for characters that it lacks."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dicomprinter.imaging.fonts.sfnt import Face, missing, plain

_MONO: Final = (
    *("Courier New", "Liberation Mono", "Cousine", "Nimbus Mono PS", "Courier", "FreeMono"),
    *("DejaVu Sans Mono", "Consolas", "Menlo", "Noto Sans Mono"),
)
_SANS: Final = (
    *("Arial", "Helvetica", "Liberation Sans", "Arimo", "Nimbus Sans", "FreeSans"),
    *("DejaVu Sans", "Segoe UI", "Helvetica Neue", "Noto Sans"),
)
_SERIF: Final = (
    *("Times New Roman", "Times", "Liberation Serif", "Tinos", "Nimbus Roman", "FreeSerif"),
    *("DejaVu Serif", "Georgia", "Noto Serif"),
)
# Those of a row that are as wide as its first, character by character: lines break at the same places.
_METRIC: Final = 6
# Parts of names that tell the class; the others are sans.
_MONO_WORDS: Final = ("mono", "courier", "consol", "code", "typewriter", "terminal", "fixed", "menlo", "monaco")
_SERIF_WORDS: Final = ("times", "roman", "georgia", "garamond", "palatino", "cambria", "book", "century", "minion")
_NEAR: Final = 0.85  # in difflib's ratio
_MOST_FONTS: Final = 8
_LATIN: Final = "AZaz09"


@dataclass(frozen=True)
class Choice:
    """What a text is written in.

    Args:
        fonts: the first one is for most of it; each other one with the characters that it is for.
        is_named: whether the first is of the named family.
        is_as_wide: whether it is, or every character is as wide as there.
        lacking: characters that no font has.
    """

    fonts: tuple[tuple[Face, str], ...]
    is_named: bool
    is_as_wide: bool
    lacking: str


def choose(family: str, characters: Iterable[str], found: Sequence[Face], last: Face) -> Choice:
    """Fonts for a text.

    Args:
        family: the wished one, whatever its case.
        characters: of the text; those that are written.
        found: the fonts of the machine.
        last: the one to take when there are none.
    """
    named = _of_family(family, found)
    first, is_as_wide = (named, True) if named else _nearest(family, found) or (last, False)
    row = (_of_family(name, found) for name in _row(family))
    others = [face for face in row if face] + sorted((face for face in found if _is_upright(face)), key=_rank) + [last]
    fonts = [(first, "")]
    left = missing(first, characters)
    for face in dict.fromkeys(others):
        if not left or len(fonts) == _MOST_FONTS:
            break
        still = missing(face, left)
        if still != left:
            fonts.append((face, "".join(sorted(left - still))))
            left = still
    return Choice(tuple(fonts), named is not None, is_as_wide, "".join(sorted(left)))


def _nearest(family: str, found: Sequence[Face]) -> tuple[Face, bool] | None:
    """A font that can stand in, and whether its characters are as wide; None when the machine has none at all."""
    row = _row(family)
    is_of_row = plain(family) in map(plain, row[:_METRIC])
    if not is_of_row:
        names = {name for face in found for name in face.families}
        near = difflib.get_close_matches(plain(family), sorted(names), n=1, cutoff=_NEAR)
        if near and (face := _of_family(near[0], found)):
            return face, False
    for place, name in enumerate(row):
        face = _of_family(name, found)
        if face:
            return face, is_of_row and place < _METRIC
    fixed = row is _MONO
    others = sorted((face for face in found if _is_upright(face) and not missing(face, _LATIN)), key=_rank)
    like = [face for face in others if face.is_fixed == fixed] or others
    return (like[0], False) if like else None


def _of_family(family: str, found: Sequence[Face]) -> Face | None:
    """The regular font of a family; or a single one by its full name, such as Arial Bold."""
    name = plain(family)
    alike = [face for face in found if name in face.families] or [face for face in found if name in face.full]
    return min(alike, key=_rank, default=None)


def _row(family: str) -> tuple[str, ...]:
    """The families that stand in for one, the best first."""
    name = plain(family)
    for row in (_MONO, _SANS, _SERIF):
        if name in map(plain, row):
            return row
    if any(word in name for word in _MONO_WORDS):
        return _MONO
    if any(word in name for word in _SERIF_WORDS) or ("serif" in name and "sans" not in name):
        return _SERIF
    return _SANS


def _is_upright(face: Face) -> bool:
    return not face.is_italic and 300 <= face.weight <= 500


def _rank(face: Face) -> tuple[bool, int, int, str, int]:
    return face.is_italic, abs(face.weight - 400), abs(face.width - 5), face.file, face.index
