"""Where a system keeps its fonts, and the font that comes with the program."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from dicomprinter.imaging.fonts.sfnt import Face, faces

_ENDINGS: Final = (".ttf", ".otf", ".ttc", ".otc")
_MOST_FILES: Final = 20_000


def font_folders() -> list[Path]:
    """The folders of this system's fonts and of the user's own; some may be missing."""
    if sys.platform == "win32":
        own = os.environ.get("LOCALAPPDATA")
        folders = [Path(os.environ.get("WINDIR", "C:/Windows"), "Fonts")]
        return folders + ([Path(own, "Microsoft/Windows/Fonts")] if own else [])
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), _home() / "Library/Fonts"]
    # As fontconfig has it (fonts.conf of a distribution).
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    own_data = os.environ.get("XDG_DATA_HOME") or _home() / ".local/share"
    return [*(Path(folder, "fonts") for folder in shared.split(":")), Path(own_data, "fonts"), _home() / ".fonts"]


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")  # a service may have none


def installed(folders: list[Path]) -> list[Face]:
    """Every font below the folders that has outlines; what cannot be read is passed over."""
    return [face for file, modified in _files(folders) for face in faces(file, modified)]


def _files(folders: list[Path]) -> Iterator[tuple[str, int]]:
    seen = 0
    for folder in folders:
        for place, inner, names in os.walk(folder):
            inner.sort()
            for name in sorted(names):
                if not name.lower().endswith(_ENDINGS):
                    continue
                seen += 1
                if seen > _MOST_FILES:
                    return
                file = Path(place, name)
                try:
                    yield str(file), file.stat().st_mtime_ns
                except OSError:
                    continue


@cache
def own_font() -> Face:
    """Bitstream Vera Sans, which reportlab brings: for a machine without fonts."""
    spec = find_spec("reportlab")
    assert spec is not None  # noqa: S101 - the program depends on it
    assert spec.origin is not None  # noqa: S101
    return faces(str(Path(spec.origin).parent / "fonts" / "Vera.ttf"), 0)[0]
