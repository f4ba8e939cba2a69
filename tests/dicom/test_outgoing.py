from __future__ import annotations

from io import BufferedReader, BytesIO
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dicomprinter.dicom.network.outgoing import OutgoingFile
from dicomprinter.dicom.network.pdus import LAST, PduReader, split_fragments

# The pieces that a system takes in one call: Linux and macOS.
MOST_PIECES = 1024


def opened(data: bytes) -> BufferedReader:
    return BufferedReader(cast("Any", BytesIO(data)))


@given(st.integers(1, 5000), st.sampled_from([2, 122, 4090, 300_000]))
@example(1000, 2)
@example(1001, 2)
@example(2000, 2)
@example(2002, 2)
@example(122, 122)
@example(4090, 4090)
def test_every_byte_goes_out_once_and_the_last_fragment_says_so(length: int, longest: int) -> None:
    data = bytes(number % 251 for number in range(length))
    file = opened(b"head" + data + b"tail")
    file.seek(4)
    outgoing, reader = OutgoingFile(longest), PduReader()
    for _ in range(2):
        file.seek(4)
        found = []
        for batch in outgoing.batches(file, length, 9):
            assert len(batch) < MOST_PIECES
            reader.feed(b"".join(batch))
            while (pdu := reader.take()) is not None:
                assert pdu[1][4] == 9
                found += split_fragments(pdu[1])
        assert b"".join(part for _, _, part in found) == data
        assert [control for _, control, _ in found] == [0] * (len(found) - 1) + [LAST]
        assert max(len(part) for _, _, part in found) <= longest


@pytest.mark.parametrize("missing", [1, 3000])
def test_a_file_that_is_too_short(missing: int) -> None:
    with pytest.raises(EOFError):
        list(OutgoingFile(2).batches(opened(bytes(3000)), 3000 + missing, 1))
