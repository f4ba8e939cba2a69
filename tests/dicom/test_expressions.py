"""Expressions that are searched, and those that never end."""

from __future__ import annotations

import pytest
import regex

from dicomprinter.dicom.expressions import Searcher, search
from dicomprinter.dicom.pcre import compiled
from dicomprinter.errors import PermanentError


def test_found_anywhere_or_not() -> None:
    assert search(regex.compile("b+"), "abba", "it")
    assert not search(regex.compile("^b"), "abba", "it")


def test_a_runaway_expression_ends() -> None:
    with pytest.raises(PermanentError) as caught:
        search(regex.compile("^(a|aa|a?b?)+$"), "a" * 40 + "c", "TAG_VALUE(0010,0020)", 0.05)
    assert caught.value.what == "the expression of TAG_VALUE(0010,0020) took longer than 0.05 s"
    assert caught.value.remedy
    assert "aaa" not in f"{caught.value}{caught.value.private}"


def test_all_searches_of_an_expression_have_one_limit() -> None:
    searcher = Searcher(compiled("(a|aa)+$"), "PatientID (0010,0020)", 0.05)

    def go_on() -> None:
        for _ in range(100_000):
            assert searcher.first("a" * 20 + "b") is None

    with pytest.raises(PermanentError, match=r"the expression of PatientID \(0010,0020\) took longer than 0.05 s"):
        go_on()


def test_an_expression_that_calls_itself_for_ever_comes_to_an_end() -> None:
    with pytest.raises(PermanentError, match="took"):
        Searcher(compiled("(?R)?a"), "PatientID (0010,0020)", 0.05).first("a")
