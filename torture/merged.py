"""Jobs that have taken in others: whose they are, and whether all of what was taken in is in what went out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from torture.files import B
from torture.scene import MOST_MERGED

if TYPE_CHECKING:
    from torture.archive import Arrived
    from torture.audit import Paper
    from torture.scene import Drop


def merged_faults(
    papers: Sequence[Paper],
    drops: Sequence[Drop],
    arrived: Sequence[Arrived],
    rendered: Callable[[bytes], list[str]],
) -> Iterator[str]:
    """Where what jobs have taken in does not agree with what was dropped.

    Args:
        papers: of all jobs.
        drops: what was dropped.
        arrived: what the archive has that gets documents as they are.
        rendered: gives what the pages of a document show.
    """
    by_title = {drop.title: drop for drop in drops}
    for head in papers:
        if head.into:
            continue
        taken = sorted((paper for paper in papers if paper.into == head.id), key=lambda paper: paper.id)
        if [one["id"] for one in head.job.get("merged", ())] != [paper.id for paper in taken]:
            yield f"{head.title}: it does not say what lies in its folder: {[paper.title for paper in taken]}"
        if len(taken) >= MOST_MERGED:
            yield f"{head.title} has taken in {len(taken)}"
        mine = [by_title[paper.title] for paper in (head, *taken) if paper.title in by_title]
        yield from (f"{head.title} has taken in {paper.title}, an older one" for paper in taken if paper.id < head.id)
        yield from (f"{head.title} has taken in {drop.title}" for drop in mine if drop.sender != mine[0].sender)
        if head.has_left:
            yield from _of_contents(head, mine, arrived, rendered)


def _of_contents(
    head: Paper, drops: Sequence[Drop], arrived: Sequence[Arrived], rendered: Callable[[bytes], list[str]]
) -> Iterator[str]:
    texts = [drop.text for drop in drops if drop.text]
    if not texts:
        return
    named = head.job["payloads"][head.job["payload"]]["texts"]
    held = [(head.folder / name).read_text("utf-8").splitlines() for name in named]
    if held != [texts]:
        yield f"{head.title}: its text is {held}, not {texts}"
    uids = {instance["sop_instance_uid"] for instance in head.job["instances"]}
    came = {one.document for one in arrived if one.is_stored and one.document and one.uid in uids}
    pages = sorted(page for document in came for page in rendered(document))
    if pages != sorted(page for drop in drops if drop.text for page in drop.wanted[B]):
        yield f"{head.title}: {len(pages)} pages in {len(came)} documents are not those of {len(texts)} documents"
