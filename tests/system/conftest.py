from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomprinter.imaging.decoder import Decoder
from tests.system.help import House


@pytest.fixture(scope="package")
def decoder() -> Iterator[Decoder]:
    """One for all: its process takes longer to start than most tests to run."""
    with Decoder() as opened:
        yield opened


@pytest.fixture
def house(tmp_path: Path, decoder: Decoder) -> Iterator[House]:
    with House(tmp_path / "base", decoder) as opened:
        yield opened
