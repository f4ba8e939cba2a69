"""The two PDUs that open an association (PS3.8 9.3.2 and 9.3.3, PS3.7 Annex D)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.uid import UID
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import PresentationContext

from dicomprinter.dicom.peer import Peer
from dicomprinter.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"
MOST_CONTEXTS: Final = 128


@dataclass(frozen=True)
class Context:
    """A presentation context: one SOP class in one transfer syntax, under an odd number from 1 to 255."""

    number: int
    sop_class: str
    transfer_syntax: str


@dataclass(frozen=True)
class Answer:
    """What the peer made of our proposal.

    Args:
        accepted: the contexts it took, in the order proposed.
        refused: the others, each with the result that it gave (PS3.8 table 9-18).
        max_pdu: the longest PDU in bytes that it accepts; 0 is unlimited.
    """

    accepted: tuple[Context, ...]
    refused: tuple[tuple[Context, int], ...]
    max_pdu: int


def number_contexts(wanted: Sequence[tuple[str, Sequence[str]]]) -> tuple[Context, ...]:
    """Give each (SOP class, transfer syntax) a context of its own, once.

    Raises:
        ValueError: nothing, or more than 128 contexts (PS3.8 9.3.2.2).
    """
    pairs = dict.fromkeys((str(sop_class), str(syntax)) for sop_class, syntaxes in wanted for syntax in syntaxes)
    if not 0 < len(pairs) <= MOST_CONTEXTS:
        raise ValueError(f"an association has 1 to {MOST_CONTEXTS} presentation contexts, not {len(pairs)}")
    return tuple(Context(2 * index + 1, *pair) for index, pair in enumerate(pairs))


def encode_request(peer: Peer, contexts: Sequence[Context]) -> bytes:
    """A-ASSOCIATE-RQ."""
    request = A_ASSOCIATE()
    request.application_context_name = UID(_APPLICATION_CONTEXT)
    request.calling_ae_title = peer.calling_ae_title
    request.called_ae_title = peer.ae_title
    request.presentation_context_definition_list = [_proposal(context) for context in contexts]
    length = MaximumLengthNotification()
    length.maximum_length_received = peer.max_pdu
    class_uid = ImplementationClassUIDNotification()
    class_uid.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    request.user_information = [length, class_uid, version]
    return A_ASSOCIATE_RQ(request).encode()


def decode_accept(pdu: bytes, proposed: Sequence[Context]) -> Answer:
    """A-ASSOCIATE-AC; a context taken in a syntax that was not proposed for it counts as refused.

    Args:
        pdu: the whole PDU, header included.
        proposed: what `encode_request` was given.

    Raises:
        ValueError: the PDU cannot be read.
    """
    message = A_ASSOCIATE_AC()
    try:
        message.decode(pdu)
        results = {item.context_id: (item.result, item.transfer_syntax) for item in message.presentation_context}
        user = message.user_information
        max_pdu = (user.maximum_length if user else None) or 0
    except Exception as error:  # pynetdicom raises whatever a wrong byte leads to
        raise ValueError(f"A-ASSOCIATE-AC: {type(error).__name__}") from error
    accepted: list[Context] = []
    refused: list[tuple[Context, int]] = []
    for context in proposed:
        result, syntax = results.get(context.number, (2, None))
        if result == 0 and syntax == context.transfer_syntax:
            accepted.append(context)
        else:
            refused.append((context, result or 4))
    return Answer(tuple(accepted), tuple(refused), max_pdu)


def _proposal(context: Context) -> PresentationContext:
    item = PresentationContext()
    item.context_id = context.number
    item.abstract_syntax = UID(context.sop_class)
    item.transfer_syntax = [UID(context.transfer_syntax)]
    return item
