"""Writing so that a file is whole or not there, and stays when the power goes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder, open to its owner alone; what root makes belongs to whom the folder around it belongs to."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        return
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # The unit of the service allows the call by descriptor alone.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            give_to_owner(descriptor, folder.parent)
        finally:
            os.close(descriptor)


def write_whole(file: Path, text: str, *, secure: bool) -> None:
    """Replace a file by a rename; `secure`: its content is on the disk before that."""
    temporary = file.with_name(file.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        give_to_owner(descriptor, file.parent)
        stream.write(text)
        if secure:
            stream.flush()
            os.fsync(stream.fileno())
    temporary.replace(file)


def sync_file(file: Path) -> None:
    """Bring a file's content to the disk."""
    # Windows syncs only what is open for writing; elsewhere a file that is read-only can be synced all the same.
    descriptor = os.open(file, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder last; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    sync_file(folder)


def give_to_owner(descriptor: int, folder: Path) -> None:
    """What root writes into the spool belongs to the service's own user, who has to read it."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
