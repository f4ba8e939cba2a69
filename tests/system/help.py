"""Jobs made and run in this process: a spool, the intake, the decoder, the network that counts its associations."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import imagecodecs
import numpy as np
import simplejpeg
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import HTJ2KLossless, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless

from dicomprinter.actions.base import OpenAssociation, Tools
from dicomprinter.dicom.network.association import Association
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.engine.commands import apply
from dicomprinter.engine.destinations import Destinations
from dicomprinter.engine.engine import Engine
from dicomprinter.engine.events import Events
from dicomprinter.engine.outside.messenger import RealMessenger
from dicomprinter.engine.outside.programs import RealPrograms
from dicomprinter.engine.runner import Runner
from dicomprinter.engine.siblings import NoSiblings
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.spool_view import SpoolView
from dicomprinter.engine.tools import secure
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.submission import Submission
from dicomprinter.job.job import Job
from dicomprinter.program import Program, load
from dicomprinter.workflow.interpreter import Outcome
from tests.engine.help import Clock
from tests.system.service import configuration, connection

SIZE = (12, 8)
_DECODERS = {
    JPEGLosslessSV1: imagecodecs.jpeg8_decode,
    JPEGLSLossless: imagecodecs.jpegls_decode,
    JPEG2000Lossless: imagecodecs.jpeg2k_decode,
    HTJ2KLossless: imagecodecs.htj2k_decode,
}


def grey(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Pixels that no other number has; 8 rows of 12."""
    pixels = np.arange(SIZE[0] * SIZE[1], dtype=np.uint8).reshape(SIZE[1], SIZE[0])
    pixels[0, 0], pixels[0, 1] = number >> 8, number & 0xFF
    return pixels


def rgb(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """As `grey`, in RGB."""
    pixels = grey(number)
    return np.stack([pixels, pixels // 2, 255 - pixels], axis=-1)


def jpeg_of(pixels: np.ndarray[Any, np.dtype[np.uint8]], quality: int = 90) -> bytes:
    """RGB as baseline JPEG with its chroma halved across."""
    return simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality, "RGB", "422")


def pixels(dataset: Dataset) -> np.ndarray[Any, Any]:
    """The decoded pixels of an object, without the plug-ins that pydicom wants for compressed ones."""
    decode = _DECODERS.get(dataset.file_meta.TransferSyntaxUID)
    if decode is None:
        return dataset.pixel_array
    count = int(dataset.get("NumberOfFrames", 1))
    frames = [np.asarray(decode(frame)) for frame in generate_frames(dataset.PixelData, number_of_frames=count)]
    return frames[0] if count == 1 else np.stack(frames)


def png(number: int = 1, *, colour: bool = False) -> bytes:
    """A grey page of its own, or a colour one."""
    stream = io.BytesIO()
    Image.fromarray(rgb(number) if colour else grey(number)).save(stream, "PNG")
    return stream.getvalue()


def tiff(count: int) -> bytes:
    """Several grey pages."""
    pages = [Image.fromarray(grey(number)) for number in range(1, count + 1)]
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    return stream.getvalue()


def store(
    name: str, port: int, inner: str = "", *, ae_title: str = "PACS", more: str = "", attributes: str = ""
) -> str:
    """A Store; `inner` beside its connection, `more` inside that."""
    return f'<Store name="{name}" {attributes}>{connection(port, ae_title, more=more)}{inner}</Store>'


def set_tag(name: str, tag: str, text: str) -> str:
    return f'<SetTag name="{name}"><DcmTag tag="{tag}">{text}</DcmTag></SetTag>'


def perform(*names: str, on_error: str = "Hold") -> str:
    return "".join(f'<Perform action="{name}" onError="{on_error}"/>' for name in names)


@dataclass
class CountingNetwork:
    """The real network; keeps who was called, in order."""

    calls: list[str] = field(default_factory=list)

    def open(self, peer: Peer, contexts: Sequence[tuple[str, Sequence[str]]], *, action: str) -> OpenAssociation:
        self.calls.append(action)
        return Association.open(peer, contexts)


class House:
    """Everything that a job needs, in this process. The clock is moved by hand."""

    def __init__(self, base: Path, decoder: Decoder) -> None:
        self.base = base
        self.clock = Clock(datetime.now().astimezone())
        self.network = CountingNetwork()
        programs = RealPrograms()
        messenger = RealMessenger(Events(SpoolView(base).events_file), programs, self.clock)
        self.tools = Tools(
            self.clock,
            self.network,
            decoder,
            secure,
            programs,
            outside=base.joinpath,
            messenger=messenger,
            siblings=NoSiblings(),
        )
        self.answers: list[dict[str, Any]] = []
        self.stories: dict[str, list[dict[str, Any]]] = {}
        self._decoder = decoder
        self._stack = ExitStack()
        self.open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def open(self) -> None:
        """Take the spool, as a process does at its start."""
        self.spool = self._stack.enter_context(Spool.open(self.base))
        self.intake = Intake(self.spool, self._decoder, self.clock)

    def restart(self) -> None:
        """Give the spool back and take it anew."""
        self._stack.close()
        self.open()

    def program(self, actions: str, workflow: str, *, suspension: float = 0, interval: float = 3600) -> Program:
        """Looks at the spool are far apart: what is waited for has to come by itself, or by `Engine.wake`."""
        file = self.base / "config.xml"
        file.write_text(configuration(actions, workflow, suspension=suspension, interval=interval), encoding="utf-8")
        return load(file, environment={})

    def job(self, *files: bytes, title: str = "page", **tags: str) -> Job:
        """A job of these files."""
        paths = []
        for number, data in enumerate(files, start=1):
            paths.append(self.base / f"input-{number}")
            paths[-1].write_bytes(data)
        return self.intake.copy(paths, Submission(title, source="test", tags=tags))

    def run(self, program: Program, job: Job) -> Outcome:
        """Run the job until it stops; its history is in `stories` afterwards."""
        runner = Runner(self.spool, self.tools, lambda: program, before_leaving=self._keep)
        outcome = runner.run(job)
        if job.folder.path.exists():
            self._keep(job)
        return outcome

    def resume(self, program: Program, job_id: str) -> Outcome:
        """Read the job anew, as another process would, let an operator send it on, and run it."""
        job = self.spool.load(job_id)
        apply(job, {"command": "resume"}, lambda _job: None)
        return self.run(program, job)

    def engine(self, program: Program, workers: int = 1, destinations: Destinations | None = None) -> Engine:
        """An engine that is stopped at the end of the test."""
        engine = Engine(self.spool, program, self.tools, workers, destinations=destinations, steady=self.clock.steady)
        self._stack.callback(engine.stop)
        engine.start()
        return engine

    def messages(self, job: Job | str) -> str:
        """The messages of a job's history, one a line; what stays private is not among them."""
        job_id = job if isinstance(job, str) else job.id
        return "\n".join(line["message"] for line in self.stories[job_id])

    def _keep(self, job: Job) -> None:
        self.stories[job.id] = job.folder.history()
