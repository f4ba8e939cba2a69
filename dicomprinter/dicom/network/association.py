"""An association with a peer as SCU: open, send, find, echo, release (PS3.8 7, PS3.7 9.1).

    with Association.open(peer, [(SecondaryCaptureImageStorage, [ExplicitVRLittleEndian])]) as association:
        result = association.store(path, sop_class=…, sop_instance=…, transfer_syntax=…)

The upper layer is our own and blocks: the reactor threads of pynetdicom poll, queue a whole file in memory, and wait
for ever on a peer that stops reading.
"""

from __future__ import annotations

import io
import logging
import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from pydicom.dataset import Dataset

from dicomprinter.dicom.identifiers import decode_identifier, encode_identifier
from dicomprinter.dicom.network import commands, failures, normalized, pdus
from dicomprinter.dicom.network.commands import Command, Value, encode_command
from dicomprinter.dicom.network.contexts import Answer, Context, number_contexts
from dicomprinter.dicom.network.find_limits import FindLimits
from dicomprinter.dicom.network.messages import Message, Messages
from dicomprinter.dicom.network.negotiation import decode_accept, encode_request
from dicomprinter.dicom.network.normalized import Event, Heard, Request, Response
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.network.wire import Wire
from dicomprinter.dicom.part10 import read_meta
from dicomprinter.dicom.status import Kind, Status, StoreResult, echo_status, find_status, print_status, store_status
from dicomprinter.errors import PermanentError, TransientError

_log = logging.getLogger(__name__)

VERIFICATION: Final = "1.2.840.10008.1.1"

_C_STORE: Final = 0x0001
_C_FIND: Final = 0x0020
_C_ECHO: Final = 0x0030
_RESPONSE: Final = 0x8000
_PENDING: Final = (0xFF00, 0xFF01)
# A printer reports now and then; one that never ends is broken.
_MOST_REPORTS: Final = 1000
_WITH_DATA_SET: Final[Mapping[int, Value]] = MappingProxyType(
    {commands.PRIORITY: 0, commands.COMMAND_DATA_SET_TYPE: commands.HAS_DATA_SET}
)


class Association:
    """An open association; leaving the `with` block releases it, leaving by an exception aborts it.

    Every method raises TransientError when the connection fails, the peer aborts or does not answer in time. The
    association is closed then.
    """

    def __init__(self, peer: Peer, messages: Messages, proposed: Sequence[Context], answer: Answer) -> None:
        self.peer = peer
        self._messages = messages
        self._proposed = tuple(proposed)
        self._answer = answer
        self._message_id = 0

    @classmethod
    def open(cls, peer: Peer, contexts: Sequence[tuple[str, Sequence[str]]]) -> Association:
        """Connect and negotiate.

        Args:
            peer: whom to call.
            contexts: SOP class UIDs, each with the transfer syntaxes to propose; every pair becomes a presentation
                context of its own, 128 in all at most.

        Raises:
            TransientError: no connection, no answer, aborted, or rejected for now.
            PermanentError: rejected for good, no context accepted, no DICOM, or TLS fails.
            ValueError: no context, or too many.
        """
        proposed = number_contexts(contexts)
        try:
            wire = Wire.connect(peer)
        except OSError as error:
            raise failures.cannot_connect(peer, error) from error
        association = cls.over(wire, peer, proposed)
        if len(association.refusals()) == len(proposed):
            association.close()
            raise association.no_context("anything")
        return association

    @classmethod
    def over(cls, wire: Wire, peer: Peer, proposed: Sequence[Context]) -> Association:
        """Negotiate on a connection that stands, which is closed when that fails; none of the contexts may be accepted.

        Raises:
            TransientError, PermanentError: as `open`.
        """
        try:
            answer = _negotiate(peer, wire, proposed)
        except BaseException:
            wire.close()
            raise
        _log.debug("%s accepted %d of %d presentation contexts", peer, len(answer.accepted), len(proposed))
        return cls(peer, Messages(peer, wire, answer.max_pdu), proposed, answer)

    @property
    def is_open(self) -> bool:
        """Whether the association stands, as far as is known."""
        return self._messages.open

    def accepted(self, sop_class: str) -> tuple[str, ...]:
        """The transfer syntax UIDs that the peer accepted for a SOP class, in the order proposed."""
        return tuple(context.transfer_syntax for context in self._answer.accepted if context.sop_class == sop_class)

    @property
    def max_pdu(self) -> int:
        """The longest PDU in bytes that the peer takes; 0 is unlimited."""
        return self._answer.max_pdu

    def refusals(self) -> dict[Context, str]:
        """The contexts that the peer refused, each with its reason in words (PS3.8 table 9-18)."""
        return {
            context: failures.CONTEXT_RESULTS.get(result, f"result {result}")
            for context, result in self._answer.refused
        }

    def no_context(self, wanted: str) -> PermanentError:
        """The error that says what was proposed and what accepted; `wanted` names what is to be sent."""
        return failures.no_context(
            self.peer,
            wanted,
            proposed=[(context.sop_class, context.transfer_syntax) for context in self._proposed],
            accepted=[(context.sop_class, context.transfer_syntax) for context in self._answer.accepted],
            why=", ".join(sorted(set(self.refusals().values()))),
        )

    def store(self, path: Path, *, sop_class: str, sop_instance: str, transfer_syntax: str) -> StoreResult:
        """Send a Part 10 file as it is, piece by piece (C-STORE, PS3.7 9.1.1).

        Raises:
            PermanentError: no context was accepted for the class in this syntax, or the file does not hold it.
        """
        context = self._context(sop_class, transfer_syntax)
        with _opened(path) as file:
            length = _data_set_of(file, path, transfer_syntax)
            command = self._request(
                _C_STORE, sop_class, {**_WITH_DATA_SET, commands.AFFECTED_SOP_INSTANCE_UID: sop_instance}
            )
            self._messages.send_file(context.number, command, file, length)
        answer, _, code = self._receive(_C_STORE, "the answer to C-STORE")
        status = store_status(code)
        _log.debug("C-STORE to %s: %s", self.peer, status)
        return StoreResult(status, answer.text(commands.ERROR_COMMENT), answer.tags(commands.OFFENDING_ELEMENT))

    def find(self, sop_class: str, identifier: Dataset, *, default_charset: str = "") -> Iterator[Dataset]:
        """The answers to a query, one by one (C-FIND, PS3.7 9.1.2; FF00 and FF01).

        Text in the answers is Unicode, whatever their SpecificCharacterSet, and they say ISO_IR 192. An element that
        cannot be read is left out and named in the log. A caller that stops before the end aborts the association.

        Args:
            sop_class: the information model, e.g. Modality Worklist FIND.
            identifier: the keys; SpecificCharacterSet is set as they need it.
            default_charset: the SpecificCharacterSet of answers that have none though they should.

        Raises:
            TransientError, PermanentError: the final status is not 0000, or the answers do not end; what came before
                should be dropped.
        """
        context = self._context(sop_class, *self.accepted(sop_class)[:1])
        command = self._request(_C_FIND, sop_class, _WITH_DATA_SET)
        self._messages.send(context.number, command, encode_identifier(identifier, context.transfer_syntax))
        finished = False
        limits = FindLimits(self.peer)
        try:
            while True:
                answer, data, code = self._receive(_C_FIND, "the answers to C-FIND")
                if code not in _PENDING:
                    finished = True
                    break
                limits.count(len(data))
                try:
                    found = decode_identifier(data, context.transfer_syntax, default_charset)
                except ValueError as error:
                    raise failures.garbled(self.peer, detail=str(error)) from error
                yield found
        finally:
            if not finished:
                self.abort()
        self._check_final(find_status(code), answer)

    def echo(self) -> Status:
        """C-ECHO (PS3.7 9.1.5).

        Raises:
            PermanentError: no context was accepted for Verification.
        """
        context = self._context(VERIFICATION, *self.accepted(VERIFICATION)[:1])
        command = self._request(_C_ECHO, VERIFICATION, {commands.COMMAND_DATA_SET_TYPE: commands.NO_DATA_SET})
        self._messages.send(context.number, command)
        _, _, code = self._receive(_C_ECHO, "the answer to C-ECHO")
        return echo_status(code)

    def normalized(self, request: Request, heard: Heard) -> Response:
        """A request on a normalized instance, and its answer (PS3.7 10.1); judged as a printer's (`print_status`).

        Args:
            request: what is asked for.
            heard: gets what the peer reports meanwhile, each already answered with 0000.

        Raises:
            PermanentError: no context was accepted for it, or its file cannot be read.
        """
        context = self._context(request.context, *self.accepted(request.context)[:1])
        self._message_id = self._message_id % 0xFFFF + 1
        command = encode_command(request.command(self._message_id))
        if isinstance(request.data, Path):
            with _opened(request.data) as file:
                self._messages.send_file(context.number, command, file, os.fstat(file.fileno()).st_size)
        else:
            data = b"" if request.data is None else encode_identifier(request.data, context.transfer_syntax)
            self._messages.send(context.number, command, data)
        awaited = f"the answer to {request.operation}"
        for _ in range(_MOST_REPORTS):
            message = self._messages.receive(awaited)
            if message.command.number(commands.COMMAND_FIELD) != normalized.EVENT_REPORT:
                answer, data, code = self._checked(message, request.operation, awaited)
                return Response.made(print_status(code), answer, self._decoded(data, context.transfer_syntax))
            self._messages.send(message.context, encode_command(normalized.event_answer(message.command)))
            heard(self._event(message, context.transfer_syntax))
        self.abort()
        raise failures.garbled(self.peer, detail=f"{_MOST_REPORTS} reports came instead of {awaited}")

    def close(self) -> None:
        """Release the association; does nothing when it is closed."""
        self._messages.release()

    def abort(self) -> None:
        """Abort the association; does nothing when it is closed."""
        self._messages.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _context(self, sop_class: str, transfer_syntax: str = "") -> Context:
        for context in self._answer.accepted:
            if (context.sop_class, context.transfer_syntax) == (sop_class, transfer_syntax):
                return context
        syntax = f" as {failures.uid_text(transfer_syntax)}" if transfer_syntax else ""
        raise self.no_context(failures.uid_text(sop_class) + syntax)

    def _request(self, field: int, sop_class: str, elements: Mapping[int, Value]) -> bytes:
        self._message_id = self._message_id % 0xFFFF + 1
        common: dict[int, Value] = {
            commands.AFFECTED_SOP_CLASS_UID: sop_class,
            commands.COMMAND_FIELD: field,
            commands.MESSAGE_ID: self._message_id,
        }
        return encode_command({**common, **elements})

    def _receive(self, request: int, awaited: str) -> tuple[Command, bytes, int]:
        return self._checked(self._messages.receive(awaited), request, awaited)

    def _checked(self, message: Message, request: int, awaited: str) -> tuple[Command, bytes, int]:
        answer = message.command
        status = answer.number(commands.STATUS)
        fits = (
            answer.number(commands.COMMAND_FIELD) == request | _RESPONSE
            and answer.number(commands.MESSAGE_ID_BEING_RESPONDED_TO) == self._message_id
        )
        if not fits or status is None:
            self.abort()
            raise failures.garbled(self.peer, detail=f"another message came instead of {awaited}")
        return answer, message.data, status

    def _event(self, message: Message, default_syntax: str) -> Event:
        report = message.command
        syntaxes = {context.number: context.transfer_syntax for context in self._answer.accepted}
        return Event(
            report.text(commands.AFFECTED_SOP_CLASS_UID),
            report.text(commands.AFFECTED_SOP_INSTANCE_UID),
            report.number(commands.EVENT_TYPE_ID) or 0,
            self._decoded(message.data, syntaxes.get(message.context, default_syntax)),
        )

    def _decoded(self, data: bytes, transfer_syntax: str) -> Dataset:
        try:
            return decode_identifier(data, transfer_syntax)
        except ValueError as error:
            self.abort()
            raise failures.garbled(self.peer, detail=str(error)) from error

    def _check_final(self, status: Status, answer: Command) -> None:
        if status.kind is Kind.SUCCESS:
            return
        error: type[TransientError] | type[PermanentError] = (
            TransientError if status.kind is Kind.TRANSIENT else PermanentError
        )
        raise error(
            f"{self.peer} ended the query with {status}",
            cause=status.cause,
            remedy=status.remedy,
            private=answer.text(commands.ERROR_COMMENT),
        )


def _negotiate(peer: Peer, wire: Wire, proposed: Sequence[Context]) -> Answer:
    awaited = "the answer to the association request"
    try:
        # A peer that has gone may have said why: an alert of TLS, or a rejection before it heard us.
        with suppress(ConnectionError, ssl.SSLEOFError):
            wire.send(encode_request(peer, proposed), timeout=peer.association_timeout)
        kind, body = wire.receive(peer.association_timeout)
    except pdus.NotAPduError as error:
        raise failures.not_dicom(peer, detail=str(error)) from error
    except TimeoutError as error:
        raise failures.silent(peer, peer.association_timeout, awaited=awaited) from error
    except OSError as error:
        raise failures.no_handshake(peer, error, awaited=awaited) from error
    if kind == pdus.ACCEPT:
        try:
            return decode_accept(body, proposed)
        except ValueError as error:
            raise failures.not_dicom(peer, detail=str(error)) from error
    if kind == pdus.REJECT and len(body) >= 4:
        raise failures.rejected(peer, body[1], body[2], body[3])
    if kind == pdus.ABORT and len(body) >= 4:
        raise failures.aborted(peer, body[2], body[3], awaited=awaited)
    raise failures.not_dicom(peer, detail=f"a PDU of type {kind:02X} came as its answer")


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    try:
        file = path.open("rb")
    except (FileNotFoundError, PermissionError) as error:
        raise _cannot_read(path, error) from error
    with file:
        yield file


def _data_set_of(file: io.BufferedReader, path: Path, transfer_syntax: str) -> int:
    """Go to the data set of a Part 10 file; its length in bytes (PS3.10 7.1)."""
    try:
        syntax = read_meta(file)
    except ValueError as error:
        raise _cannot_read(path, error) from error
    length = os.fstat(file.fileno()).st_size - file.tell()
    if syntax != transfer_syntax or length <= 0:
        raise PermanentError(
            "the file of an instance does not hold what is to be sent",
            cause=f"its transfer syntax is {syntax or 'missing'}, its data set has {max(length, 0)} bytes",
            remedy="the job's folder may be damaged",
            private=str(path),
        )
    return length


def _cannot_read(path: Path, error: Exception) -> PermanentError:
    return PermanentError(
        "cannot read the file of an instance",
        cause=type(error).__name__,
        remedy="the job's folder may be damaged",
        private=str(path),
    )
