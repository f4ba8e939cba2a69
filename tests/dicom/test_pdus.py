"""PDUs and fragments, however they are cut."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomprinter.dicom.network.pdus import (
    ACCEPT,
    COMMAND,
    LAST,
    P_DATA,
    RELEASE_ANSWER,
    NotAPduError,
    PduReader,
    fragments,
    pdu,
    short_pdu,
    split_fragments,
)


def taken(reader: PduReader) -> list[tuple[int, bytes]]:
    found = []
    while (one := reader.take()) is not None:
        found.append(one)
    return found


@given(
    st.lists(st.tuples(st.integers(1, 7), st.binary(max_size=50)), max_size=5),
    st.lists(st.integers(1, 60), min_size=1),
)
def test_pdus_come_whole_however_they_are_cut(sent: list[tuple[int, bytes]], steps: list[int]) -> None:
    data = b"".join(pdu(kind, body) for kind, body in sent)
    reader, found, start = PduReader(), [], 0
    while start < len(data):
        step = steps[start % len(steps)]
        reader.feed(data[start : start + step])
        found += taken(reader)
        start += step
    assert found == sent


@pytest.mark.parametrize("data", [b"HTTP/1.1", b"\x08\0\0\0\0\0", b"\0\0\0\0\0\0", b"\x04\0\x04\0\0\1"])
def test_what_is_no_pdu(data: bytes) -> None:
    reader = PduReader()
    reader.feed(data[:5])
    assert reader.take() is None
    reader.feed(data[5:])
    with pytest.raises(NotAPduError, match=f"begins with the bytes {data[:6].hex(' ')}"):
        reader.take()


@pytest.mark.parametrize(
    ("max_pdu", "kind", "longest"),
    [
        (16384, P_DATA, 4 << 20),
        (6 << 20, P_DATA, 6 << 20),
        (0, P_DATA, 64 << 20),
        (2**32 - 1, P_DATA, 64 << 20),
        (0, ACCEPT, 4 << 20),
    ],
)
def test_a_pdu_longer_than_was_agreed_on_is_refused_before_it_has_come(max_pdu: int, kind: int, longest: int) -> None:
    reader = PduReader(max_pdu)
    reader.feed(struct.pack(">BxL", kind, longest))
    assert reader.take() is None
    reader = PduReader(max_pdu)
    reader.feed(struct.pack(">BxL", kind, longest + 1))
    with pytest.raises(NotAPduError):
        reader.take()


@given(st.binary(min_size=1, max_size=300), st.integers(1, 100), st.sampled_from([0, COMMAND]))
def test_fragments_make_the_whole_again(data: bytes, longest: int, kind: int) -> None:
    reader = PduReader()
    reader.feed(fragments(data, 7, kind, longest))
    sent = taken(reader)
    assert {number for number, _ in sent} == {P_DATA}
    found = [one for _, body in sent for one in split_fragments(body)]
    assert b"".join(part for _, _, part in found) == data
    assert max(len(part) for _, _, part in found) <= longest
    assert [control for _, control, _ in found] == [kind] * (len(found) - 1) + [kind | LAST]
    assert all(body[4] == 7 for _, body in sent)


def test_several_fragments_in_one_pdu() -> None:
    body = b"\0\0\0\5\1\3abc" + b"\0\0\0\2\1\0" + b"\0\0\0\3\1\2d"
    assert split_fragments(body) == [(1, 3, b"abc"), (1, 0, b""), (1, 2, b"d")]


@pytest.mark.parametrize("body", [b"\0\0\0\1\1", b"\0\0\0\xff\1\3abc", b"\0\0\0\5\1\3abc\0", b"\0\0\0\0"])
def test_fragments_that_do_not_fit(body: bytes) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        split_fragments(body)


def test_more_fragments_than_anybody_sends() -> None:
    """Each is an object in our memory, and a PDU has room for millions of them."""
    empty = b"\0\0\0\2\1\0"
    assert len(split_fragments(empty * 10_000)) == 10_000
    with pytest.raises(ValueError, match="more than 10000 fragments"):
        split_fragments(empty * 10_001)


@given(st.binary(max_size=100))
def test_any_bytes_are_fragments_or_an_error(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert sum(len(part) + 6 for _, _, part in split_fragments(body)) == len(body)


def test_the_short_ones() -> None:
    assert short_pdu(RELEASE_ANSWER) == b"\6\0\0\0\0\4\0\0\0\0"
