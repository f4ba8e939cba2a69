"""DIMSE messages on an open connection: commands, data sets, and their fragments (PS3.7 6.3, PS3.8 Annex E)."""

from __future__ import annotations

import contextlib
import io
import logging
import struct
import time
from collections import deque
from typing import Final

from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode, encode

from dicomprinter.dicom import failures
from dicomprinter.dicom.peer import Peer
from dicomprinter.dicom.wire import NotAPduError, Wire
from dicomprinter.errors import DicomPrinterError, PermanentError

_log = logging.getLogger(__name__)

P_DATA: Final = 0x04
RELEASE_REQUEST: Final = 0x05
RELEASE_ANSWER: Final = 0x06
ABORT: Final = 0x07

NO_DATA_SET: Final = 0x0101
_COMMAND: Final = 0x01
_LAST: Final = 0x02
# PDU header 6 bytes; the PDV's length, context and control bytes count as part of the PDU's length.
_PDV_HEAD: Final = struct.Struct(">BxLLBB")
_PDV_OVERHEAD: Final = 6
# What we send at most at once, whatever the peer allows.
_LONGEST_SENT: Final = 256 * 1024
# No answer of ours to come is near this; a peer that sends more is broken.
_LONGEST_ANSWER: Final = 64 * 1024 * 1024
_AFTERMATH: Final = 1.0


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
        self._arrived: deque[tuple[int, bytes]] = deque()
        longest = min(max_pdu or _LONGEST_SENT, _LONGEST_SENT) - _PDV_OVERHEAD
        # Fragments have an even number of bytes.
        self._longest_fragment = longest - longest % 2
        if self._longest_fragment <= 0:
            self.abort()
            raise PermanentError(
                f"{peer} accepts PDUs of {max_pdu} bytes at most",
                cause="no data fits into them",
                remedy="correct the maximum PDU length on the peer",
            )

    @property
    def open(self) -> bool:
        """Whether the association stands, as far as is known."""
        return self._open

    def send_command(self, context: int, command: Dataset) -> None:
        """Send a command set, its group length added.

        Raises:
            TransientError: the connection failed.
        """
        # Always Implicit VR Little Endian, whatever the context says (PS3.7 6.3.1).
        body = encode(command, True, True) or b""
        length = struct.pack("<HHLL", 0x0000, 0x0000, 4, len(body))
        self._send_bytes(context, length + body, _COMMAND, "a request")

    def send_data(self, context: int, data: bytes) -> None:
        """Send an encoded data set after its command.

        Raises:
            TransientError: the connection failed.
        """
        self._send_bytes(context, data, 0, "a request")

    def send_file(self, context: int, file: io.BufferedIOBase, length: int) -> None:
        """Send the next `length` bytes of a file as the data set; holds one fragment in memory.

        Raises:
            TransientError: the connection failed.
            PermanentError: the file is shorter than it was.
        """
        buffer = bytearray(_PDV_HEAD.size + min(self._longest_fragment, length))
        view = memoryview(buffer)
        left = length
        while left:
            count = min(left, self._longest_fragment)
            left -= count
            part = view[: _PDV_HEAD.size + count]
            if file.readinto(part[_PDV_HEAD.size :]) != count:
                self.abort()
                raise PermanentError(
                    "a file that was being sent became shorter", cause="something changed it", remedy="send it again"
                )
            _PDV_HEAD.pack_into(part, 0, P_DATA, count + _PDV_OVERHEAD, count + 2, context, 0 if left else _LAST)
            self._send(part, "an instance")
            if not self._open:
                return  # the peer has answered early and gone

    def receive(self, awaited: str) -> tuple[Dataset, bytes]:
        """The next message as (command set, data set as sent); `awaited` says in words what should come.

        Raises:
            TransientError: nothing came within the DIMSE time-out, or the association ended.
        """
        deadline = _deadline(self._peer.dimse_timeout)
        parts = {_COMMAND: bytearray(), 0: bytearray()}
        command: Dataset | None = None
        while True:
            while not self._arrived:
                self._receive_fragments(awaited, deadline)
            control, fragment = self._arrived.popleft()
            part = parts[control & _COMMAND]
            part += fragment
            if len(part) > _LONGEST_ANSWER:
                raise self._fail(failures.garbled(self._peer, detail="a message of more than 64 MB"))
            if not control & _LAST:
                continue
            if control & _COMMAND:
                command = self._decode_command(bytes(part))
                if command.get("CommandDataSetType", NO_DATA_SET) == NO_DATA_SET:
                    return command, b""
            elif command is not None:
                return command, bytes(part)

    def release(self) -> None:
        """A-RELEASE (PS3.8 7.2): all answers are there, so a peer that breaks it off is only noted."""
        if not self._open:
            return
        timeout = self._peer.association_timeout
        deadline = _deadline(timeout)
        try:
            self._wire.send(_short_pdu(RELEASE_REQUEST), timeout)
            while True:
                kind, _ = self._wire.receive(_left(deadline))
                if kind in (RELEASE_ANSWER, ABORT):
                    break
                if kind == RELEASE_REQUEST:
                    self._wire.send(_short_pdu(RELEASE_ANSWER), timeout)
        except (OSError, NotAPduError) as error:
            _log.warning("%s did not answer the release: %s", self._peer, type(error).__name__)
        finally:
            self._close()

    def abort(self) -> None:
        """A-ABORT as the service's user (PS3.8 7.3), and close; does nothing when closed."""
        if not self._open:
            return
        try:
            self._wire.send(_short_pdu(ABORT), _AFTERMATH)
        except OSError as error:
            _log.debug("%s could not be told of the abort: %s", self._peer, type(error).__name__)
        finally:
            self._close()

    def _send_bytes(self, context: int, data: bytes, kind: int, sending: str) -> None:
        for start in range(0, len(data), self._longest_fragment):
            fragment = data[start : start + self._longest_fragment]
            control = kind | (_LAST if start + len(fragment) == len(data) else 0)
            count = len(fragment)
            head = _PDV_HEAD.pack(P_DATA, count + _PDV_OVERHEAD, count + 2, context, control)
            self._send(head + fragment, sending)

    def _send(self, data: bytes | memoryview, sending: str) -> None:
        if not self._open:
            if self._arrived:
                return
            raise failures.closed(self._peer, awaited=f"{sending} was sent")
        try:
            self._wire.send(data, self._peer.dimse_timeout)
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
        try:
            while True:
                self._take_pdu(*self._wire.receive(_left(deadline)), awaited)
        except (OSError, NotAPduError):
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
        except NotAPduError as error:
            self.abort()
            raise failures.garbled(self._peer, detail=str(error)) from None
        self._take_pdu(kind, body, awaited)

    def _take_pdu(self, kind: int, body: bytearray, awaited: str) -> None:
        if kind == P_DATA:
            self._arrived.extend(self._split(body))
        elif kind == ABORT:
            source, reason = (body[2], body[3]) if len(body) >= 4 else (0, 0)
            raise self._fail(failures.aborted(self._peer, source, reason, awaited=awaited))
        elif kind == RELEASE_REQUEST:
            with contextlib.suppress(OSError):
                self._wire.send(_short_pdu(RELEASE_ANSWER), _AFTERMATH)
            raise self._fail(failures.released(self._peer, awaited=awaited))
        else:
            self.abort()
            raise failures.garbled(self._peer, detail=f"a PDU of type {kind:02X} in the middle of a message")

    def _split(self, body: bytearray) -> list[tuple[int, bytes]]:
        """The PDVs of a P-DATA-TF as (control byte, fragment) (PS3.8 9.3.5.1)."""
        fragments: list[tuple[int, bytes]] = []
        start = 0
        while start < len(body):
            length = int.from_bytes(body[start : start + 4], "big")
            end = start + 4 + length
            if length < 2 or end > len(body):
                self.abort()
                raise failures.garbled(self._peer, detail="a fragment that does not fit into its PDU")
            fragments.append((body[start + 5], bytes(body[start + 6 : end])))
            start = end
        return fragments

    def _decode_command(self, data: bytes) -> Dataset:
        try:
            command = decode(io.BytesIO(data), True, True)
            # Elements are read when they are asked for: ask here, where a failure has a name.
            command.decode()
            for element in command:
                _ = element.value
        except Exception as error:  # pydicom raises whatever a wrong byte leads to
            self.abort()
            raise failures.garbled(
                self._peer, detail=f"a command set that breaks off ({type(error).__name__})"
            ) from error
        return command

    def _fail(self, error: DicomPrinterError) -> DicomPrinterError:
        self._close()
        return error

    def _close(self) -> None:
        self._open = False
        self._wire.close()


def _short_pdu(kind: int) -> bytes:
    """A-RELEASE-RQ, A-RELEASE-RP, or A-ABORT from the service's user: four reserved bytes each."""
    return struct.pack(">BxLL", kind, 4, 0)


def _deadline(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - time.monotonic(), 0.001)
