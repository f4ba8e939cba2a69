"""The benchmark still measures what it says it does; how long things take is no matter here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import encode
from bench.__main__ import ITEMS, main, measured
from bench.facts import facts
from bench.measure import Figure
from bench.pages import deep, grey, photo, text_with_pictures
from bench.results import Row, keep, show
from bench.scale import SMALLEST, Place
from bench.tiff import write_tiff


@pytest.mark.parametrize("item", ITEMS)
def test_every_item_runs(item: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, left_out = measured([item], SMALLEST, tmp_path)
    assert left_out == []
    assert {row.item for row in rows} == {item}
    assert all(row.ours.values for row in rows)
    show(rows, left_out)
    assert all(row.what.split()[0] in capsys.readouterr().out for row in rows[:1])
    kept = json.loads(keep(tmp_path, item, rows, facts(), left_out).read_text("utf-8"))
    assert kept["facts"]["libraries"]["numpy"]
    assert [row["what"] for row in kept["rows"]] == [row.what for row in rows]
    curves = list(tmp_path.glob("memory-*"))
    assert sorted(file.suffix for file in curves) == ([".json", ".svg"] if item == "memory" else [])
    for file in curves[:1]:
        curve = json.loads(file.with_suffix(".json").read_text("utf-8"))["curve"]
        assert all(program > 0 for _, program, _ in curve)
        assert max(decoder for _, _, decoder in curve) > 0


@pytest.mark.parametrize(
    ("row", "ratio", "reached"),
    [
        (Row("", "", Figure((10.0,)), Figure((30.0,)), 4), 3, False),
        (Row("", "", Figure((10.0,)), Figure((40.0,)), 4), 4, True),
        (Row("", "", Figure((10.0,)), Figure((30.0,))), 3, None),
        (Row("", "", Figure((30.0,), "jobs/s"), Figure((10.0,), "jobs/s"), 4), 3, False),
        (Row("", "", Figure((100.0,)), target=150, at_most=True, score=100.0), None, True),
        (Row("", "", Figure((200.0,)), target=150, at_most=True, score=200.0), None, False),
        (Row("", "", Figure((1.0, 200.0, 3.0))), None, None),
    ],
)
def test_ratio_and_target(row: Row, ratio: float | None, reached: bool | None) -> None:
    assert row.ratio == (None if ratio is None else pytest.approx(ratio))
    assert row.reached is reached


def test_an_item_that_breaks_off_or_is_left_out_fails_all_and_the_others_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_place: Place) -> list[Row]:
        raise RuntimeError("it stalls")

    def missing(_place: Place) -> list[Row]:
        pytest.skip("a program is missing")

    def fine(_place: Place) -> list[Row]:
        return [Row("fine", "a thing", Figure((1.0,)))]

    for items, code in (({"fine": fine}, 0), ({"b": broken, "fine": fine}, 1), ({"m": missing, "fine": fine}, 1)):
        monkeypatch.setattr("bench.__main__.ITEMS", items)
        monkeypatch.setattr("sys.argv", ["bench", *items, "--results", str(tmp_path)])
        assert main() == code
        said = capsys.readouterr().out
        assert "a thing" in said
        assert ("left out: " in said) is bool(code)


@pytest.mark.parametrize(("score", "code"), [(100.0, 0), (90.0, 1), (None, 0)])
def test_a_target_that_is_missed_is_told_by_the_exit_code(
    score: float | None, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Row("start", "a thing", Figure((1.0,)), target=95, score=score)
    monkeypatch.setattr("bench.__main__.measured", lambda *_: ([row], []))
    monkeypatch.setattr("sys.argv", ["bench", "start", "--results", str(tmp_path)])
    assert main() == code
    assert ("missed: start, a thing" in capsys.readouterr().out) is bool(code)


def test_start_up_is_taken_off() -> None:
    net = Figure((100.0, 120.0, 110.0)).less(Figure((20.0, 30.0, 25.0)))
    assert net.values == (75.0, 95.0, 85.0)
    assert net.median == 85.0


def test_pages_are_the_same_in_every_run() -> None:
    for make in (photo, text_with_pictures):
        page = make(96, 64)
        assert (page == make(96, 64)).all()
        assert page.shape == (96, 64, 3)
        assert grey(page).shape == (96, 64)
        assert deep(page).max() <= 4095


def test_a_tiff_of_many_pages(tmp_path: Path) -> None:
    page = photo(300, 64)
    write_tiff(tmp_path / "pages.tiff", page, 3)
    with Image.open(tmp_path / "pages.tiff") as image:
        assert image.n_frames == 3
        for number in range(3):
            image.seek(number)
            assert (np.asarray(image) == page).all()
            assert image.info["dpi"] == (300, 300)


def test_without_an_encoder_of_our_own_the_other_one_is_measured_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.encode.find_spec", lambda _name: None)
    rows = [row for row in encode.measure(Place(tmp_path, tmp_path, SMALLEST)) if row.what.startswith(".70")]
    assert {row.what.partition(",")[0] for row in rows} == {".70 by imagecodecs"}
    assert all("dicomprinter-jpeg is not installed" in row.remark for row in rows)
