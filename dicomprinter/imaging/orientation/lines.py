"""Lines of text: letters beside each other that stand on one line or hang from one, and what tells their top.

Everything here reads across; for lines that run down, the page is turned first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dicomprinter.imaging.orientation.ink import Mask
from dicomprinter.imaging.orientation.marks import Marks, Numbers, find_marks, united

_SMALLEST: Final = 5
"""Pixels that a letter is high; below it, the parts of a letter cannot be told from noise."""
_LARGEST: Final = 80
_LONGEST: Final = 400
"""Pixels that letters which touch may be broad together."""
_POINT: Final = 14
_LETTERS_OF_A_LINE: Final = 4
_WORDS_APART: Final = 3
"""Heights of a letter; what is further apart is no line, but columns."""

_Flags = npt.NDArray[np.bool_]
_Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Votes:
    """What speaks for the top being up, and what for its being down; each mark of the margin counts less."""

    up: float = 0.0
    down: float = 0.0

    @property
    def lean(self) -> float:
        """-1 (all for down) to 1 (all for up); 0 with no votes."""
        total = self.up + self.down
        return (self.up - self.down) / total if total else 0.0

    def __add__(self, other: Votes) -> Votes:
        return Votes(self.up + other.up, self.down + other.down)


@dataclass(frozen=True)
class Lines:
    """What a page looks like when it is read across.

    Args:
        score: the share of its letters that stand in lines, 0 to 1; what is out of line counts against it.
        count: lines.
        letters: marks of a letter's size.
        stems: of letters side by side, whether their tops differ (ascenders) or their feet (descenders).
        dots: dots above letters (i, ä) or below.
        stops: full stops and commas at the foot of the letter before, or apostrophes at its head.
    """

    score: float = 0.0
    count: int = 0
    letters: float = 0.0
    stems: Votes = Votes()
    dots: Votes = Votes()
    stops: Votes = Votes()


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Marks and what stands to their right: (pairs,) each."""

    left: Numbers
    right: Numbers
    gap: Numbers


def read_across(mask: Mask, margin: float, margin_weight: float) -> Lines:
    """Find lines of text.

    Args:
        mask: (rows, columns), the ink.
        margin: pixels along each edge that are margin.
        margin_weight: what a mark in it counts, 0 to 1.
    """
    marks = find_marks(mask)
    if marks is None or not len(marks.area):
        return Lines()
    letters, points = _letters(marks), _points(marks)
    weight = _weights(marks, mask.shape, margin, margin_weight)
    owner, dots = _dots(marks, letters | points, mask.shape, weight)
    top, bottom = marks.top.copy(), marks.bottom.copy()
    np.minimum.at(top, owner, marks.top)
    np.maximum.at(bottom, owner, marks.bottom)
    height = bottom - top
    pairs = _pairs(marks, owner, letters | points, height)
    if not len(pairs.gap):
        return Lines(letters=float((weight * letters).sum()), dots=dots)
    left, right = pairs.left, pairs.right
    greater, lesser = np.maximum(height[left], height[right]), np.minimum(height[left], height[right])
    tolerance = np.maximum(1, np.rint(greater / 10))
    heads = np.abs(top[left] - top[right]) <= tolerance
    feet = np.abs(bottom[left] - bottom[right]) <= tolerance
    worth = np.minimum(weight[left], weight[right])
    # A few marks side by side are found anywhere; what holds together is a piece of a line.
    aligned = heads | feet
    is_next = pairs.gap <= greater
    piece = united(len(height), left[aligned & is_next], right[aligned & is_next])
    is_piece = np.bincount(piece, letters, len(height)) >= _LETTERS_OF_A_LINE
    within = is_next & is_piece[piece[left]]
    line = united(len(height), left, right)
    count = len(np.unique(line[is_piece[piece]]))
    near = np.clip(1 - pairs.gap / greater, 0, 1)
    total = float((weight * letters)[np.unique(owner)].sum())
    score = float((worth * near * np.where(aligned, within, -1.0)).sum()) / max(total, 1.0)
    alike = within & (lesser * 2 >= greater)
    stems = Votes(float((worth * (alike & feet & ~heads)).sum()), float((worth * (alike & heads & ~feet)).sum()))
    stops = _stops(marks, pairs, top, bottom, worth * within)
    return Lines(min(max(score, 0.0), 1.0), count, total, stems, dots, stops)


def _letters(marks: Marks) -> _Flags:
    height, width = marks.height, marks.width
    is_high = (height >= _SMALLEST) & (height <= _LARGEST)
    is_broad = (width >= 2) & (width <= np.minimum(12 * height, _LONGEST)) & (height <= 12 * width)
    found: _Flags = is_high & is_broad
    return found


def _points(marks: Marks) -> _Flags:
    height, width = marks.height, marks.width
    is_small = (height < _SMALLEST) & (height >= 2) & (width >= 2) & (width <= _POINT)
    found: _Flags = is_small & (width <= 3 * height)
    return found


def _weights(marks: Marks, shape: tuple[int, ...], margin: float, margin_weight: float) -> _Shares:
    rows, columns = shape
    across, down = (marks.left + marks.right) / 2, (marks.top + marks.bottom) / 2
    inside = (np.minimum(across, columns - across) >= margin) & (np.minimum(down, rows - down) >= margin)
    return np.where(inside, 1.0, margin_weight)


def _dots(marks: Marks, kept: _Flags, shape: tuple[int, ...], weight: _Shares) -> tuple[Numbers, Votes]:
    """Whose dot each mark is (its own number if nobody's), and on which side of letters dots are."""
    owner = np.arange(len(marks.area))
    small = np.flatnonzero(kept & (marks.height <= _POINT) & (marks.width <= 2 * _POINT))
    if not len(small):
        return owner, Votes()
    picture = _picture(marks, kept, shape)
    reach = np.arange(_POINT + 6)
    under, under_gap = _first(marks, picture, small, marks.bottom[small][:, None] + reach)
    over, over_gap = _first(marks, picture, small, marks.top[small][:, None] - 1 - reach)
    is_above, is_below = under_gap < over_gap, over_gap < under_gap
    owner[small[is_above]] = under[is_above]
    owner[small[is_below]] = over[is_below]
    # A colon is one mark, or each of its points would pass for a full stop.
    is_twin = ~is_above & ~is_below & _alike(marks, small, under)
    owner[small[is_twin]] = under[is_twin]
    # A letter with two dots counts once.
    up, down = np.unique(under[is_above]), np.unique(over[is_below])
    return owner[owner], Votes(float(weight[up].sum()), float(weight[down].sum()))


def _alike(marks: Marks, small: Numbers, other: Numbers) -> _Flags:
    """Whether each small mark and another one are the two points of a colon."""
    height, width = marks.height, marks.width
    apart = marks.top[other] - marks.bottom[small]
    found: _Flags = (other >= 0) & (apart >= 0) & (apart <= 4 * height[small])
    found &= (np.abs(height[small] - height[other]) <= 1) & (np.abs(width[small] - width[other]) <= 1)
    # Two letters below each other are alike as well.
    found &= np.maximum(height[small], width[small]) <= _SMALLEST
    return found


def _picture(marks: Marks, kept: _Flags, shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """(rows, columns), the number of the mark at each pixel, -1 where there is none."""
    picture = np.full(shape, -1, np.int32)
    runs = kept[marks.mark]
    length = (marks.end - marks.start)[runs]
    begin = marks.row[runs] * shape[1] + marks.start[runs]
    pixel = np.repeat(begin - np.cumsum(length) + length, length) + np.arange(length.sum())
    picture.ravel()[pixel] = np.repeat(marks.mark[runs], length)
    return picture


def _first(
    marks: Marks, picture: npt.NDArray[np.int32], small: Numbers, rows: Numbers
) -> tuple[Numbers, npt.NDArray[np.float64]]:
    """The letter that each small mark meets on a way up or down, and how far; infinite where it is no dot of one."""
    column = ((marks.left + marks.right) // 2)[small][:, None]
    inside = (rows >= 0) & (rows < len(picture))
    met = np.where(inside, picture[np.clip(rows, 0, len(picture) - 1), column], -1)
    met[met == small[:, None]] = -1
    gap = (met >= 0).argmax(axis=1)
    letter = met[np.arange(len(met)), gap]
    height, width = marks.height, marks.width
    fits = (letter >= 0) & (gap * 2 <= height[letter]) & (height[small] * 2 <= height[letter])
    fits &= width[small] <= np.maximum(width[letter], height[letter] * 0.6)
    return letter.astype(np.int64), np.where(fits, gap, np.inf)


def _pairs(marks: Marks, owner: Numbers, kept: _Flags, height: Numbers) -> _Pairs:
    """What stands nearest to the right of each mark, on its line and not too far."""
    runs = kept[marks.mark]
    row, start, end, mark = marks.row[runs], marks.start[runs], marks.end[runs], owner[marks.mark[runs]]
    beside = (row[1:] == row[:-1]) & (mark[1:] != mark[:-1])
    left, right, gap = mark[:-1][beside], mark[1:][beside], (start[1:] - end[:-1])[beside]
    order = np.lexsort((gap, right, left))
    left, right, gap = left[order], right[order], gap[order]
    first = np.flatnonzero(np.diff(left, prepend=-1) | np.diff(right, prepend=-1))
    shared = np.diff(first, append=len(left))
    left, right, gap = left[first], right[first], gap[first]
    greater, lesser = np.maximum(height[left], height[right]), np.minimum(height[left], height[right])
    fits = (gap <= _WORDS_APART * greater) & (greater <= 4 * lesser + 4)
    fits &= shared * 2 >= np.minimum(marks.height[left], marks.height[right])
    left, right, gap = left[fits], right[fits], gap[fits]
    order = np.lexsort((gap, left))
    left, right, gap = left[order], right[order], gap[order]
    nearest = np.flatnonzero(np.diff(left, prepend=-1))
    return _Pairs(left[nearest], right[nearest], gap[nearest])


def _stops(marks: Marks, pairs: _Pairs, top: Numbers, bottom: Numbers, worth: _Shares) -> Votes:
    """Small marks beside a letter: at its foot, or at its head."""
    height = bottom - top
    up = down = 0.0
    for small, letter in ((pairs.right, pairs.left), (pairs.left, pairs.right)):
        is_stop = (height[small] * 9 <= height[letter] * 4) & (marks.width[small] <= 1.3 * height[small])
        place = ((top[small] + bottom[small]) / 2 - top[letter]) / height[letter]
        # Most stand between two letters.
        up += float((worth * (is_stop & (place > 0.65))).sum()) / 2
        down += float((worth * (is_stop & (place < 0.35))).sum()) / 2
    return Votes(up, down)
