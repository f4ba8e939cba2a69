"""The command line inside this process, with folders of its own in place of the user's."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydicom.config import settings

from dicomprinter.cli.main import invoke


@dataclass(frozen=True)
class Called:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


Call = Callable[..., Called]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The command silences libraries for its whole process: here others come after it."""
    loggers = [logging.getLogger(name) for name in ("pydicom", "pynetdicom", "dicomprinter")]
    levels = [logger.level for logger in loggers]
    reading, writing = settings.reading_validation_mode, settings._writing_validation_mode
    yield
    settings.reading_validation_mode, settings._writing_validation_mode = reading, writing
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything of the user's own goes."""
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def call(home: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """`call("check", file)`: exit code, standard output, standard error."""

    def run(*arguments: object) -> Called:
        capsys.readouterr()
        code = invoke([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Called(code, said.out, said.err)

    return run


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A small grey page."""
    file = tmp_path / "page.png"
    Image.linear_gradient("L").resize((16, 8)).save(file)
    return file


@pytest.fixture
def spools(home: Path) -> Callable[[], list[Path]]:
    """The folders that `run` has left behind."""
    return lambda: sorted((home / "dicomprinter" / "runs").glob("*"))
