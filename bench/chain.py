"""A page from PNG to PACS: decode, compress as .70, send; ours beside a chain of public tools."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Final

from PIL import Image

from bench.measure import alternate, run
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
from tests.peers import program, servers
from tests.scp import StorageScp

_TARGET: Final = 1.2
_PATIENT: Final = MappingProxyType({"PatientID": "BENCH", "PatientName": "Bench^Page"})
_AS_OPTIONS: Final = tuple(word for keyword, value in _PATIENT.items() for word in ("--set", f"{keyword}={value}"))
_COMPRESSION: Final = '<Compression type="JPEG_Lossless"/>'


def measure(place: Place) -> list[Row]:
    """Two rows a page: pages after the first of a process that runs, and the whole of `dicomprinter run`."""
    with ExitStack() as stack:
        if place.scale.peers:
            port = stack.enter_context(servers.storescp(place.folder / "storescp", ae_title="PACS")).port
        else:
            port = stack.enter_context(StorageScp()).port
        rows = []
        for name, pixels in (("text", text_with_pictures(*place.scale.page)), ("photo", photo(*place.scale.page))):
            png = place.folder / f"{name}.png"
            Image.fromarray(pixels).save(png, dpi=(300, 300))
            rows += _rows(name, png, port, place)
        return rows


def _rows(name: str, png: Path, port: int, place: Place) -> list[Row]:
    config = store_configuration(place.folder / "config.xml", port, _COMPRESSION)
    with Spool.open(place.folder / "house") as spool, Decoder() as decoder:
        used, configured = tools(decoder), load(config, environment={})
        intake, runner = Intake(spool, decoder, local_now), Runner(spool, used, lambda: configured)

        def steady() -> None:
            outcome = runner.run(intake.copy([png], Submission(png.name, source="bench", tags=dict(_PATIENT))))
            if not isinstance(outcome, Done):
                raise RuntimeError(f"the job ended as {outcome}")

        actions: dict[str, Callable[[], object]] = {
            "steady": steady,
            "run": lambda: run(*COMMAND, "run", config, png, "--base", place.folder / "base", *_AS_OPTIONS),
        }
        if place.scale.peers:
            actions["theirs"] = lambda: _public_tools(png, port, place.folder)
        found = alternate(place.scale.rounds, actions)
    theirs = found.get("theirs")
    remark = "theirs: pngtopnm, ppmtobmp, img2dcm, dcmcjpeg, storescu"
    return [
        Row("chain", f"{name}: a page of a process that runs", found["steady"], theirs, _TARGET, remark=remark),
        Row("chain", f"{name}: `run`, the whole program", found["run"], theirs, _TARGET, remark=remark),
    ]


def _public_tools(png: Path, port: int, folder: Path) -> None:
    picture, bitmap, whole, small = (folder / f"page.{ending}" for ending in ("ppm", "bmp", "dcm", "jpeg.dcm"))
    for tool, source, target in (("pngtopnm", png, picture), ("ppmtobmp", picture, bitmap)):
        # Netpbm writes to standard output.
        run("/bin/sh", "-c", f'exec "{program(tool)}" "{source}" >"{target}"')
    run(program("img2dcm"), "-i", "BMP", bitmap, whole)
    run(program("dcmcjpeg"), "+e1", whole, small)
    run(program("storescu"), "-xs", "-aec", "PACS", "127.0.0.1", port, small)
