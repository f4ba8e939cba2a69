"""The head of our own files, beside pynetdicom's reading."""

from __future__ import annotations

import contextlib
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless
from pynetdicom.dsutils import split_dataset

from dicomprinter.dicom.part10 import read_meta
from tests.dicom.helpers import instance


def read(data: bytes) -> tuple[str, int]:
    file = BufferedReader(cast("Any", BytesIO(data)))
    return read_meta(file), file.tell()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless])
def test_the_syntax_and_where_the_data_set_begins(tmp_path: Path, syntax: str) -> None:
    path, _ = instance(tmp_path, syntax=syntax)
    assert read(path.read_bytes()) == (syntax, split_dataset(path)[1])


def test_what_else_stands_in_the_head_is_passed_over(tmp_path: Path) -> None:
    path, _ = instance(tmp_path)
    dataset = dcmread(path)
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.3"
    dataset.file_meta.PrivateInformation = b"x" * 70_000
    dataset.save_as(path, enforce_file_format=True)
    assert read(path.read_bytes()) == (ExplicitVRLittleEndian, split_dataset(path)[1])


def test_a_head_without_a_syntax() -> None:
    assert read(bytes(128) + b"DICM\2\0\0\0UL\4\0\0\0\0\0rest") == ("", 144)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "too short"),
        (b"no DICOM", "too short"),
        (bytes(200), "does not begin"),
        (bytes(128) + b"DICM\2\0\1\0OB\0\0\2\0\0\0\0\1", "does not begin"),
        (bytes(128) + b"DICM\2\0\0\0UL\4\0\xff\xff\xff\xff", "does not begin"),
        (bytes(128) + b"DICM\2\0\0\0UL\4\0\x20\0\0\0rest", "breaks off"),
    ],
)
def test_what_is_no_file_of_ours(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_head_or_an_error(rest: bytes) -> None:
    for data in (rest, bytes(128) + b"DICM\2\0\0\0UL\4\0" + len(rest).to_bytes(4, "little") + rest):
        with contextlib.suppress(ValueError):
            read(data)
