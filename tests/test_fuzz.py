"""Each reader still takes what it once choked on, and a little of what nobody sent on purpose."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from fuzz.__main__ import checks_of
from fuzz.driver import Result, fuzz, replay
from fuzz.target import corpus, load, names
from tests.waiting import PATIENCE
from torture.checks import show

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the processes that fuzz are watched as Linux does it")
EXECUTIONS = 40
_SECONDS = 5 * PATIENCE


@pytest.mark.parametrize("name", names())
def test_the_corpus_and_what_hypothesis_draws(name: str) -> None:
    files = corpus(name)
    assert files, f"python -m fuzz.seeds {name} makes the first ones"
    assert sum(file.stat().st_size for file in files) < 40_000
    assert all(file.stat().st_size <= load(name).longest for file in files)
    assert replay(name, files) == ""
    result = fuzz(name, "structured", EXECUTIONS, _SECONDS, seed=1)
    assert not result.findings, "\n".join(one.with_suffix(".txt").read_text("utf-8") for one in result.findings)
    assert result.executions >= 1


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
def test_what_coverage_guides() -> None:
    result = fuzz("placeholders", "guided", 500, _SECONDS, seed=1)
    assert result.executions >= 500
    assert not result.findings


WAYS = [
    "structured",
    pytest.param("guided", marks=pytest.mark.skipif(find_spec("atheris") is None, reason="no atheris")),
]


@pytest.mark.parametrize("how", WAYS)
def test_what_goes_wrong_is_kept_and_can_be_repeated(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.driver.FINDINGS", tmp_path)
    # The second finds the same.
    monkeypatch.setattr("fuzz.driver._MOST_RUNS", 2)
    name = "tests.fuzz_broken"
    result = fuzz(name, how, 100_000, _SECONDS, seed=1)
    (found,) = result.findings
    assert found.read_bytes().startswith(b"!")
    said = found.with_suffix(".txt").read_text(encoding="utf-8")
    assert f"python -m fuzz {name} --replay" in said
    for text in (said, replay(name, [found])):
        assert "it chokes" in text
    found.write_bytes(b"fine")
    assert replay(name, [found]) == ""


def test_what_waits_for_ever_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.driver.FINDINGS", tmp_path)
    monkeypatch.setattr("fuzz.driver._REPLAY_SECONDS", 2.0)
    result = fuzz("tests.fuzz_waiting", "structured", 10, 2, seed=1)
    assert len(result.findings) == 1
    assert "no end after 2 s" in replay("tests.fuzz_waiting", result.findings)


def test_a_time_out_by_the_clock_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever error follows where it came: the machine was busy."""
    monkeypatch.setattr("fuzz.driver.FINDINGS", tmp_path)
    result = fuzz("tests.fuzz_late", "structured", 10, 2, seed=1)
    assert not result.findings
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_a_finding_fails_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    fine = Result("xml", "guided", executions=10, slowest=0.1, memory=90)
    assert show(checks_of([fine], 10)) == 0
    assert show(checks_of([fine], 11)) == 1
    for wrong in (
        Result("xml", "guided", 10, 0.1, 90, [Path("x")]),
        Result("xml", "guided", 10, 5.1, 90),
        Result("xml", "guided", 10, 0.1, 513),
        Result("xml", "guided", 0, 0.0, 90),
    ):
        assert show(checks_of([fine, wrong], 10)) == 1
    capsys.readouterr()
