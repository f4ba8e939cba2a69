"""Expressions that are searched, and those that never end."""

from __future__ import annotations

import pytest
import regex

from dicomprinter.dicom.expressions import search
from dicomprinter.errors import PermanentError


def test_found_anywhere_or_not() -> None:
    assert search(regex.compile("b+"), "abba", "it")
    assert not search(regex.compile("^b"), "abba", "it")


def test_a_runaway_expression_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomprinter.dicom.expressions._SECONDS", 0.05)
    with pytest.raises(PermanentError) as caught:
        search(regex.compile("^(a|aa|a?b?)+$"), "a" * 40 + "c", "TAG_VALUE(0010,0020)")
    assert caught.value.what == "the expression of TAG_VALUE(0010,0020) took longer than 0.05 s"
    assert caught.value.remedy
    assert "aaa" not in f"{caught.value}{caught.value.private}"
