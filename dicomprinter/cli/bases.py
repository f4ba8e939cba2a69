"""Base directories: which one is meant when none is named."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from dicomprinter.errors import InputError

BASE_HELP = "The base directory; this one if it has config/config.xml, else the user's own."
_NAME = "dicomprinter"


def base_for(config: Path, base: Path | None) -> Path | None:
    """The base directory of a configuration: the one named, else the one above when it lies in a `config` folder."""
    if base is not None:
        return base
    folder = config.absolute().parent
    return folder.parent if folder.name == "config" else None


def service_base(base: Path | None) -> Path:
    """Where a service works: the folder named, else this one if it holds a configuration, else the user's own."""
    if base is not None:
        return base.absolute()
    here = Path.cwd()
    if (here / "config" / "config.xml").is_file():
        return here
    return Path(platformdirs.user_data_dir(_NAME, appauthor=False))


def refuse_folder(config: Path) -> None:
    """A configuration is a file.

    Raises:
        InputError: it is a folder; says which file of it may be meant.
    """
    if config.is_dir():
        inside = [file for name in ("config/config.xml", "config.xml") if (file := config / name).is_file()]
        remedy = f"name the file: {inside[0]}" if inside else "name the XML file itself"
        raise InputError(f"the configuration {config} is a folder", remedy=remedy)


def runs() -> Path:
    """Where `run` makes its spools."""
    return Path(platformdirs.user_state_dir(_NAME, appauthor=False)) / "runs"
