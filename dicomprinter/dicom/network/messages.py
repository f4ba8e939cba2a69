"""DIMSE messages on an open connection: commands, data sets, and their fragments (PS3.7 6.3, PS3.8 Annex E)."""

from __future__ import annotations

import contextlib
import io
import logging
import time
from collections import deque
from typing import Final, NamedTuple

from dicomprinter.dicom.network import failures, pdus
from dicomprinter.dicom.network.commands import Command, decode_command
from dicomprinter.dicom.network.outgoing import OutgoingFile
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.network.wire import Wire
from dicomprinter.errors import DicomPrinterError, PermanentError

_log = logging.getLogger(__name__)

# What we send most of at once, whatever the peer allows.
_LONGEST_SENT: Final = 256 * 1024
# No answer of ours to come is near this; a peer that sends more is broken.
_LONGEST_ANSWER: Final = 64 * 1024 * 1024
# Seconds, and bytes: what a peer still has to say when it has hung up is one answer and an abort.
_AFTERMATH: Final = 1.0
_LONGEST_LAST_WORDS: Final = 1024 * 1024


class Message(NamedTuple):
    """A message that came: the number of its presentation context, its command set, its data set as sent."""

    context: int
    command: Command
    data: bytes


class Messages:
    """Sends and receives DIMSE messages. After any failure the connection is closed and every call fails."""

    def __init__(self, peer: Peer, wire: Wire, max_pdu: int) -> None:
        """Take over a negotiated connection; `max_pdu` is what the peer accepts, in bytes, 0 for unlimited.

        Raises:
            PermanentError: no data fits into such a PDU.
        """
        self._peer = peer
        self._wire = wire
        self._open = True
        self._arrived: deque[tuple[int, int, bytes]] = deque()
        longest = min(max_pdu or _LONGEST_SENT, _LONGEST_SENT) - pdus.FRAGMENT_OVERHEAD
        # Fragments have an even number of bytes.
        self._longest_fragment = longest - longest % 2
        if self._longest_fragment <= 0:
            self.abort()
            raise PermanentError(
                f"{peer} accepts PDUs of {max_pdu} bytes at most",
                cause="no data fits into them",
                remedy="correct the maximum PDU length on the peer",
            )
        self._outgoing = OutgoingFile(self._longest_fragment)

    @property
    def open(self) -> bool:
        """Whether the association stands, as far as is known."""
        return self._open

    def send(self, context: int, command: bytes, data: bytes = b"") -> None:
        """Send an encoded command set, and the data set that goes with it.

        Raises:
            TransientError: the connection failed.
        """
        longest = self._longest_fragment
        whole = pdus.fragments(command, context, pdus.COMMAND, longest) + pdus.fragments(data, context, 0, longest)
        self._send(whole, sending="a request")

    def send_file(self, context: int, command: bytes, file: io.BufferedReader, length: int) -> None:
        """Send an encoded command set and the next `length` bytes of a file as its data set.

        Raises:
            TransientError: the connection failed.
            PermanentError: the file is shorter than it was.
        """
        request = pdus.fragments(command, context, pdus.COMMAND, self._longest_fragment)
        try:
            for batch in self._outgoing.batches(file, length, context):
                self._send(request, *batch, sending="an instance")
                request = b""
                if not self._open:
                    return  # the peer has answered early and gone
        except EOFError:
            self.abort()
            raise PermanentError(
                "a file that was being sent became shorter", cause="something changed it", remedy="send it again"
            ) from None

    def receive(self, awaited: str) -> Message:
        """The next message; `awaited` says in words what should come.

        Raises:
            TransientError: nothing came within the DIMSE time-out, or the association ended.
        """
        deadline = _deadline(self._peer.dimse_timeout)
        parts = {pdus.COMMAND: bytearray(), 0: bytearray()}
        command: Command | None = None
        while True:
            while not self._arrived:
                self._receive_fragments(awaited, deadline)
            context, control, fragment = self._arrived.popleft()
            part = parts[control & pdus.COMMAND]
            part += fragment
            if len(part) > _LONGEST_ANSWER:
                raise self._fail(failures.garbled(self._peer, detail="a message of more than 64 MB"))
            if not control & pdus.LAST:
                continue
            if control & pdus.COMMAND:
                command = self._decode_command(bytes(part))
                if not command.has_data_set:
                    return Message(context, command, b"")
            elif command is not None:
                return Message(context, command, bytes(part))

    def release(self) -> None:
        """A-RELEASE (PS3.8 7.2): all answers are there, so a peer that breaks it off is only noted."""
        if not self._open:
            return
        timeout = self._peer.association_timeout
        deadline = _deadline(timeout)
        try:
            self._wire.send(pdus.short_pdu(pdus.RELEASE_REQUEST), timeout=timeout)
            while True:
                kind, _ = self._wire.receive(_left(deadline))
                if kind in (pdus.RELEASE_ANSWER, pdus.ABORT):
                    break
                if kind == pdus.RELEASE_REQUEST:
                    self._wire.send(pdus.short_pdu(pdus.RELEASE_ANSWER), timeout=timeout)
        except (OSError, pdus.NotAPduError) as error:
            _log.warning("%s did not answer the release: %s", self._peer, type(error).__name__)
        finally:
            self._close()

    def abort(self) -> None:
        """A-ABORT as the service's user (PS3.8 7.3), and close; does nothing when closed."""
        if not self._open:
            return
        try:
            self._wire.send(pdus.short_pdu(pdus.ABORT), timeout=_AFTERMATH)
        except OSError as error:
            _log.debug("%s could not be told of the abort: %s", self._peer, type(error).__name__)
        finally:
            self._close()

    def _send(self, *parts: bytes | memoryview, sending: str) -> None:
        if not self._open:
            if self._arrived:
                return
            raise failures.closed(self._peer, awaited=f"{sending} was sent")
        try:
            self._wire.send(*parts, timeout=self._peer.dimse_timeout)
        except TimeoutError:
            # Part of a PDU went out: nothing that follows would be understood, so no A-ABORT.
            self._close()
            raise failures.stalled(self._peer, self._peer.dimse_timeout, sending=sending) from None
        except OSError:
            self._hear_last_words(f"{sending} was sent")
            self._close()
            # A peer may answer early and hang up: its answer says more than the broken connection.
            if not self._arrived:
                raise failures.closed(self._peer, awaited=f"{sending} was sent") from None

    def _hear_last_words(self, awaited: str) -> None:
        """An A-ABORT may lie in the buffer although the connection is broken already."""
        deadline = _deadline(_AFTERMATH)
        heard = 0
        try:
            while heard < _LONGEST_LAST_WORDS:
                kind, body = self._wire.receive(_left(deadline))
                heard += len(body)
                self._take_pdu(kind, body, awaited)
        except (OSError, pdus.NotAPduError):
            return

    def _receive_fragments(self, awaited: str, deadline: float | None) -> None:
        if not self._open:
            raise failures.closed(self._peer, awaited=awaited)
        try:
            kind, body = self._wire.receive(_left(deadline))
        except TimeoutError:
            self.abort()
            raise failures.silent(self._peer, self._peer.dimse_timeout, awaited=awaited) from None
        except OSError:
            raise self._fail(failures.closed(self._peer, awaited=awaited)) from None
        except pdus.NotAPduError as error:
            self.abort()
            raise failures.garbled(self._peer, detail=str(error)) from None
        self._take_pdu(kind, body, awaited)

    def _take_pdu(self, kind: int, body: bytes, awaited: str) -> None:
        if kind == pdus.P_DATA:
            try:
                self._arrived.extend(pdus.split_fragments(body))
            except ValueError as error:
                self.abort()
                raise failures.garbled(self._peer, detail=str(error)) from None
        elif kind == pdus.ABORT:
            source, reason = (body[2], body[3]) if len(body) >= 4 else (0, 0)
            raise self._fail(failures.aborted(self._peer, source, reason, awaited=awaited))
        elif kind == pdus.RELEASE_REQUEST:
            with contextlib.suppress(OSError):
                self._wire.send(pdus.short_pdu(pdus.RELEASE_ANSWER), timeout=_AFTERMATH)
            raise self._fail(failures.released(self._peer, awaited=awaited))
        else:
            self.abort()
            raise failures.garbled(self._peer, detail=f"a PDU of type {kind:02X} in the middle of a message")

    def _decode_command(self, data: bytes) -> Command:
        try:
            return decode_command(data)
        except ValueError as error:
            self.abort()
            raise failures.garbled(self._peer, detail=f"a command set that cannot be read: {error}") from None

    def _fail(self, error: DicomPrinterError) -> DicomPrinterError:
        self._close()
        return error

    def _close(self) -> None:
        self._open = False
        self._wire.close()


def _deadline(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def _left(deadline: float | None) -> float | None:
    """Seconds until then; raises TimeoutError afterwards, so that nobody who keeps talking is listened to for ever."""
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
