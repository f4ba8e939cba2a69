"""The torture still does what it says it does: a small sample of each item, and its table."""

from __future__ import annotations

import pytest

from torture.__main__ import ITEMS, checked
from torture.checks import Check, show


@pytest.mark.parametrize("item", ITEMS)
def test_every_item_runs(item: str, capfd: pytest.CaptureFixture[str]) -> None:
    checks = checked([item], short=True, seed=1, parallel=2)
    assert {check.item for check in checks} == {item}
    assert show(checks) == 0, capfd.readouterr()


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
