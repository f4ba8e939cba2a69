from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomprinter.imaging.decoder import Decoder
from tests.system.help import House


@pytest.fixture
def house(tmp_path: Path, decoder: Decoder) -> Iterator[House]:
    with House(tmp_path / "base", decoder) as opened:
        yield opened
