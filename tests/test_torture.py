"""The torture still does what it says it does: a small sample of each item, and its table."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from torture import disk
from torture.__main__ import ITEMS, checked
from torture.checks import Check, show
from torture.lane import Lane
from torture.place import Place
from torture.rounds import Round, run


@pytest.mark.parametrize("item", ITEMS)
def test_every_item_runs(item: str, capfd: pytest.CaptureFixture[str]) -> None:
    checks = checked([item], short=True, seed=1, parallel=2)
    assert {check.item for check in checks} == {item}
    said = capfd.readouterr().err
    assert show(checks) == 0, "\n".join([said, *(str(check) for check in checks if not check.passed)])


@pytest.mark.parametrize(
    ("check", "code"),
    [
        (Check.none("kills", "books that failed [at all]", 0), 0),
        (Check.none("kills", "books that failed", 1), 1),
        (Check.at_least("kills", "kills", 300, 300), 0),
        (Check.at_least("kills", "kills", 300, 299), 1),
        (Check.at_most("disk", "seconds", 5, 5.1), 1),
    ],
)
def test_one_check_that_fails_fails_all(check: Check, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert show([check]) == code
    assert show([check, Check("disk", "a full disk", "goes on", "went on", passed=True)]) == code
    assert check.what in capsys.readouterr().out


def test_no_check_at_all_is_a_failure() -> None:
    assert show([]) == 1


def test_an_item_that_breaks_off_has_failed_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_place: Place) -> list[Check]:
        raise KeyError("outcome")

    def fine(_place: Place) -> list[Check]:
        return [Check.none("fine", "things that are wrong", 0)]

    def nothing(_place: Place) -> list[Check]:
        return []

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("torture.__main__.ITEMS", {"broken": broken, "nothing": nothing, "fine": fine})
    checks = checked(["broken", "nothing", "fine"], short=True, seed=1, parallel=1)
    assert [(check.item, check.passed) for check in checks] == [("broken", False), ("nothing", False), ("fine", True)]


def test_a_round_that_breaks_off_has_failed_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lane:
        def __init__(self, *_: object, **__: object) -> None:
            raise KeyError("outcome")

    monkeypatch.setattr("torture.rounds.Lane", Lane)
    rounds = [Round((kind,), ()) for kind in ("page", "pdf", "text")]
    tally = run(Place(tmp_path, short=True, seed=1, parallel=2), "kills", rounds)
    assert sorted(tally.failed) == sorted(map(str, rounds))


def test_figures_are_told_as_people_write_them() -> None:
    assert Check.at_least("all", "executions", 1_000_000, 1_289_412).found == "1,289,412"
    assert Check.at_most("disk", "seconds", 30, 5.25).wanted == "≤ 30"


def test_a_fault_of_the_disk_that_no_call_has_met_proves_nothing(tmp_path: Path) -> None:
    with Lane(tmp_path / "lane") as lane:
        lane.service.start()
        assert disk._disturbed(lane, {"calls": "^rename ", "seconds": 0.01}, ("damaged",)) == []
        never = {"calls": "^no such call$", "seconds": 0.01}
        assert disk._disturbed(lane, never, ("damaged",)) == ["the fault was not met"]
