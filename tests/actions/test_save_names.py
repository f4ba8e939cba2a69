"""What a Save calls its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dicomprinter.actions.save.names import Names, ObjectSource, component, file_id, is_listable
from dicomprinter.config.placeholders import Template
from tests.actions.query_help import data, make_job


def placed(
    folder: Path, directory: str, filename: str = "DP", header: dict[str, Any] | None = None, **values: Any
) -> Path:
    """The path of the first file, below `folder`."""
    names = Names(Template.parse(directory), Template.parse(filename), "Keep", (folder / "base").joinpath)
    place = names.place(ObjectSource(make_job(folder, **values), data(**(header or {}))), {})
    file = place.file(1)
    return file.relative_to(folder / "base") if file.is_relative_to(folder / "base") else file


@pytest.mark.parametrize(
    ("directory", "filename", "values", "expected"),
    [
        ("archive", "DP", {}, "archive/DP_00001"),
        ("archive", "D", {}, "archive/D_000001"),
        ("archive", "ABCDEF", {}, "archive/ABCDEF_1"),
        ("archive", "page", {}, "archive/page_000001"),
        ("a/b\\c//", "SUB/DP", {}, "a/b/c/SUB/DP_00001"),
        ("a/#{Year}-#{Month}/#{Job.User}", "DP", {}, "a/2026-03/anna/DP_00001"),
        ("a/#{PatientID}", "DP", {"PatientID": "4711"}, "a/4711/DP_00001"),
        ("a/#{PatientID}", "DP", {"PatientID": '1/2\\3:4*5?6"7<8>9|0\x01'}, "a/1_2_3_4_5_6_7_8_9_0_/DP_00001"),
        ("a/#{PatientID}", "DP", {"PatientID": ".."}, "a/_/DP_00001"),
        ("a/.#{PatientID}/b", "DP", {"PatientID": "."}, "a/_/b/DP_00001"),
        ("a/#{PatientID}", "DP", {"PatientID": "../../etc"}, "a/__.._etc/DP_00001"),
        ("a/#{PatientID}", "DP", {"PatientID": "con"}, "a/_con/DP_00001"),
        ("a/#{PatientID}", "DP", {"PatientID": "Lpt1.x"}, "a/_Lpt1.x/DP_00001"),
        ("a/#{PatientID}", "DP", {"PatientID": "x. ."}, "a/x/DP_00001"),
        ("a/#{PatientID}", "DP", {}, "a/_/DP_00001"),
        ("a/#{PatientID}", "DP", {"PatientID": "é" * 300}, f"a/{'é' * 100}/DP_00001"),
        ("a", "#{PatientID}/#{Modality}", {"PatientID": "4711"}, "a/4711/OT_000001"),
        ("a", "#{PatientID}.dcm", {"PatientID": "4711"}, "a/4711_000001.dcm"),
        ("a", "#{PatientID}#{InstanceNumber}", {"PatientID": "4711.x"}, "a/4711.x3_000001"),
    ],
)
def test_a_tree_is_built_by_the_pattern_and_never_by_a_value(
    directory: str, filename: str, values: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    header = {"Modality": "OT", "InstanceNumber": 3}
    assert placed(tmp_path, directory, filename, header, **values) == Path(expected)


def test_an_absolute_folder_stays_where_it_is(tmp_path: Path) -> None:
    assert placed(tmp_path, f"{tmp_path}/#{{PatientID}}", PatientID="x") == tmp_path / "x" / "DP_00001"


def test_a_pattern_itself_may_lead_up(tmp_path: Path) -> None:
    assert placed(tmp_path, "../archive") == Path("../archive/DP_00001")


def test_an_objects_own_value_comes_first(tmp_path: Path) -> None:
    assert placed(tmp_path, "#{PatientID}", header={"PatientID": "own"}, PatientID="job") == Path("own/DP_00001")


def test_what_has_no_value_is_told(tmp_path: Path) -> None:
    names = Names(Template.parse("a"), Template.parse("#{PatientID}-#{StudyID}"), "Keep", Path)
    missing: dict[str, None] = {}
    names.place(ObjectSource(make_job(tmp_path, PatientID="x"), data()), missing)
    assert list(missing) == ["#{StudyID}"]


@pytest.mark.parametrize("name", ["DP", "D", "ABCDEF", "SUB/DP", "A/B/C/D/E/F/G/H", "A_1"])
def test_names_that_a_dicomdir_can_list(name: str) -> None:
    assert is_listable(Template.parse(name))


@pytest.mark.parametrize(
    "name", ["dp", "ABCDEFG", "DP.dcm", "#{Modality}", "SUBFOLDER/DP", "A/B/C/D/E/F/G/H/I", "Ä", "A-B"]
)
def test_names_that_a_dicomdir_cannot_list(name: str) -> None:
    assert not is_listable(Template.parse(name))


def test_a_file_id_has_at_most_eight_components_of_eight_characters(tmp_path: Path) -> None:
    assert file_id(tmp_path, tmp_path / "A" / "DP_00001") == ("A", "DP_00001")
    assert file_id(tmp_path, tmp_path / "DP_100000") is None
    assert file_id(tmp_path, tmp_path / "dp_00001") is None
    assert file_id(tmp_path / "x", tmp_path / "DP_00001") is None


@pytest.mark.parametrize(("text", "expected"), [("a\ud800b", "a_b"), ("e\u0301", "é"), (".hidden", "_hidden")])
def test_a_value_becomes_a_name_that_every_file_system_takes(text: str, expected: str) -> None:
    assert component(text) == expected
