"""Performs AddInstance; imported when the first one is performed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.pages.fetching import fetch_picture
from dicomprinter.actions.pages.naming import digest, unused
from dicomprinter.dicom.page import Page
from dicomprinter.imaging.colour import lay_on_white
from dicomprinter.imaging.edits.registry import edit_to_json
from dicomprinter.imaging.edits.resize import Resize
from dicomprinter.imaging.edits.steps import Step, Steps
from dicomprinter.imaging.page_file import encode_page_file
from dicomprinter.job.parts import PageRef, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.pages.add_instance import AddInstance
    from dicomprinter.config.kinds import Colour
    from dicomprinter.config.placeholders import Template
    from dicomprinter.job.job import Job
    from dicomprinter.job.parts import Payload

_END: Final = -1


def add_instance(action: AddInstance, job: Job, tools: Tools) -> None:
    """Add the pages of a picture, or a blank page.

    Raises:
        PermanentError: the picture is not there or cannot be read, or the page would be too large.
        TransientError: the decoder cannot be started.
    """
    order = JobPages(job, tools.decoder).refs(documents=True)
    if action.image_path is not None:
        new = _picture(action.name, action.image_path, job, tools)
    elif action.size is not None:
        new = [_blank(action.size, action.canvas_colour, len(order), job, tools)]
    index = len(order) if action.index == _END else action.index
    if index > len(order):
        job.note(
            f"{action.name}: the job has {len(order)} pages, so what should become page {index + 1} goes to the end",
            level="WARN",
        )
        index = len(order)
    job.payload = inserted(job.payload, order, index, new)
    where = f"page {index + 1}" if len(new) == 1 else f"pages {index + 1} to {index + len(new)}"
    job.note(f"{action.name}: added as {where}")


def inserted(payload: Payload, order: Sequence[PageRef], index: int, new: Sequence[PageRef]) -> Payload:
    """A payload with more pages.

    Args:
        payload: without them.
        order: its pages, those of PDFs among them, as they follow one another.
        index: the place in that order that the first of them takes.
        new: the pages.
    """
    documents = payload.documents
    pages = [page for page in (*order[:index], *new, *order[index:]) if page.file not in documents]
    before = next((page for page in reversed(order[:index]) if page.file in documents), None)
    places = () if before is None else tuple(Place(page.name, before.file, before.index) for page in new)
    return replace(payload, pages=tuple(pages), places=(*payload.places, *places))


def _picture(action: str, path: Template, job: Job, tools: Tools) -> list[PageRef]:
    file = fetch_picture(action, path, job, tools)
    fetched = file.removeprefix("payload/")
    name = unused(job.payload, fetched)
    if name != fetched:
        file = job.folder.add_payload(name, job.path(file).read_bytes())
        job.folder.secure_payload()
    return [PageRef(file, index) for index in range(tools.decoder.probe(job.path(file)).frames)]


def _blank(size: tuple[int, int], colour: Colour, before: int, job: Job, tools: Tools) -> PageRef:
    """A page of one colour: one pixel, scaled in the decoder, within its limits."""
    pixel = np.array([[colour[:3]]], np.uint8)
    pixel = lay_on_white(pixel, np.array([[colour[3]]], np.uint8))
    steps = Steps(job.folder.path, (Step(*edit_to_json(Resize(*size, keep_aspect=False)), before + 1),))
    name = f"blank-{digest(str(job.at), size, colour, before)}.png"
    with job.folder.work() as work:
        seed = work / "pixel.png"
        seed.write_bytes(encode_page_file(Page(pixel, 8)))
        with tools.decoder.turn() as turn:
            data = tools.decoder.edited(seed, 0, steps, admit=turn.admit)
        file = job.folder.add_payload(name, seed.read_bytes() if data is None else data)
    job.folder.secure_payload()
    return PageRef(file)
