"""The PDUs that open an association, beside those of pynetdicom."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
)
from pynetdicom.presentation import PresentationContext

from dicomprinter.dicom.network.contexts import Answer, Context, number_contexts
from dicomprinter.dicom.network.negotiation import decode_accept, encode_request
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from tests.dicom.helpers import PDF, SC

PEER = Peer("PACS", "127.0.0.1", 104, "SIXTEEN_LETTERS_", max_pdu=65536)
PROPOSED = number_contexts(
    [(SC, [RLELossless, ExplicitVRLittleEndian]), (PDF, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])]
)


def primitive(contexts: list[PresentationContext], *more: Any) -> A_ASSOCIATE:
    found = A_ASSOCIATE()
    found.application_context_name = UID("1.2.840.10008.3.1.1.1")
    found.calling_ae_title = PEER.calling_ae_title
    found.called_ae_title = PEER.ae_title
    found.presentation_context_definition_list = contexts
    length, class_uid, version = (
        MaximumLengthNotification(),
        ImplementationClassUIDNotification(),
        ImplementationVersionNameNotification(),
    )
    length.maximum_length_received = PEER.max_pdu
    class_uid.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    version.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    found.user_information = [length, class_uid, version, *more]
    return found


def item(context: Context, result: int | None = None, syntax: str | None = None) -> PresentationContext:
    found = PresentationContext()
    found.context_id = context.number
    found.abstract_syntax = UID(context.sop_class)
    found.transfer_syntax = [UID(syntax or context.transfer_syntax)]
    found.result = result
    return found


def accept(*items: PresentationContext, more: tuple[Any, ...] = ()) -> bytes:
    """A-ASSOCIATE-AC after its header."""
    answer = primitive([], *more)
    answer.result = 0
    answer.result_source = 1
    answer.presentation_context_definition_results_list = list(items)
    return A_ASSOCIATE_AC(answer).encode()[6:]


def test_the_request_is_what_pynetdicom_makes_of_it() -> None:
    expected = A_ASSOCIATE_RQ(primitive([item(context) for context in PROPOSED])).encode()
    assert encode_request(PEER, PROPOSED) == expected


@pytest.mark.parametrize("title", ["SEVENTEEN_LETTERS", "MÜNCHEN"])
def test_titles_that_have_no_room(title: str) -> None:
    with pytest.raises(ValueError, match=r"AE title|ascii"):
        encode_request(Peer(title, "127.0.0.1", 104), PROPOSED)


def test_the_answer_is_read_as_pynetdicom_made_it() -> None:
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid = UID(SC)
    role.scu_role, role.scp_role = True, False
    body = accept(
        item(PROPOSED[0], 4),
        item(PROPOSED[1], 0),
        item(PROPOSED[2], 0, syntax=RLELossless),
        # The last is not answered at all.
        more=(role,),
    )
    assert decode_accept(body, PROPOSED) == Answer(
        (PROPOSED[1],), ((PROPOSED[0], 4), (PROPOSED[2], 4), (PROPOSED[3], 2)), 65536
    )


def test_items_that_nobody_knows_are_passed_over() -> None:
    fixed, rest = accept(item(PROPOSED[1], 0))[:68], accept(item(PROPOSED[1], 0))[68:]
    answer = decode_accept(fixed + b"\x77\0\0\3abc" + rest + b"\x50\0\0\7\x77\0\0\3abc", PROPOSED)
    assert (answer.accepted, answer.max_pdu) == ((PROPOSED[1],), 65536)


def test_a_peer_that_does_not_say_what_it_takes_has_no_limit() -> None:
    assert decode_accept(bytes(68), PROPOSED) == Answer((), tuple((context, 2) for context in PROPOSED), 0)


@pytest.mark.parametrize(
    "body",
    [b"", bytes(67), bytes(68) + b"\x21", bytes(68) + b"\x21\0\0\3\1\0\0", bytes(68) + b"\x21\0\0\x09\1\0\0\0"],
    ids=["nothing", "fixed part", "half an item", "half a context", "too long"],
)
def test_an_answer_that_breaks_off(body: bytes) -> None:
    with pytest.raises(ValueError, match="A-ASSOCIATE-AC"):
        decode_accept(body, PROPOSED)


@given(st.data())
def test_any_bytes_are_an_answer_or_an_error(data: st.DataObject) -> None:
    body = bytearray(accept(item(PROPOSED[1], 0)))
    for place in data.draw(st.lists(st.integers(68, len(body) - 1), max_size=4)):
        body[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        answer = decode_accept(bytes(body), PROPOSED)
        assert len(answer.accepted) + len(answer.refused) == len(PROPOSED)
