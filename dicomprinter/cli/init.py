"""`dicomprinter init`."""

from __future__ import annotations

import os
import shlex
from importlib import resources
from pathlib import Path

import click

from dicomprinter.cli.messages import PATH, examples, invocation, json_option, plain, print_json, verbose_option
from dicomprinter.errors import InputError

_FOLDERS = (".", "config", "spool", "spool/incoming")
_FILES = {"config/config.xml": "template.xml", ".env": "template.env"}


@click.command("init", epilog=examples("dicomprinter init printer", "dicomprinter init /var/lib/dicomprinter"))
@click.argument("folder", metavar="DIR", type=PATH)
@json_option
@verbose_option
def command(folder: Path) -> int:
    """Make the base directory DIR, with a configuration to start from: a worklist query, tags, and an archive.

    The configuration explains itself; the addresses stand in DIR/.env. Nothing that is there is changed: when one of
    its files exists, nothing is done. Folders and files are for their owner alone.
    """
    _refuse_existing(folder)
    try:
        for name in _FOLDERS:
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, template in _FILES.items():
            _write(folder / name, resources.files("dicomprinter.cli").joinpath(template).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{error.filename or folder} cannot be made",
            cause=error.strerror or type(error).__name__,
            remedy="name a folder where you may write",
        ) from None
    if invocation().as_json:
        print_json({"base": str(folder.absolute()), "files": [str((folder / name).absolute()) for name in _FILES]})
    else:
        _tell(folder)
    return 0


def _refuse_existing(folder: Path) -> None:
    """Everything is looked at before anything is made.

    Raises:
        InputError: one of the files is there, or a file stands where a folder has to be.
    """
    for name in _FILES:
        if os.path.lexists(folder / name):
            raise InputError(f"{folder / name} is there already", remedy="name another folder, or take the file away")
    places = [folder / name for name in _FOLDERS]
    for place in (*folder.absolute().parents, *places):
        if os.path.lexists(place) and not place.is_dir():
            raise InputError(f"{place} is not a folder", remedy="name another place")


def _write(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)


def _tell(folder: Path) -> None:
    base, config = (shlex.quote(str(path)) for path in (folder, folder / "config" / "config.xml"))
    steps = {
        f"correct the addresses in {folder / '.env'}": "",
        "look at what the configuration does": f"dicomprinter explain {config}",
        "check it after each change": f"dicomprinter check --strict {config}",
        "ask the worklist and the archive": f"dicomprinter echo {config}",
        f"start, then drop files into {folder / 'spool' / 'incoming'}": f"dicomprinter serve --base {base}",
    }
    click.echo(plain(f"made {folder}"))
    for number, (what, line) in enumerate(steps.items(), start=1):
        click.echo(plain(f"  {number}. {what}") + (plain(f"\n       {line}") if line else ""))
