"""Fonts: their names, their characters, and which one stands in for which."""

from __future__ import annotations

from pathlib import Path

import pytest
from reportlab.pdfbase.ttfonts import TTFont

from dicomprinter.imaging.fonts import folders
from dicomprinter.imaging.fonts.choice import choose
from dicomprinter.imaging.fonts.folders import font_folders, installed, own_font
from dicomprinter.imaging.fonts.sfnt import Face, faces, missing, plain
from tests.imaging.fonts import VERA, collection, renamed

LETTERS = "Erika"


def found(folder: Path) -> list[Face]:
    return installed([folder])


def first(family: str, folder: Path) -> tuple[str, bool, bool]:
    """The family that is taken, whether it is the named one, and whether it is as wide."""
    chosen = choose(family, LETTERS, found(folder), own_font())
    return chosen.fonts[0][0].family, chosen.is_named, chosen.is_as_wide


# What a file says


@pytest.mark.parametrize(
    ("file", "full", "weight", "is_italic"),
    [
        ("Vera.ttf", "bitstreamverasans", 400, False),
        ("VeraBd.ttf", "bitstreamverasansbold", 700, False),
        ("VeraIt.ttf", "bitstreamverasansoblique", 400, True),
        ("VeraBI.ttf", "bitstreamverasansboldoblique", 700, True),
    ],
)
def test_names_and_styles(file: str, full: str, weight: int, is_italic: bool) -> None:
    (face,) = faces(str(VERA.parent / file), 0)
    assert (face.family, face.families) == ("Bitstream Vera Sans", {"bitstreamverasans"})
    assert full in face.full
    assert (face.weight, face.width, face.is_italic, face.is_fixed) == (weight, 5, is_italic, False)


def test_every_character_of_a_font() -> None:
    has = {chr(code) for code, glyph in TTFont("Vera", str(VERA)).face.charToGlyph.items() if glyph}
    every = set(map(chr, range(0x11_0000)))
    assert every - missing(own_font(), every) == has


def test_fonts_of_a_collection(tmp_path: Path) -> None:
    file = collection(tmp_path, VERA, renamed(tmp_path, "Other", "VeraBd.ttf"))
    assert [(face.family, face.index) for face in faces(str(file), 0)] == [("Bitstream Vera Sans", 0), ("Other", 1)]
    assert missing(faces(str(file), 0)[1], "Aж") == {"ж"}


@pytest.mark.parametrize("cut", [0, 3, 11, 40, 200, 300, 20_000])
def test_a_damaged_font_is_none(cut: int, tmp_path: Path) -> None:
    (tmp_path / "x.ttf").write_bytes(VERA.read_bytes()[:cut])
    for face in found(tmp_path):
        assert missing(face, LETTERS) == set(LETTERS)


def test_a_font_that_is_gone_has_nothing(tmp_path: Path) -> None:
    file = renamed(tmp_path, "Gone")
    (face,) = found(tmp_path)
    file.unlink()
    assert missing(face, LETTERS) == set(LETTERS)
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "same"),
    [("DejaVu Sans", "dejavusans"), ("Nimbus-Mono_PS", "nimbusmonops"), ("ＭＳ ゴシック", "ｍｓゴシック")],
)
def test_how_names_are_compared(name: str, same: str) -> None:
    assert plain(name) == same


# Where they lie


def test_fonts_in_folders_and_those_below_them(tmp_path: Path) -> None:
    renamed(tmp_path / "a" / "b", "One")
    renamed(tmp_path / "c", "Two").rename(tmp_path / "c" / "TWO.TTF")
    (tmp_path / "c" / "readme.txt").write_text("no font")
    (tmp_path / "c" / "broken.ttf").mkdir()
    assert {face.family for face in installed([tmp_path / "a", tmp_path / "c", tmp_path / "none"])} == {"One", "Two"}


@pytest.mark.parametrize(
    ("platform", "wanted"),
    [
        ("linux", ["/data/x/fonts", "/usr/share/fonts", "/own/fonts", "/me/.fonts"]),
        ("darwin", ["/System/Library/Fonts", "/Library/Fonts", "/me/Library/Fonts"]),
        ("win32", ["D:/Windows/Fonts", "/local/Microsoft/Windows/Fonts"]),
    ],
)
def test_the_folders_of_a_system(platform: str, wanted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders.sys, "platform", platform)
    monkeypatch.setattr(folders, "_home", lambda: Path("/me"))
    said = {
        "XDG_DATA_DIRS": "/data/x:/usr/share",
        "XDG_DATA_HOME": "/own",
        "WINDIR": "D:/Windows",
        "LOCALAPPDATA": "/local",
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert font_folders() == [Path(folder) for folder in wanted]


def test_a_service_may_have_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", none)
    for name in ("XDG_DATA_DIRS", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert font_folders()


# Which one is taken


@pytest.mark.parametrize(
    ("there", "wished", "wanted"),
    [
        (["Verdana"], "verdana", ("Verdana", True, True)),
        (["Courier New", "Liberation Mono"], "Courier New", ("Courier New", True, True)),
        (["DejaVu Sans Mono", "Liberation Mono", "Arial"], "Courier New", ("Liberation Mono", False, True)),
        (["DejaVu Sans Mono", "Arial"], "Courier New", ("DejaVu Sans Mono", False, False)),
        (["Liberation Sans", "DejaVu Sans"], "Helvetica", ("Liberation Sans", False, True)),
        (["DejaVu Sans", "Noto Sans"], "Arial", ("DejaVu Sans", False, False)),
        (["Liberation Serif", "Arial"], "TIMES NEW ROMAN", ("Liberation Serif", False, True)),
        (["DejaVu Serif", "DejaVu Sans"], "Times", ("DejaVu Serif", False, False)),
        (["DejaVu Sans Mono", "DejaVu Sans"], "Lucida Console", ("DejaVu Sans Mono", False, False)),
        (["DejaVu Serif", "DejaVu Sans"], "Palatino", ("DejaVu Serif", False, False)),
        (["DejaVu Serif", "DejaVu Sans"], "PT Serif", ("DejaVu Serif", False, False)),
        (["DejaVu Serif", "DejaVu Sans"], "MS Sans Serif", ("DejaVu Sans", False, False)),
        (["DejaVu Serif", "DejaVu Sans"], "Comic Sans MS", ("DejaVu Sans", False, False)),
        (["Ubuntu Sans", "Arial"], "Ubuntu Sanz", ("Ubuntu Sans", False, False)),
        (["Zapfino"], "Arial", ("Zapfino", False, False)),
        ([], "Arial", ("Bitstream Vera Sans", False, False)),
    ],
)
def test_the_nearest_font(there: list[str], wished: str, wanted: tuple[str, bool, bool], tmp_path: Path) -> None:
    for family in there:
        renamed(tmp_path, family)
    assert first(wished, tmp_path) == wanted


def test_a_fixed_width_font_for_one(tmp_path: Path) -> None:
    renamed(tmp_path, "Aaa")
    renamed(tmp_path, "Zzz", fixed=True)
    assert first("Courier New", tmp_path)[0] == "Zzz"
    assert first("Arial", tmp_path)[0] == "Aaa"


def test_the_regular_style_of_a_family_or_the_one_that_is_named(tmp_path: Path) -> None:
    for file in ("VeraBd.ttf", "VeraIt.ttf", "Vera.ttf", "VeraBI.ttf"):
        renamed(tmp_path, "Abc", file)
    for wished, wanted in (("Abc", "Abc Vera.ttf"), ("Abc Bold", "Abc VeraBd.ttf"), ("abc oblique", "Abc VeraIt.ttf")):
        assert Path(choose(wished, LETTERS, found(tmp_path), own_font()).fonts[0][0].file).name == wanted


def test_characters_that_the_font_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for family in ("Arial", "Cyrillic", "Japanese"):
        renamed(tmp_path, family)
    more = {"Arial": "", "Cyrillic": "жё", "Japanese": "ж漢字", "Bitstream Vera Sans": ""}

    def lacking(face: Face, characters: str) -> set[str]:
        return {one for one in characters if not one.isascii() and one not in more[face.family]}

    monkeypatch.setattr("dicomprinter.imaging.fonts.choice.missing", lacking)
    chosen = choose("Arial", "aжё漢한", found(tmp_path), own_font())
    assert [(face.family, characters) for face, characters in chosen.fonts] == [
        ("Arial", ""),
        ("Cyrillic", "жё"),
        ("Japanese", "漢"),
    ]
    assert chosen.lacking == "한"


# Real ones


@pytest.mark.peer("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
@pytest.mark.peer("/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf")
def test_dejavu_and_liberation_are_found() -> None:
    there = installed(font_folders())
    for wished, wanted in (("DejaVu Sans", "DejaVu Sans"), ("liberation mono", "Liberation Mono")):
        chosen = choose(wished, "Ærika ж", there, own_font())
        assert (chosen.fonts[0][0].family, chosen.is_named, chosen.lacking) == (wanted, True, "")
        assert len(chosen.fonts) == 1
