"""Command sets, beside those of pynetdicom."""

from __future__ import annotations

import contextlib
import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode, encode

from dicomprinter.dicom.network import commands
from dicomprinter.dicom.network.commands import decode_command, encode_command

NUMBERS = {
    commands.COMMAND_FIELD: "CommandField",
    commands.MESSAGE_ID_BEING_RESPONDED_TO: "MessageIDBeingRespondedTo",
    commands.COMMAND_DATA_SET_TYPE: "CommandDataSetType",
    commands.STATUS: "Status",
}


def element(number: int, value: bytes, group: int = 0) -> bytes:
    return struct.pack("<HHL", group, number, len(value)) + value


ANSWER = (
    element(0x0100, b"\x01\x80")
    + element(0x0120, b"\x07\x00")
    + element(0x0800, b"\x01\x01")
    + element(0x0900, b"\0\0")
)


@pytest.mark.parametrize("uid", ["1.2.3", "1.2.34"], ids=["odd", "even"])
def test_a_request_is_what_pynetdicom_makes_of_it(uid: str) -> None:
    expected = Dataset()
    expected.AffectedSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    expected.CommandField = 0x0001
    expected.MessageID = 513
    expected.Priority = 0
    expected.CommandDataSetType = 1
    expected.AffectedSOPInstanceUID = uid
    body = encode(expected, True, True) or b""
    assert (
        encode_command(
            {
                commands.AFFECTED_SOP_INSTANCE_UID: uid,
                commands.AFFECTED_SOP_CLASS_UID: "1.2.840.10008.5.1.4.1.1.7",
                commands.COMMAND_FIELD: 1,
                commands.MESSAGE_ID: 513,
                commands.PRIORITY: 0,
                commands.COMMAND_DATA_SET_TYPE: commands.HAS_DATA_SET,
            }
        )
        == element(0, struct.pack("<L", len(body))) + body
    )


@given(
    numbers=st.dictionaries(st.sampled_from(sorted(NUMBERS)), st.integers(0, 0xFFFF)),
    comment=st.text("abc äß'^-", max_size=64),
    tags=st.lists(st.integers(0, 0xFFFFFFFF), max_size=4),
    backwards=st.booleans(),
)
def test_an_answer_is_read_as_pynetdicom_reads_it(
    numbers: dict[int, int], comment: str, tags: list[int], *, backwards: bool
) -> None:
    comment = comment.strip()
    parts = [element(number, struct.pack("<H", value)) for number, value in numbers.items()]
    parts.append(element(commands.ERROR_COMMENT, comment.encode("latin-1")))
    parts.append(
        element(commands.OFFENDING_ELEMENT, b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in tags))
    )
    data = b"".join(reversed(parts) if backwards else parts)
    ours, theirs = decode_command(data), decode(BytesIO(data), True, True)
    for number, keyword in NUMBERS.items():
        assert ours.number(number) == theirs.get(keyword)
    assert ours.text(commands.ERROR_COMMENT) == (theirs.ErrorComment or "")
    offending = theirs.OffendingElement
    found = [offending] if isinstance(offending, int) else list(offending or ())
    assert ours.tags(commands.OFFENDING_ELEMENT) == tuple(found)


def test_what_nobody_knows_is_kept() -> None:
    command = decode_command(ANSWER + element(0x5555, b"odd"))
    assert command.elements[0x5555] == b"odd"
    assert command.number(0x5555) is None
    assert (command.text(0x0902), command.tags(0x0901)) == ("", ())


@pytest.mark.parametrize(
    "rest",
    [
        b"\0" * 7,
        element(0x0005, b"ISO_IR 100", group=8),
        element(commands.ERROR_COMMENT, b"no room")[:-2],
        element(commands.OFFENDING_ELEMENT, b"\x10\x00\x20\x00\x10"),
    ],
    ids=["padding", "another group", "a text that is cut", "half a tag"],
)
def test_peers_that_count_badly_still_say_a_status(rest: bytes) -> None:
    command = decode_command(ANSWER + rest)
    assert command.number(commands.COMMAND_FIELD) == 0x8001
    assert command.number(commands.MESSAGE_ID_BEING_RESPONDED_TO) == 7
    assert command.number(commands.STATUS) == 0
    assert not command.has_data_set
    assert command.text(commands.ERROR_COMMENT) in ("", "no ro")
    assert command.tags(commands.OFFENDING_ELEMENT) in ((), (0x00100020,))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (ANSWER[:-1], r"\(0000,0900\) has 1 bytes"),
        (ANSWER + element(commands.STATUS, b"\0\0\0"), r"\(0000,0900\) has 3 bytes"),
        (ANSWER + b"\0\0\x02\x09\xff\xff\xff\xffabc", r"\(0000,0902\) has no length"),
    ],
)
def test_a_command_that_cannot_be_read(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode_command(data)


@pytest.mark.parametrize("value", [b"", b"\0\0\1\0"], ids=["empty", "two numbers"])
def test_a_status_that_is_not_one_number_is_none(value: bytes) -> None:
    assert decode_command(ANSWER + element(commands.STATUS, value)).number(commands.STATUS) is None


@pytest.mark.parametrize(("value", "follows"), [(b"\1\0", True), (b"\0\0", True), (b"\1\1", False), (b"", False)])
def test_whether_a_data_set_follows(value: bytes, *, follows: bool) -> None:
    assert decode_command(element(commands.COMMAND_DATA_SET_TYPE, value)).has_data_set is follows


@given(st.binary(max_size=200) | st.binary(max_size=40).map(lambda rest: ANSWER + rest))
def test_any_bytes_are_a_command_or_an_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        command = decode_command(data)
        for number in command.elements:
            _ = command.number(number), command.text(number), command.tags(number)
