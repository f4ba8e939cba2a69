"""`dicomprinter demo`."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from dicomprinter.demo.show import SEED, configuration
from tests.cli.conftest import Call
from tests.links import ROOT


def test_the_demonstration_shows_what_is_in_the_archives_and_keeps_it(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said = call("demo", "--keep", "--json")
    assert (said.code, said.err) == (0, "")
    assert [job["outcome"] for job in said.json["jobs"]] == ["done", "done"]
    assert said.json["jobs"][0]["asked"]["PatientID"] == "4711-08"
    assert said.json["jobs"][0]["found"]["PatientName"] == "Muster^Erika"
    stored = said.json["stored"]
    assert [(one["archive"], one["sop_class"], one["transfer_syntax"]) for one in stored] == [
        ("primary", "Encapsulated PDF Storage", "Explicit VR Little Endian"),
        ("primary", "Secondary Capture Image Storage", "JPEG Lossless"),
        ("backup", "Encapsulated PDF Storage", "Explicit VR Little Endian"),
        ("backup", "Secondary Capture Image Storage", "Explicit VR Little Endian"),
    ]
    folder = Path(said.json["folder"])
    assert all((folder / name).exists() for name in ("scan.png", "report.pdf", "primary", "backup"))
    for one in stored:
        kept = dcmread(one["file"], stop_before_pixels=True)
        assert (kept.PatientName, kept.InstitutionName) == ("Muster^Erika", "Medical Center")


def test_without_keep_nothing_stays(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said = call("demo")
    assert (said.code, said.err) == (0, "")
    assert "Muster^Erika" in said.out
    assert "which is removed now" in said.out
    assert list(tmp_path.glob("dicomprinter-*")) == []


def test_what_is_kept_is_named(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said = call("demo", "--keep")
    (folder,) = tmp_path.glob("dicomprinter-demo-*")
    assert said.out.splitlines()[-1] == f"kept in {folder}: report.pdf, scan.png, primary/, backup/"


def test_the_configuration_is_that_of_the_examples() -> None:
    assert configuration().read_bytes() == (ROOT / "examples" / SEED).read_bytes()
    assert f'"examples/{SEED}" = "dicomprinter/demo/{SEED}"' in (ROOT / "pyproject.toml").read_text()
