from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomprinter.dicom.status import Kind, echo_status, find_status, print_status, store_status


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ([0x0000], Kind.SUCCESS),
        ([0xB000, 0xB006, 0xB007, 0xB123, 0xBFFF, 0x0107, 0x0116], Kind.WARNING),
        ([0x0111], Kind.DUPLICATE),
        ([0xA700, 0xA701, 0xA7FF, 0x0110, 0x0213], Kind.TRANSIENT),
        ([0xA900, 0xA9FF, 0xC000, 0xCFFF, 0x0122, 0x0112, 0x0117, 0x0124, 0x0210, 0x0211, 0x0212], Kind.PERMANENT),
        ([0x0001, 0x0105, 0xA6FF, 0xA800, 0xAA00, 0xD000, 0xFE00, 0xFF00, 0xFFFF], Kind.PERMANENT),
    ],
)
def test_store_kinds(codes: list[int], kind: Kind) -> None:
    assert {code: store_status(code).kind for code in codes} == dict.fromkeys(codes, kind)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x0000, Kind.SUCCESS),
        (0xA700, Kind.TRANSIENT),
        (0x0110, Kind.TRANSIENT),
        (0x0213, Kind.TRANSIENT),
        (0xFE00, Kind.TRANSIENT),
        (0xA900, Kind.PERMANENT),
        (0xC001, Kind.PERMANENT),
        (0x0122, Kind.PERMANENT),
        (0x0124, Kind.PERMANENT),
        # Only 0000 says that all answers came.
        (0x0107, Kind.PERMANENT),
        (0x0111, Kind.PERMANENT),
        (0xB000, Kind.PERMANENT),
        (0xFF02, Kind.PERMANENT),
    ],
)
def test_find_kinds(code: int, kind: Kind) -> None:
    assert find_status(code).kind is kind


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ([0x0000], Kind.SUCCESS),
        ([0x0107, 0x0116, 0xB600, 0xB604, 0xB605, 0xB609, 0xB60A], Kind.WARNING),
        ([0xC601, 0xC602, 0xC605], Kind.TRANSIENT),
        ([0xB602, 0xB603, 0xC600, 0xC603, 0xC613, 0xC616], Kind.PERMANENT),
        ([0x0105, 0x0106, 0x0110, 0x0111, 0x0112, 0x0120, 0x0122, 0x0124, 0x0213, 0xA700, 0xB000], Kind.PERMANENT),
    ],
)
def test_print_kinds(codes: list[int], kind: Kind) -> None:
    assert {code: print_status(code).kind for code in codes} == dict.fromkeys(codes, kind)


def test_unknown_codes_say_the_number_in_hex() -> None:
    assert "0xDEAD" in str(store_status(0xDEAD))
    assert "0xBEEF" in find_status(0xBEEF).meaning
    assert "0xA700" in echo_status(0xA700).meaning


@given(st.integers(0, 0xFFFF), st.sampled_from([store_status, find_status, print_status, echo_status]))
def test_every_status_has_its_words(code: int, look_up: object) -> None:
    status = look_up(code)  # type: ignore[operator]
    assert status.code == code
    assert status.meaning
    assert f"{code:04X}" in str(status)
    if status.kind is not Kind.SUCCESS:
        assert status.cause
        assert status.remedy


def test_stored_means_success_or_warning() -> None:
    assert [store_status(code).stored for code in (0x0000, 0xB000, 0x0111, 0xA700, 0xC000)] == [
        True,
        True,
        False,
        False,
        False,
    ]
