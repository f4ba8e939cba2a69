"""A page from PNG to PACS: decode, compress as .70, send; ours beside a chain of public tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from PIL import Image

from bench.archives import Archive, in_process, orthanc, storescp
from bench.measure import Figure, alternate, run
from bench.pages import photo, text_with_pictures
from bench.program import COMMAND, store_configuration
from bench.results import Row
from bench.scale import Place
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now, tools
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.submission import Submission
from dicomprinter.program import load
from dicomprinter.workflow.interpreter import Done
from tests.peers import program

_TARGET: Final = 2
_TARGET_WITH_START: Final = 1.2
_PAGES: Final = 8
"""Of the job of several."""
_PATIENT: Final = MappingProxyType({"PatientID": "BENCH", "PatientName": "Bench^Page"})
_AS_OPTIONS: Final = tuple(word for keyword, value in _PATIENT.items() for word in ("--set", f"{keyword}={value}"))
_COMPRESSION: Final = '<Compression type="JPEG_Lossless"/>'
_REMARK: Final = "theirs: pngtopnm, ppmtobmp, img2dcm, dcmcjpeg for each page, storescu"


@dataclass(frozen=True)
class _Case:
    """A page of one kind, and the archive that it goes to."""

    name: str
    png: Path
    archive: Archive


def measure(place: Place) -> list[Row]:
    """Three rows a page and archive.

    Pages after the first of a process that runs, a job of several pages of such a process, and the whole of
    `dicomprinter run`.
    """
    pages = {}
    for name, pixels in (("text", text_with_pictures(*place.scale.page)), ("photo", photo(*place.scale.page))):
        pages[name] = place.folder / f"{name}.png"
        Image.fromarray(pixels).save(pages[name], dpi=(300, 300))
    rows = []
    with ExitStack() as stack:
        archives = [stack.enter_context(in_process())]
        if place.scale.peers:
            opened = (orthanc(place.folder / "orthanc", {}), storescp(place.folder / "storescp", {}))
            archives = [stack.enter_context(one) for one in opened]
        for archive in archives:
            for name, png in pages.items():
                rows += _rows(_Case(name, png, archive), place)
    return rows


def _rows(case: _Case, place: Place) -> list[Row]:
    config = store_configuration(place.folder / "config.xml", case.archive.port, _COMPRESSION)
    with Spool.open(place.folder / "house") as spool, Decoder() as decoder:
        used, configured = tools(decoder, spool), load(config, environment={})
        intake, runner = Intake(spool, decoder, local_now), Runner(spool, used, lambda: configured)

        def job(pages: Sequence[Path]) -> None:
            outcome = runner.run(intake.copy(pages, Submission("page.png", source="bench", tags=dict(_PATIENT))))
            if not isinstance(outcome, Done):
                raise RuntimeError(f"the job ended as {outcome}")

        several = [case.png] * _PAGES
        actions: dict[str, Callable[[], object]] = {
            "one": partial(job, [case.png]),
            "several": partial(job, several),
            "run": lambda: run(*COMMAND, "run", config, case.png, "--base", place.folder / "base", *_AS_OPTIONS),
        }
        if place.scale.peers:
            actions["their one"] = lambda: _public_tools([case.png], case.archive.port, place.folder)
            actions["their several"] = lambda: _public_tools(several, case.archive.port, place.folder)
        found = alternate(place.scale.rounds, actions, between=case.archive.empty)
    one, all_of_them = found["one"], found["several"]
    rate = f"{_a_second(all_of_them, _PAGES):.1f} pages/s, one after the other {_a_second(one):.1f}"
    what = f"{case.name} to {case.archive.name}"
    theirs, their_several = found.get("their one"), found.get("their several")
    return [
        Row("chain", f"{what}: a page of a process that runs", one, theirs, _TARGET, remark=_REMARK),
        Row("chain", f"{what}: a job of {_PAGES} pages", all_of_them, their_several, _TARGET, remark=rate),
        Row("chain", f"{what}: `run`, the whole program", found["run"], theirs, _TARGET_WITH_START, remark=_REMARK),
    ]


def _a_second(taken: Figure, pages: int = 1) -> float:
    return pages * 1000 / taken.median


def _public_tools(pages: Sequence[Path], port: int, folder: Path) -> None:
    """Each page converted, then all of them sent on one association."""
    picture, bitmap, whole = (folder / f"page.{ending}" for ending in ("ppm", "bmp", "dcm"))
    ready = [folder / f"page-{number}.jpeg.dcm" for number, _ in enumerate(pages)]
    for png, small in zip(pages, ready, strict=True):
        for tool, source, target in (("pngtopnm", png, picture), ("ppmtobmp", picture, bitmap)):
            # Netpbm writes to standard output.
            run("/bin/sh", "-c", f'exec "{program(tool)}" "{source}" >"{target}"')
        run(program("img2dcm"), "-i", "BMP", bitmap, whole)
        run(program("dcmcjpeg"), "+e1", whole, small)
    run(program("storescu"), "-xs", "-aec", "PACS", "127.0.0.1", port, *ready)
