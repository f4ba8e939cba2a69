"""`dicomprinter service` in this process, on a machine that is a folder."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from dicomprinter.cli.main import invoke
from dicomprinter.service.systemd import Systemd
from tests.service.systemd_help import PYTHON, STORE, Call, Programs
from tests.system.service import configuration


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine's file system, with a configuration; the program is where a service can see it, not where it is now."""
    monkeypatch.setattr("dicomprinter.cli.service.sys", SimpleNamespace(executable=PYTHON))
    config = tmp_path / "machine" / "etc" / "dicomprinter" / "config.xml"
    config.parent.mkdir(parents=True)
    config.write_text(configuration(STORE, '<Perform action="Send" onError="Hold"/>'))
    return tmp_path / "machine"


@pytest.fixture
def programs() -> Programs:
    return Programs()


@pytest.fixture
def system(root: Path, programs: Programs) -> Systemd:
    """One that runs, asked by root."""
    (root / "run" / "systemd" / "system").mkdir(parents=True)
    return Systemd(root, run=programs, which=lambda name: f"/bin/{name}", user_id=0, is_open=lambda _: True)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], libraries_as_before: None) -> Call:
    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = invoke(["service", *(str(argument) for argument in arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def live(system: Systemd, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    """What the commands take for this machine."""
    monkeypatch.setattr("dicomprinter.cli.service.manager", lambda root=None: system)
    return system
