"""What this version cannot perform yet is told when the file is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.help import PEER, config, warnings

LATER = '<MergeJob name="Cut"/>'
CANNOT = "this version loads it but cannot perform it yet; take it out of the workflow, or wait for a version that"


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (LATER, f'the action "Cut" is a MergeJob: {CANNOT}'),
        (
            '<AddInstance name="Cut"><ImagePath>a.png</ImagePath></AddInstance>',
            f'the action "Cut" is a AddInstance: {CANNOT}',
        ),
    ],
)
def test_what_this_version_cannot_perform_is_told_when_the_workflow_performs_it(
    tmp_path: Path, action: str, said: str
) -> None:
    assert warnings(tmp_path, config(action)) == []
    (one,) = warnings(tmp_path, config(action, '<Perform action="Cut"/><Perform action="Cut"/>'))
    assert one.startswith(f"config.xml:1:24: {said}")


def test_a_perform_that_makes_it_possible_is_not_warned_of(tmp_path: Path) -> None:
    change = f'<Query type="Study">{PEER}<DcmTag tag="PatientID">1</DcmTag></Query>'
    workflow = f'<Perform action="Ask">{change}</Perform>'
    assert warnings(tmp_path, config('<Query name="Ask" type="Manual"/>', workflow)) == []
