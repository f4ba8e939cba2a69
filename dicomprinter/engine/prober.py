"""Asks the destinations that are down whether they are back, and keeps what is known of them on the disk."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dicomprinter.errors import PermanentError
from dicomprinter.job.disk import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.engine.destinations import Destinations

_LOG = logging.getLogger("dicomprinter.engine")
_VERSION: Final = 1
_MOST_SECONDS: Final = 30.0
_WRITING_SECONDS: Final = 1.0


class Prober:
    """`run` is the work of a thread; each C-ECHO has a thread of its own, for a silent peer takes its time.

    Args:
        destinations: what is asked and written down.
        file: `destinations.json`.
        ask: asks a peer; what is wrong with it, empty when it lives.
        stopping: set when the engine ends.
    """

    def __init__(
        self,
        destinations: Destinations,
        file: Path,
        stopping: threading.Event,
        *,
        ask: Callable[[Peer], str],
    ) -> None:
        self._destinations = destinations
        self._file = file
        self._stopping = stopping
        self._ask = ask
        self._happened = threading.Event()
        self._written = 0
        self._fault = ""

    def read(self) -> None:
        """Take over what was known when the engine last ran; without the file, nothing was."""
        with suppress(OSError, ValueError, RecursionError, LookupError, TypeError):
            saved = json.loads(self._file.read_text(encoding="utf-8"))
            if saved["version"] == _VERSION:
                self._destinations.restore(saved["destinations"])

    def look_soon(self) -> None:
        """Something has changed, or `stopping` is set; any thread may call."""
        self._happened.set()

    def run(self) -> None:
        """Ask and write down until `stopping` is set, and write once more then."""
        while not self._stopping.is_set():
            for peer in self._destinations.to_ask():
                self._begin(peer)
            self._write()
            # What jobs meet is written down within a second; only a change of a breaker wakes it.
            self._happened.wait(min(self._destinations.seconds_to_next(), _WRITING_SECONDS))
            self._happened.clear()
        self._write()

    def _begin(self, peer: Peer) -> None:
        try:
            threading.Thread(target=self._probe, args=(peer,), name=f"probe-{peer}", daemon=True).start()
        except RuntimeError:
            # The system has no thread to give; it may have one when the destination is asked next.
            self._destinations.answered(peer, f"{peer} could not be asked: the system gave no thread for it")

    def _probe(self, peer: Peer) -> None:
        fault = f"asking {peer} has failed"
        try:
            fault = self._ask(peer)
        except Exception:  # noqa: BLE001 - the destination has to be asked again in any case
            _LOG.exception("a fault of the engine; the destination is asked again")
        finally:
            self._destinations.answered(peer, fault)

    def _write(self) -> None:
        version, destinations = self._destinations.to_json()
        if version == self._written:
            return
        try:
            data = {"version": _VERSION, "destinations": destinations}
            write_whole(self._file, json.dumps(data, indent=1), secure=False)
        except OSError as error:
            # Nothing depends on it but what is shown, and what the next start knows.
            if self._fault != error.strerror:
                _LOG.error("%s cannot be written: %s", self._file, error.strerror)
            self._fault = error.strerror or ""
        else:
            self._written, self._fault = version, ""


def echo(peer: Peer) -> str:
    """Ask a peer by C-ECHO (PS3.7 9.1.5).

    Returns:
        What is wrong with it, without anything of a patient; empty when it lives. One that takes the association but
        not Verification lives, and so does one that rejects us for good: jobs are to meet that themselves.
    """
    from dicomprinter.dicom.network.echo import examine  # noqa: PLC0415 - only a destination that is down needs it

    associating, answering = _limited(peer.association_timeout), _limited(peer.dimse_timeout)
    error = examine(replace(peer, association_timeout=associating, dimse_timeout=answering), []).error
    return "" if error is None or isinstance(error, PermanentError) else error.what


def _limited(seconds: float | None) -> float:
    return _MOST_SECONDS if seconds is None else min(seconds, _MOST_SECONDS)
