from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomprinter.engine.spool import Spool
from dicomprinter.program import Program

from .manual import asks_twice


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool.open(tmp_path / "base") as opened:
        yield opened


@pytest.fixture
def asking(tmp_path: Path) -> Program:
    """A workflow that asks an operator, twice."""
    return asks_twice(tmp_path)
