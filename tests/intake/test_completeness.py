from __future__ import annotations

from pathlib import Path

from dicomprinter.intake.completeness import Completeness

FILE = Path("incoming/scan.pdf")


def test_a_closed_file_is_complete_at_once():
    seen = Completeness()
    seen.closed(FILE)
    seen.begin_look()
    assert seen.is_complete(FILE, 100, 1, now=0.0)


def test_a_closed_file_that_is_empty_waits_for_its_content():
    seen = Completeness()
    seen.closed(FILE)
    seen.begin_look()
    assert not seen.is_complete(FILE, 0, 1, now=0.0)
    assert seen.is_complete(FILE, 0, 1, now=2.0)


def test_a_file_opened_anew_is_not_complete():
    seen = Completeness()
    seen.closed(FILE)
    seen.written(FILE)
    seen.begin_look()
    assert not seen.is_complete(FILE, 100, 1, now=0.0)


def test_without_events_size_and_time_must_stand_still():
    seen = Completeness()
    assert not seen.is_complete(FILE, 100, 1, now=0.0)
    assert not seen.is_complete(FILE, 200, 1, now=1.9), "it has grown"
    assert not seen.is_complete(FILE, 200, 2, now=3.0), "it was written over"
    assert not seen.is_complete(FILE, 200, 2, now=4.9)
    assert seen.is_complete(FILE, 200, 2, now=5.0)


def test_an_old_time_alone_says_nothing():
    """A copying program may keep the original's time while it still writes."""
    seen = Completeness()
    assert not seen.is_complete(FILE, 100, 0, now=1e9)


def test_what_has_gone_is_forgotten():
    seen = Completeness()
    seen.is_complete(FILE, 100, 1, now=0.0)
    seen.closed(FILE)
    seen.begin_look()
    seen.keep_only(set())
    assert not seen.is_complete(FILE, 100, 1, now=10.0)


def test_what_was_closed_after_the_listing_was_made_is_not_forgotten_with_it():
    seen = Completeness()
    seen.begin_look()
    seen.closed(FILE)
    seen.keep_only(set())
    assert not seen.is_complete(FILE, 100, 1, now=0.0), "one that came before it may not have been listed"
    seen.begin_look()
    assert seen.is_complete(FILE, 100, 1, now=0.0)
