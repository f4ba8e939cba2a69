"""Pages that no job could have are told when the file is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomprinter.errors import ConfigError
from dicomprinter.program import Program, load


def loaded(folder: Path, action: str, general: str = "") -> Program:
    file = folder / "config.xml"
    file.write_text(
        f"<DicomPrinter><General>{general}</General><Actions>{action}</Actions>"
        '<Workflow><Perform action="A"/></Workflow></DicomPrinter>',
        "utf-8",
    )
    return load(file, environment={})


def resize(width: int, height: int, aspect: str) -> str:
    return f'<Resize name="A"><Width>{width}</Width><Height>{height}</Height><Aspect>{aspect}</Aspect></Resize>'


@pytest.mark.parametrize(
    ("action", "general", "words"),
    [
        (
            '<AddInstance name="A"><Width>65535</Width><Height>65535</Height></AddInstance>',
            "",
            '<AddInstance> "A" makes a page of 65535 × 65535 pixels',
        ),
        (resize(30_000, 20_000, "ignore"), "", "30000 × 20000 pixels; a page may have 300 million"),
        (
            resize(30, 20, "ignore"),
            "<MaximumSide>29</MaximumSide>",
            "a side may have 29; ask for less, or raise <MaximumSide>",
        ),
    ],
)
def test_a_page_beyond_the_limits_is_refused(tmp_path: Path, action: str, general: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, action, general)
    (problem,) = caught.value.problems
    assert words in str(problem)
    assert problem.line == 1


def test_a_page_that_may_fit_is_not(tmp_path: Path) -> None:
    for action in (resize(30_000, 20_000, "keep"), resize(30_000, 10_000, "ignore")):
        assert loaded(tmp_path, action).actions
