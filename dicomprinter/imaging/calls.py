"""What the child can be asked: each request, and the message and the bytes that answer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from dicomprinter.dicom.page import Page
from dicomprinter.errors import DicomPrinterError, PermanentError
from dicomprinter.imaging.bitstream import bitstream
from dicomprinter.imaging.colour import convert
from dicomprinter.imaging.edits.steps import Steps
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.open import in_mode, open_form, open_page
from dicomprinter.imaging.page_file import encode_page_file
from dicomprinter.imaging.probe import probe
from dicomprinter.imaging.wire import error_to_message

NOTHING: Final = memoryview(b"")

Request = dict[str, Any]
Answered = tuple[dict[str, Any], memoryview]


def answer(request: Request, limits: Limits) -> Answered:
    """The answer to a request, or its error; never raises."""
    try:
        return _CALLS[request["call"]](request, limits)
    except DicomPrinterError as error:
        return error_to_message(error), NOTHING
    except Exception as error:  # noqa: BLE001 - the parent has to hear of everything
        what = PermanentError("the file cannot be decoded", cause=type(error).__name__, remedy="save the file again")
        return error_to_message(what), NOTHING


def _probe(request: Request, limits: Limits) -> Answered:
    return {"probe": asdict(probe(Path(request["path"]), limits))}, NOTHING


def _page(request: Request, limits: Limits) -> Answered:
    page, notes = _opened(request, limits)
    return _told(convert(page, ColourMode(request["mode"])), notes)


def _told(page: Page, notes: list[str]) -> Answered:
    message = {
        "shape": page.pixels.shape,
        "bits_stored": page.bits_stored,
        "resolution": page.resolution,
        "lossy": asdict(page.lossy) if page.lossy else None,
        "notes": notes,
    }
    return message, page.pixels.data.cast("B")


def _form(request: Request, limits: Limits) -> Answered:
    form = open_form(Path(request["path"]), request["index"], limits=limits, dpi=request["dpi"])
    if request.get("edits"):
        changed = Steps.from_message(request["edits"]).form(form, limits)
        # Where an edge ends shows in the pixels alone; they are made once more when they are wanted.
        form = changed or _opened(request, limits)[0].form
    return {"form": asdict(in_mode(form, ColourMode(request["mode"])))}, NOTHING


def _edited(request: Request, limits: Limits) -> Answered:
    before = open_page(Path(request["path"]), request["index"], limits)
    notes: list[str] = []
    page = Steps.from_message(request["edits"]).apply(before, limits, notes.append)
    if page is before:
        return {"notes": notes}, NOTHING
    del before
    return {"notes": notes}, memoryview(encode_page_file(page))


def _look(request: Request, limits: Limits) -> Answered:
    from dicomprinter.imaging.orientation.finding import Gates
    from dicomprinter.imaging.orientation.look import look

    finding = look(Path(request["path"]), request["index"], Gates(**request["gates"]), limits)
    return {"finding": asdict(finding)}, NOTHING


def _turned(request: Request, _: Limits) -> Answered:
    from dicomprinter.imaging.pdf_turn import turn_pages

    turned = turn_pages(Path(request["path"]), {int(index): turn for index, turn in request["turns"].items()})
    return {"signed": turned.signed}, memoryview(turned.data)


def _opened(request: Request, limits: Limits) -> tuple[Page, list[str]]:
    """A page after its edits, and what the job's history should tell of them."""
    page = open_page(Path(request["path"]), request["index"], limits, dpi=request["dpi"])
    notes: list[str] = []
    if request.get("edits"):
        page = Steps.from_message(request["edits"]).apply(page, limits, notes.append)
    return page, notes


def _bitstream(request: Request, limits: Limits) -> Answered:
    found = bitstream(Path(request["path"]), ColourMode(request["mode"]), limits)
    if found is None:
        return {"form": None}, NOTHING
    message = {"form": asdict(found.form), "resolution": found.resolution, "lossy": asdict(found.lossy)}
    return message, memoryview(found.data)


def _texts(request: Request, limits: Limits) -> Answered:
    from dicomprinter.imaging.pdf_text import read_texts

    texts = read_texts(Path(request["path"]), limits)
    return {"pages": len(texts)}, memoryview("\f".join(texts).encode("utf-8"))


def _frame(request: Request, limits: Limits) -> Answered:
    from dicomprinter.imaging.dicom_file import decode_frame

    frame = decode_frame(Path(request["path"]), request["index"], limits)
    told = {one.name: getattr(frame, one.name) for one in fields(frame) if one.name != "data"}
    return {"frame": told}, memoryview(frame.data).cast("B")


def _images(request: Request, limits: Limits) -> Answered:
    from dicomprinter.imaging.rendering.frame import images_of

    return {"images": asdict(images_of(Path(request["path"]), limits))}, NOTHING


def _rendered(request: Request, limits: Limits) -> Answered:
    from dicomprinter.imaging.rendering.frame import render_frame

    notes: list[str] = []
    mode = ColourMode(request["mode"])
    page = render_frame(Path(request["path"]), request["index"], mode, notes.append, limits)
    return _told(page, notes)


def _merged(request: Request, limits: Limits) -> Answered:
    from dicomprinter.imaging.pdf_merge import merge_pdfs

    return {}, memoryview(merge_pdfs([Path(path) for path in request["paths"]], limits))


_CALLS: Final[Mapping[str, Callable[[Request, Limits], Answered]]] = MappingProxyType(
    {
        "probe": _probe,
        "page": _page,
        "form": _form,
        "edited": _edited,
        "look": _look,
        "turned": _turned,
        "bitstream": _bitstream,
        "frame": _frame,
        "images": _images,
        "rendered": _rendered,
        "texts": _texts,
        "merged": _merged,
    }
)
