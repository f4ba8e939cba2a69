"""Values set from texts."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomprinter.dicom.tags import dictionary_vr
from dicomprinter.dicom.values import set_text
from dicomprinter.errors import PermanentError


def set_in_one(keyword: str, text: str) -> Dataset:
    dataset = Dataset()
    set_text(dataset, Tag(keyword), dictionary_vr(Tag(keyword)) or "", text)
    return dataset


@pytest.mark.parametrize(
    ("keyword", "text", "expected"),
    [
        ("PatientWeight", "1.5", 1.5),
        ("PatientWeight", "", ""),
        ("Rows", "", None),
        ("SelectorUSValue", "1\\2", [1, 2]),
        ("FrameIncrementPointer", "(0018,2001)", 0x00182001),
        ("ImageType", "A\\\\B", ["A", "", "B"]),
        ("ImageComments", "a\\b", "a\\b"),
        ("ProcedureCodeSequence", "", []),
    ],
)
def test_set(keyword: str, text: str, expected: Any) -> None:
    assert set_in_one(keyword, text)[keyword].value == expected


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("PatientWeight", "1.5\\"),
        ("PixelSpacing", "\\1.5"),
        ("SeriesNumber", "17\\"),
        ("SelectorUSValue", "17\\"),
        ("SelectorFLValue", "1.5\\"),
        ("SelectorFDValue", "1.5\\\\2"),
        ("FrameIncrementPointer", "00182001\\"),
        ("OtherPatientNames", "17^A\\\\B"),
        ("PixelData", "1.5"),
    ],
)
def test_an_empty_part_is_refused_by_the_tag(keyword: str, text: str) -> None:
    with pytest.raises(PermanentError, match=rf"{keyword} \(") as caught:
        set_in_one(keyword, text)
    assert "1.5" not in str(caught.value)
    assert "17" not in str(caught.value)
