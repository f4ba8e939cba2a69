"""The two PDUs that open an association (PS3.8 9.3.2 and 9.3.3, PS3.7 Annex D)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from dicomprinter.dicom.network.contexts import Answer, Context
from dicomprinter.dicom.network.pdus import pdu
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_REQUEST: Final = 0x01
_APPLICATION_CONTEXT_NAME: Final = "1.2.840.10008.3.1.1.1"
# Items of the two PDUs (PS3.8 9.3.2 and Annex D).
_APPLICATION_CONTEXT: Final = 0x10
_PROPOSED: Final = 0x20
_ANSWERED: Final = 0x21
_ABSTRACT_SYNTAX: Final = 0x30
_TRANSFER_SYNTAX: Final = 0x40
_USER_INFORMATION: Final = 0x50
_MAXIMUM_LENGTH: Final = 0x51
_IMPLEMENTATION_CLASS_UID: Final = 0x52
_IMPLEMENTATION_VERSION_NAME: Final = 0x55

_ITEM: Final = struct.Struct(">BxH")
# Protocol version, reserved, called and calling AE title, reserved.
_FIXED: Final = struct.Struct(">H2x16s16s32x")
_AE_TITLE: Final = 16
_VERSION: Final = 1
_NO_REASON: Final = 2
_SYNTAX_NOT_SUPPORTED: Final = 4


def encode_request(peer: Peer, contexts: Sequence[Context]) -> bytes:
    """A-ASSOCIATE-RQ.

    Raises:
        ValueError: an AE title is longer than 16 characters, or not ASCII.
    """
    user = (
        _item(_MAXIMUM_LENGTH, peer.max_pdu.to_bytes(4, "big"))
        + _item(_IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_CLASS_UID.encode("ascii"))
        + _item(_IMPLEMENTATION_VERSION_NAME, IMPLEMENTATION_VERSION_NAME.encode("ascii"))
    )
    body = (
        _FIXED.pack(_VERSION, _ae_title(peer.ae_title), _ae_title(peer.calling_ae_title)),
        _item(_APPLICATION_CONTEXT, _APPLICATION_CONTEXT_NAME.encode("ascii")),
        *(_item(_PROPOSED, _proposal(context)) for context in contexts),
        _item(_USER_INFORMATION, user),
    )
    return pdu(_REQUEST, b"".join(body))


def decode_accept(body: bytes, proposed: Sequence[Context]) -> Answer:
    """A-ASSOCIATE-AC; a context taken in a syntax that was not proposed for it counts as refused.

    Items that nobody knows are passed over (PS3.8 9.3.1).

    Args:
        body: the PDU after its header.
        proposed: what `encode_request` was given.

    Raises:
        ValueError: the PDU cannot be read.
    """
    results: dict[int, tuple[int, str]] = {}
    max_pdu = 0
    if len(body) < _FIXED.size:
        raise ValueError("A-ASSOCIATE-AC: it breaks off")
    for kind, value in _items(body, _FIXED.size):
        if kind == _ANSWERED:
            number, result, syntax = _answered(value)
            results[number] = (result, syntax)
        elif kind == _USER_INFORMATION:
            for part, content in _items(value, 0):
                if part == _MAXIMUM_LENGTH and len(content) == 4:
                    max_pdu = int.from_bytes(content, "big")
    accepted: list[Context] = []
    refused: list[tuple[Context, int]] = []
    for context in proposed:
        result, syntax = results.get(context.number, (_NO_REASON, ""))
        if result == 0 and syntax == context.transfer_syntax:
            accepted.append(context)
        else:
            refused.append((context, result or _SYNTAX_NOT_SUPPORTED))
    return Answer(tuple(accepted), tuple(refused), max_pdu)


def _ae_title(text: str) -> bytes:
    encoded = text.encode("ascii")
    if len(encoded) > _AE_TITLE:
        raise ValueError(f'the AE title "{text}" has more than 16 characters')
    return encoded.ljust(_AE_TITLE)


def _proposal(context: Context) -> bytes:
    return (
        bytes((context.number, 0, 0, 0))
        + _item(_ABSTRACT_SYNTAX, context.sop_class.encode("ascii"))
        + _item(_TRANSFER_SYNTAX, context.transfer_syntax.encode("ascii"))
    )


def _answered(value: bytes) -> tuple[int, int, str]:
    """A context's number, result and transfer syntax, which means nothing when it is refused (PS3.8 9.3.3.2)."""
    if len(value) < 4:
        raise ValueError("A-ASSOCIATE-AC: a presentation context breaks off")
    number, result = value[0], value[2]
    syntax = b""
    if result == 0:
        syntax = next((content for kind, content in _items(value, 4) if kind == _TRANSFER_SYNTAX), b"")
    return number, result, syntax.decode("ascii", "replace").rstrip(" \0")


def _items(data: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    while start < len(data):
        if start + _ITEM.size > len(data):
            raise ValueError("A-ASSOCIATE-AC: an item breaks off")
        kind, length = _ITEM.unpack_from(data, start)
        start += _ITEM.size
        if start + length > len(data):
            raise ValueError("A-ASSOCIATE-AC: an item is longer than what holds it")
        yield kind, data[start : start + length]
        start += length


def _item(kind: int, content: bytes) -> bytes:
    return _ITEM.pack(kind, len(content)) + content
