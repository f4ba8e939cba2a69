"""Decoding at arm's length: a file that crashes or hangs a decoder costs a child process, not the service."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from dicomprinter.dicom.forwarded.decoders import DecodedFrame
from dicomprinter.dicom.page import Bitstream, Form, LossySource, Page
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.heap import give_back
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.probe import Probe
from dicomprinter.imaging.process import Answer, ChildProcess
from dicomprinter.imaging.wire import error_from_message


class Decoder:
    """One child process that probes and decodes, one call at a time; any thread may call.

    The child is started by the first call, and again after it was killed. It ends with this process.

    Args:
        limits: what a file may ask for.
        timeout: seconds for one call.
        memory: bytes of address space for the child, where the system can limit it; None is what the limits ask for.
    """

    def __init__(self, limits: Limits | None = None, timeout: float = 120.0, memory: int | None = None) -> None:
        self._limits = limits or Limits()
        self._timeout = timeout
        self._memory = self._limits.memory if memory is None else memory
        self._lock = threading.Lock()
        self._child: ChildProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child. Pages that were handed out stay."""
        with self._lock:
            self._kill()

    def probe(self, path: Path) -> Probe:
        """`imaging.probe.probe` in the child.

        Raises:
            InputError: the file is refused.
            PermanentError: the file made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        with self._lock:
            answer = self._call({"call": "probe", "path": str(path)}).message["probe"]
        return Probe(**{**answer, "size": tuple((width, height) for width, height in answer["size"])})

    def page(self, path: Path, index: int, mode: ColourMode = ColourMode.AS_IS, *, dpi: float = 300) -> Page:
        """`imaging.open.open_page` and `imaging.colour.convert` in the child.

        Args:
            path: a picture or a PDF.
            index: the page, from 0.
            mode: the colour mode.
            dpi: dots per inch, for PDF.

        Returns:
            A page whose pixels cannot be written to.

        Raises:
            PermanentError: the page cannot be decoded, made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        request = {"path": str(path), "index": index, "mode": mode.value, "dpi": dpi}
        give_back()  # the page before this one, and what was made of it
        with self._lock:
            return _page(self._call({"call": "page", **request}))

    def form(self, path: Path, index: int, mode: ColourMode = ColourMode.AS_IS, *, dpi: float = 300) -> Form:
        """What `page` will have for the same arguments, by `imaging.open.open_form` in the child: no pixel is decoded.

        Raises:
            PermanentError: the file is damaged, has no such page, made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        request = {"path": str(path), "index": index, "mode": mode.value, "dpi": dpi}
        with self._lock:
            return Form(**self._call({"call": "form", **request}).message["form"])

    def bitstream(self, path: Path, mode: ColourMode) -> Bitstream | None:
        """`imaging.bitstream.bitstream` in the child: a JPEG that an object can hold as it is, else None.

        Raises:
            PermanentError: the file is damaged, made the decoder crash, or took too long.
            TransientError: the child cannot be started.
        """
        with self._lock:
            answer = self._call({"call": "bitstream", "path": str(path), "mode": mode.value})
        said = answer.message
        if said["form"] is None:
            return None
        form, lossy = Form(**said["form"]), LossySource(**said["lossy"])
        return Bitstream(form, bytes(answer.body), _pair(said["resolution"]), lossy)

    def frame(self, path: Path, index: int) -> DecodedFrame:
        """`imaging.dicom_file.decode_frame` in the child: one frame of a DICOM file, from 0, as native pixels.

        Raises:
            InputError: the frame is larger than the limits allow.
            PermanentError: the frame cannot be decoded, made the decoder crash, or took too long.
            TransientError: the disk or the system fails, or the child cannot be started.
        """
        with self._lock:
            answer = self._call({"call": "frame", "path": str(path), "index": index})
        return DecodedFrame(data=answer.body, **answer.message["frame"])

    def _call(self, request: dict[str, Any]) -> Answer:
        fresh = self._child is None
        answer = self._attempt(request)
        if isinstance(answer, int) and not fresh:
            # An earlier file may have left the child broken, or the system may have killed it.
            answer = self._attempt(request)
        if isinstance(answer, int):
            raise _crashed(answer)
        if "error" in answer.message:
            raise error_from_message(answer.message)
        return answer

    def _attempt(self, request: dict[str, Any]) -> Answer | int:
        """The answer, or how the child ended."""
        child = self._started()
        try:
            answer = child.ask({**request, "timeout": self._timeout}, self._timeout)
        except TimeoutError:
            raise _too_slow(self._timeout) from None
        return child.ended() if answer is None else answer

    def _started(self) -> ChildProcess:
        if self._child is not None and self._child.is_running:
            return self._child
        self._kill()
        settings = {"limits": asdict(self._limits), "memory": self._memory}
        self._child = ChildProcess(settings)
        return self._child

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()


def _page(answer: Answer) -> Page:
    said = answer.message
    pixels = np.frombuffer(answer.body, np.uint8 if said["bits_stored"] == 8 else np.uint16).reshape(said["shape"])
    pixels.flags.writeable = False
    lossy = LossySource(**said["lossy"]) if said["lossy"] else None
    return Page(pixels, said["bits_stored"], _pair(said["resolution"]), lossy)


def _pair(resolution: list[float] | None) -> tuple[float, float] | None:
    return (resolution[0], resolution[1]) if resolution else None


def _too_slow(timeout: float) -> PermanentError:
    return PermanentError(
        "the file took too long to decode",
        cause=f"more than {timeout:g} seconds; the decoder was ended",
        remedy="save the file anew with another program",
    )


def _crashed(returncode: int) -> PermanentError:
    return PermanentError(
        "the file made the decoder crash",
        cause=f"its process ended with {returncode}",
        remedy="save the file anew with another program",
    )
