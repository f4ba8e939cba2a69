"""Decoding at arm's length: a file that crashes or hangs a decoder costs a child process, not the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from dicomprinter.dicom.forwarded.decoders import DecodedFrame
from dicomprinter.dicom.page import Bitstream, Form, LossySource, Page
from dicomprinter.imaging.edits.steps import Steps
from dicomprinter.imaging.heap import give_back
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.orientation.finding import Finding, Gates
from dicomprinter.imaging.pool import Caller, Pool, cores
from dicomprinter.imaging.probe import Probe
from dicomprinter.imaging.process import Admit, Answer, ChildProcess, at_once
from dicomprinter.imaging.rendering.images import Images
from dicomprinter.imaging.room import Room, Turn
from dicomprinter.imaging.wire import error_from_message

_LARGEST_ROOM: Final = 512 << 20
"""Bytes of pixels that are worked on at once."""


def nowhere(_: str) -> None:
    """Where notes go that nobody wants."""


class Decoder:
    """Child processes that probe and decode; any thread may call, and calls go side by side.

    The first child is started by the first call, or by `start`; others as they are needed, and again after one was
    killed. All end with this process.

    Args:
        limits: what a file may ask for.
        timeout: seconds for one call.
        memory: bytes of address space for a child, where the system can limit it; None is what the limits ask for.
        children: at once; None is one a processor.
        first: a child that was started before; it becomes this one's.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        timeout: float = 120.0,
        memory: int | None = None,
        *,
        children: int | None = None,
        first: ChildProcess | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._timeout = timeout
        self._memory = memory
        self._pool = Pool(self._settings(), children, first)
        self._room = Room(cores(), _LARGEST_ROOM)
        self._caller = Caller()
        self._is_branch = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def adopt(self, limits: Limits, timeout: float) -> None:
        """Have other limits from the next call on, as the constructor has them; calls of branches keep their time."""
        self.limits, self._timeout = limits, timeout
        self._pool.adopt(self._settings())

    def start(self) -> None:
        """Let the first child get ready while something else is done."""
        self._pool.start()

    def branch(self) -> Decoder:
        """One over the same children, whose `close` ends its own calls only."""
        branch = copy(self)
        branch._caller, branch._is_branch = Caller(self._caller), True  # noqa: SLF001 - another of this class
        return branch

    def close(self) -> None:
        """End what is being called, and the children. Pages that were handed out stay."""
        self._caller.close()
        self._room.wake()
        if self._is_branch:
            self._pool.wake()
        else:
            self._pool.close()

    def turn(self) -> Turn:
        """A place among the pages that may be in memory at once, for who works on many: its `admit` goes to `page`."""
        return Turn(self._room, self._caller)

    def children(self) -> list[int]:
        """The process ids of the children that run."""
        return self._pool.pids()

    def probe(self, path: Path) -> Probe:
        """`imaging.probe.probe` in the child.

        Raises:
            InputError: the file is refused.
            PermanentError: the file made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        answer = self._call({"call": "probe", "path": str(path)}).message["probe"]
        return Probe(**{**answer, "size": tuple((width, height) for width, height in answer["size"])})

    def page(
        self,
        path: Path,
        index: int,
        mode: ColourMode = ColourMode.AS_IS,
        *,
        dpi: float = 300,
        edits: Steps | None = None,
        note: Callable[[str], object] = nowhere,
        admit: Admit = at_once,
    ) -> Page:
        """`imaging.open.open_page`, the edits and `imaging.colour.convert` in the child.

        Args:
            path: a picture or a PDF.
            index: the page, from 0.
            mode: the colour mode.
            dpi: dots per inch, for PDF.
            edits: what is done to the page before the colour mode.
            note: takes what the edits want the job's history to tell.
            admit: called with the size of its pixels in bytes, before they come here; may wait.

        Returns:
            A page whose pixels cannot be written to.

        Raises:
            PermanentError: the page cannot be decoded or changed, made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        give_back()  # the page before this one, and what was made of it
        answer = self._call({"call": "page", **_request(path, index, mode, dpi, edits)}, admit)
        _tell(answer, note)
        return _page(answer)

    def edited(
        self,
        path: Path,
        index: int,
        edits: Steps,
        *,
        note: Callable[[str], object] = nowhere,
        admit: Admit = at_once,
    ) -> memoryview | None:
        """A picture's page after these edits, as a file that `page` opens (`imaging.page_file`), made in the child.

        `note` and `admit` as in `page`, `admit` with the file's size.

        Returns:
            None when they leave the page as it is.

        Raises:
            PermanentError, TransientError: as `page`.
        """
        answer = self._call({"call": "edited", "path": str(path), "index": index, "edits": edits.to_message()}, admit)
        _tell(answer, note)
        return answer.body or None

    def look(self, path: Path, index: int, gates: Gates) -> Finding:
        """`imaging.orientation.look.look` in the child: which way the text of a page stands.

        Raises:
            PermanentError, TransientError: as `page`.
        """
        request = {"call": "look", "path": str(path), "index": index, "gates": asdict(gates)}
        return Finding(**self._call(request).message["finding"])

    def turned(self, path: Path, turns: Mapping[int, int]) -> tuple[memoryview, bool]:
        """`imaging.pdf_turn.turn_pages` in the child.

        Returns:
            the PDF, and whether it is signed.

        Raises:
            PermanentError: it cannot be turned, made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        answer = self._call({"call": "turned", "path": str(path), "turns": dict(turns)})
        return answer.body, bool(answer.message["signed"])

    def form(
        self,
        path: Path,
        index: int,
        mode: ColourMode = ColourMode.AS_IS,
        *,
        dpi: float = 300,
        edits: Steps | None = None,
    ) -> Form:
        """What `page` will have for the same arguments, by `imaging.open.open_form` in the child.

        No pixel is decoded, but those of a page on which an edit looks for an edge.

        Raises:
            PermanentError: the file is damaged, has no such page, made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        return Form(**self._call({"call": "form", **_request(path, index, mode, dpi, edits)}).message["form"])

    def bitstream(self, path: Path, mode: ColourMode, *, admit: Admit = at_once) -> Bitstream | None:
        """`imaging.bitstream.bitstream` in the child: a JPEG that an object can hold as it is, else None.

        `admit` as in `page`, for the file's bytes.

        Raises:
            PermanentError: the file is damaged, made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        answer = self._call({"call": "bitstream", "path": str(path), "mode": mode.value}, admit)
        said = answer.message
        if said["form"] is None:
            return None
        form, lossy = Form(**said["form"]), LossySource(**said["lossy"])
        return Bitstream(form, bytes(answer.body), _pair(said["resolution"]), lossy)

    def texts(self, path: Path) -> list[str]:
        """`imaging.pdf_text.read_texts` in the child: the text of each page of a PDF.

        Raises:
            InputError: the file is damaged, or has more text than the limits allow.
            PermanentError: it made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        answer = self._call({"call": "texts", "path": str(path)})
        return bytes(answer.body).decode("utf-8").split("\f") if answer.message["pages"] else []

    def merged(self, paths: Sequence[Path]) -> memoryview:
        """`imaging.pdf_merge.merge_pdfs` in the child: one PDF of several.

        Raises:
            InputError: one is damaged, or they have too many pages together.
            PermanentError: one made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        return self._call({"call": "merged", "paths": [str(path) for path in paths]}).body

    def frame(self, path: Path, index: int, *, admit: Admit = at_once) -> DecodedFrame:
        """`imaging.dicom_file.decode_frame` in the child: one frame of a DICOM file, from 0, as native pixels.

        `admit` as in `page`.

        Raises:
            InputError: the frame is larger than the limits allow.
            PermanentError: the frame cannot be decoded, made the decoder crash, or took too long.
            TransientError: the disk or the system fails, or the child cannot be started.
        """
        answer = self._call({"call": "frame", "path": str(path), "index": index}, admit)
        return DecodedFrame(data=answer.body, **answer.message["frame"])

    def images(self, path: Path) -> Images:
        """`imaging.rendering.frame.images_of` in the child: what of a DICOM file `rendered` can show.

        Raises:
            PermanentError: nothing here decodes its pixels, they are too many, or it made the decoder crash.
            TransientError: the disk or the system fails, or the child cannot be started.
        """
        return Images(**self._call({"call": "images", "path": str(path)}).message["images"])

    def rendered(
        self,
        path: Path,
        index: int,
        mode: ColourMode,
        *,
        note: Callable[[str], object] = nowhere,
        admit: Admit = at_once,
    ) -> Page:
        """`imaging.rendering.frame.render_frame` in the child: a frame of a DICOM image as it is to be seen.

        Arguments and result as in `page`; of the resolution only the proportion counts.

        Raises:
            PermanentError: the frame cannot be decoded, made the decoder crash, or took too long.
            TransientError: the disk or the system fails, or the child cannot be started.
        """
        give_back()
        answer = self._call({"call": "rendered", "path": str(path), "index": index, "mode": mode.value}, admit)
        _tell(answer, note)
        return _page(answer)

    def _settings(self) -> dict[str, Any]:
        """What a child has to know."""
        return {"limits": asdict(self.limits), "memory": self.limits.memory if self._memory is None else self._memory}

    def _call(self, request: dict[str, Any], admit: Admit = at_once) -> Answer:
        answer = self._pool.call(request, self._timeout, self._caller, admit)
        if "error" in answer.message:
            raise error_from_message(answer.message)
        return answer


def _request(path: Path, index: int, mode: ColourMode, dpi: float, edits: Steps | None) -> dict[str, Any]:
    message = edits.to_message() if edits is not None and edits.steps else None
    return {"path": str(path), "index": index, "mode": mode.value, "dpi": dpi, "edits": message}


def _tell(answer: Answer, note: Callable[[str], object]) -> None:
    for text in answer.message["notes"]:
        note(str(text))


def _page(answer: Answer) -> Page:
    said = answer.message
    pixels = np.frombuffer(answer.body, np.uint8 if said["bits_stored"] == 8 else np.uint16).reshape(said["shape"])
    pixels.flags.writeable = False
    lossy = LossySource(**said["lossy"]) if said["lossy"] else None
    return Page(pixels, said["bits_stored"], _pair(said["resolution"]), lossy)


def _pair(resolution: list[float] | None) -> tuple[float, float] | None:
    return (resolution[0], resolution[1]) if resolution else None
