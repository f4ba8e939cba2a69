"""The two PDUs that open an association (PS3.8 9.3.2 and 9.3.3, PS3.7 Annex D)."""

from __future__ import annotations

from collections.abc import Sequence
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

from dicomprinter.dicom.contexts import Answer, Context
from dicomprinter.dicom.peer import Peer
from dicomprinter.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"


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
