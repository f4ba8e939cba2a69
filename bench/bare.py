"""The least that any sender of C-STOREs can do: bytes that were made beforehand go out, answers come in."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from dicomprinter.dicom.network import commands, pdus
from dicomprinter.dicom.network.commands import encode_command
from dicomprinter.dicom.network.contexts import number_contexts
from dicomprinter.dicom.network.negotiation import decode_accept, encode_request
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.network.wire import Wire
from dicomprinter.dicom.part10 import read_meta

_TIMEOUT: Final = 60.0
_C_STORE: Final = 0x0001


@dataclass(frozen=True)
class BareSender:
    """An association that only has to be played.

    Args:
        peer: who takes it.
        messages: what goes out, one for each object, in PDUs as the peer wants them.
    """

    peer: Peer
    messages: tuple[bytes, ...]

    @classmethod
    def to(cls, peer: Peer, files: Mapping[Path, str]) -> Self:
        """Make everything ready; asks the peer for its maximum PDU.

        Args:
            peer: who takes it.
            files: uncompressed Secondary Captures and their instance UIDs.
        """
        wire, longest = _opened(peer)
        _release(wire)
        return cls(
            peer, tuple(_message(path, uid, number, longest) for number, (path, uid) in enumerate(files.items()))
        )

    def send(self) -> None:
        """Play it."""
        wire, _ = _opened(self.peer)
        for message in self.messages:
            wire.send(message, timeout=_TIMEOUT)
            kind, body = wire.receive(_TIMEOUT)
            if kind != pdus.P_DATA or commands.decode_command(body[6:]).number(commands.STATUS):
                raise RuntimeError(f"the archive answered {body.hex(' ')}")
        _release(wire)


def _opened(peer: Peer) -> tuple[Wire, int]:
    contexts = number_contexts([(SecondaryCaptureImageStorage, [ExplicitVRLittleEndian])])
    wire = Wire(socket.create_connection((peer.host, peer.port)))
    wire.send(encode_request(peer, contexts), timeout=_TIMEOUT)
    _, body = wire.receive(_TIMEOUT)
    return wire, decode_accept(body, contexts).max_pdu - pdus.FRAGMENT_OVERHEAD


def _release(wire: Wire) -> None:
    wire.send(pdus.short_pdu(pdus.RELEASE_REQUEST), timeout=_TIMEOUT)
    wire.receive(_TIMEOUT)
    wire.close()


def _message(path: Path, uid: str, number: int, longest: int) -> bytes:
    command: dict[int, int | str] = {
        commands.AFFECTED_SOP_CLASS_UID: str(SecondaryCaptureImageStorage),
        commands.COMMAND_FIELD: _C_STORE,
        commands.MESSAGE_ID: number + 1,
        commands.PRIORITY: 0,
        commands.COMMAND_DATA_SET_TYPE: commands.HAS_DATA_SET,
        commands.AFFECTED_SOP_INSTANCE_UID: uid,
    }
    with path.open("rb") as file:
        read_meta(file)
        data = file.read()
    return pdus.fragments(encode_command(command), 1, pdus.COMMAND, longest) + pdus.fragments(data, 1, 0, longest)
