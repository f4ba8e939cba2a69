"""The command line inside this process, with folders of its own in place of the user's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dicomprinter.cli.main import invoke
from tests.system.service import configuration, connection
from tests.waiting import PATIENCE


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


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything of the user's own goes."""
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def call(
    home: Path, capsys: pytest.CaptureFixture[str], libraries_as_before: None, monkeypatch: pytest.MonkeyPatch
) -> Call:
    """`call("check", file)`: exit code, standard output, standard error."""
    # A service on a machine with other things to do answers late.
    for module in ("orders", "restore"):
        monkeypatch.setattr(f"dicomprinter.cli.jobs.{module}.ANSWER_SECONDS", PATIENCE)

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


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base directory whose workflow holds every job: its archive is not there."""
    send = f'<Store name="Send">{connection(104, "PACS", host="pacs.invalid")}</Store>'
    folder = tmp_path / "base"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "config.xml").write_text(configuration(send, '<Perform action="Send"/>'))
    return folder
