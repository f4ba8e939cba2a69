"""What the torture's books of merged jobs find, and that they find nothing where all is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from torture.archive import Arrived
from torture.audit import Paper
from torture.files import B
from torture.merged import merged_faults
from torture.scene import Drop

ANNA, BERT = ("ward", "anna"), ("ward", "bert")


def drop(number: int, sender: tuple[str, str] = ANNA) -> Drop:
    pages = frozenset({f"page {number}.1", f"page {number}.2"})
    title = f"mergepdf-{number}"
    return Drop("mergepdf", title, {}, {B: pages}, "done", sender=sender, text=f"Befund {number}")


def document(*numbers: int) -> Arrived:
    pages = "|".join(f"page {number}.{page}" for number in numbers for page in (1, 2))
    return Arrived("1.2.3", "", "", 0, pages.encode())


def rendered(data: bytes) -> list[str]:
    return data.decode().split("|")


@pytest.fixture
def papers(tmp_path: Path) -> list[Paper]:
    """The first of three jobs has taken in the others."""
    (tmp_path / "text").write_text("Befund 1\nBefund 2\nBefund 3\n")
    whole = {
        "merged": [{"id": "2"}, {"id": "3"}],
        "payload": 0,
        "payloads": [{"texts": ["text"]}],
        "instances": [{"sop_instance_uid": "1.2.3"}],
    }
    jobs = [{"facts": {"name": f"mergepdf-{number}"}, **(whole if number == 1 else {})} for number in (1, 2, 3)]
    return [
        Paper(str(number), has_left=True, folder=tmp_path, job=job, history=[], sent=[], into="1" if number > 1 else "")
        for number, job in enumerate(jobs, start=1)
    ]


def mixed_up(papers: list[Paper]) -> list[Paper]:
    papers[0].folder.joinpath("text").write_text("Befund 1\nBefund 3\nBefund 2\n")
    return [replace(papers[0], job={**papers[0].job, "merged": [{"id": "3"}, {"id": "2"}]}), *papers[1:]]


def turned(papers: list[Paper]) -> list[Paper]:
    return [replace(papers[0], id="9"), *(replace(paper, into="9") for paper in papers[1:])]


@pytest.mark.parametrize(
    ("change", "drops", "came", "found"),
    [
        (list, [drop(1), drop(2), drop(3)], [document(1, 2, 3)], []),
        # What was sent again is the same.
        (list, [drop(1), drop(2), drop(3)], [document(1, 2, 3)] * 2, []),
        (list, [drop(1), drop(2), drop(3, BERT)], [document(1, 2, 3)], ["has taken in mergepdf-3"]),
        (list, [drop(1), drop(2), drop(3)], [document(1, 2)], ["4 pages in 1 documents are not those of 3"]),
        (list, [drop(1), drop(2), drop(3)], [document(1, 2, 3, 3)], ["8 pages in 1 documents"]),
        (list, [drop(1), drop(2), drop(3)], [], ["0 pages in 0 documents"]),
        (mixed_up, [drop(1), drop(2), drop(3)], [document(1, 2, 3)], ["does not say what lies", "its text is"]),
        (
            turned,
            [drop(1), drop(2), drop(3)],
            [document(1, 2, 3)],
            ["mergepdf-2, an older", "mergepdf-3, an older"],
        ),
    ],
)
def test_what_books_of_merged_jobs_find(
    papers: list[Paper],
    change: Callable[[list[Paper]], list[Paper]],
    drops: list[Drop],
    came: list[Arrived],
    found: list[str],
) -> None:
    faults = list(merged_faults(change(papers), drops, came, rendered))
    assert len(faults) == len(found), faults
    assert all(words in fault for words, fault in zip(found, faults, strict=True))
