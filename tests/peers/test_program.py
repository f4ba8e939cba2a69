from __future__ import annotations

import pytest

from tests.peers import program


def test_a_missing_program_skips_and_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("tests.peers._FOLDERS", ("/nowhere",))
    with pytest.raises(pytest.skip.Exception, match="install the Debian package dicom3tools"):
        program("dciodvfy")


def test_a_missing_program_fails_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr("tests.peers._FOLDERS", ("/nowhere",))
    with pytest.raises(pytest.fail.Exception, match="install the Debian package dcmtk"):
        program("storescp")
