"""What the torture's books of films find, and that they find nothing where all is well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from torture.audit import Paper
from torture.films import Film, film_faults

TITLE = "film-0001"
PAGES = [{"file": "payload/1.tif", "index": index} for index in range(2)]


def line(page: int, status: int | None, *, printed: bool = False) -> dict[str, Any]:
    return {"pages": [f"payload/1.tif#{page}"], "status": status, "printed": printed}


def film(page: int, *, confirmed: bool = True) -> Film:
    return Film(f"1.2.{page}", TITLE, (f"digest {page}",), confirmed)


ASKED, ANSWERED = line(0, None), line(0, 0, printed=True)
SECOND = [line(1, None), line(1, 0, printed=True)]


@pytest.mark.parametrize(
    ("lines", "films", "found"),
    [
        ([ASKED, ANSWERED, *SECOND], [film(0), film(1)], []),
        # Killed before the answer was written down: it may come twice.
        ([ASKED, ASKED, ANSWERED, *SECOND], [film(0), film(0), film(1)], []),
        ([ASKED, ASKED, ANSWERED, *SECOND], [film(0), film(1)], []),
        ([ASKED, ANSWERED, ASKED, ANSWERED, *SECOND], [film(0), film(0), film(1)], ["and printed again"]),
        ([ASKED, ANSWERED, *SECOND], [film(0), film(0), film(1)], ["3 pages were printed, and 2 written down"]),
        ([ASKED, ANSWERED, *SECOND], [film(0, confirmed=False), film(1)], ["which is not true"]),
        ([ASKED, ANSWERED], [film(0)], ["1 of its pages were printed"]),
    ],
)
def test_what_books_of_films_find(lines: Sequence[dict[str, Any]], films: Sequence[Film], found: list[str]) -> None:
    job = {"facts": {"name": TITLE}, "payloads": [{"pages": PAGES}]}
    paper = Paper("1", has_left=True, folder=Path(), job=job, history=[], sent=[], films=lines)
    faults = list(film_faults([paper], films))
    assert len(faults) == len(found)
    assert all(words in fault for words, fault in zip(found, faults, strict=True))
